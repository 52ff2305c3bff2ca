"""Records of requests and of answers; both are limited in number, and contain no keys and no prompts."""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_KEPT_REQUESTS = 5_000
_KEPT_GENERATIONS = 1_000
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
        self._records: deque[Record] = deque(maxlen=_KEPT_REQUESTS)
        self.total = 0
        self.by_model: Counter[str] = Counter()

    def open(self, now: float, method: str, path: str) -> Record:
        """Begin a record at epoch second `now`."""
        self.total += 1
        record = Record(self.total, now, method, path)
        self._records.append(record)
        return record

    def name_models(self, record: Record, models: list[str]) -> None:
        """Record and count the ids that a request named. The totals are kept longer than the records."""
        record.models = models
        for model in models:
            known = model in self.by_model or len(self.by_model) < _DISTINCT_MODELS
            self.by_model[model if known else _OTHER] += 1

    def since(self, time: float, after_seq: int) -> Iterator[Record]:
        """Return the records that began after `time` and whose number exceeds `after_seq`, oldest first."""
        return (r for r in self._records if r.time > time and r.seq > after_seq)


@dataclass(frozen=True)
class Generation:
    """A finished answer that `GET /generation` returns after `ready_at`."""

    account: str
    ready_at: float
    data: dict[str, Any]


class Generations:
    """The last generations by id."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[str, Generation] = OrderedDict()

    def add(self, generation_id: str, generation: Generation) -> None:
        """Add one; the oldest is dropped when there are too many."""
        self._by_id[generation_id] = generation
        if len(self._by_id) > _KEPT_GENERATIONS:
            self._by_id.popitem(last=False)

    def find(self, generation_id: str, account: str, now: float) -> dict[str, Any] | None:
        """Return the account's own generation, or None when there is none or it is not ready."""
        found = self._by_id.get(generation_id)
        return found.data if found and found.account == account and found.ready_at <= now else None
