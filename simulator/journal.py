"""Records of requests and of answers; both are limited in number, and contain no keys and no prompts."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

_KEPT_REQUESTS = 5_000
_DISTINCT_MODELS = 500
_OTHER = "(other)"


@dataclass
class Record:
    """One request to `/api`. `models` is every id it named, fallbacks included; `cost_usd` in dollars."""

    seq: int
    time: float
    method: str
    path: str
    account: str | None = None
    models: list[str] = field(default_factory=list)
    served_model: str | None = None
    stream: bool = False
    body_fields: list[str] = field(default_factory=list)
    outcome: str = "open"
    status: int | None = None
    cost_usd: float = 0.0
    duration_ms: float | None = None

    def close(self, now: float, outcome: str, status: int | None) -> None:
        """Record how it ended."""
        self.outcome, self.status = outcome, status
        self.duration_ms = round((now - self.time) * 1000, 1)


class Journal:
    """The last requests, and totals of all since the last reset."""

    def __init__(self) -> None:
        self.records: deque[Record] = deque(maxlen=_KEPT_REQUESTS)
        self.total = 0
        self.by_model: Counter[str] = Counter()

    def open(self, now: float, method: str, path: str) -> Record:
        """Begin a record at epoch second `now`."""
        self.total += 1
        record = Record(self.total, now, method, path)
        self.records.append(record)
        return record

    def name_models(self, record: Record, models: list[str]) -> None:
        """Record and count the ids that a request named. The totals are kept longer than the records."""
        record.models = models
        for model in models:
            known = model in self.by_model or len(self.by_model) < _DISTINCT_MODELS
            self.by_model[model if known else _OTHER] += 1


@dataclass(frozen=True)
class Generation:
    """A finished answer that `GET /generation` returns after `ready_at` to the account that got it."""

    account: str
    ready_at: float
    data: dict[str, Any]
