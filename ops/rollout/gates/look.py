"""How the figures that gates name are asked for in Prometheus' language, and what its answers mean."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import AliasPath, BaseModel, Field

from indicators import promql, selectors
from indicators.selectors import EDGE, FRIDAY, USERS
from ops.rollout.gates.evidence import Calls, Distribution, Evidence, Load

SHORTEST = 10.0
"""Seconds. Below two scrapes nothing can be measured, and a window of 0 is no window."""

_DAY = 86_400.0
_MINUTE = 60.0


class Sample(BaseModel):
    """One element of Prometheus' instant vector: its labels, and its value without the time."""

    metric: dict[str, str]
    number: float = Field(validation_alias=AliasPath("value", 1))


@dataclass(frozen=True)
class Window:
    """A stretch of time: its end in epoch seconds, and its length."""

    end: float
    seconds: float


@dataclass(frozen=True)
class Scope:
    """What is looked at: each gate's window in seconds by its name, all of them ending `now`, in epoch seconds.

    Without `has_friday` Friday has no metrics of its own, and the edge has to speak for it: its frontend `users` counts
    their calls. In `exchanges` replicas were replaced.
    `baseline` is where calls without the gateway are looked for, None when nowhere.
    """

    now: float
    windows: Mapping[str, float]
    has_friday: bool
    baseline: Window | None
    users: str = USERS
    exchanges: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Look:
    """A look at Prometheus over the window of one gate. None is what it does not know, and never means 0.

    `ask` returns the vector of an expression at an epoch second. What it raises when there is no answer, every method
    raises. `alive` is a metric that a part shows as long as it is scraped.
    """

    ask: Callable[[str, float], list[Sample]]
    scope: Scope
    window: Window

    @property
    def baseline(self) -> "Look | None":
        """Return the same look where calls without the gateway are looked for, None when nowhere."""
        others = self.scope.baseline
        if others is None:
            return None
        # Beside the gateway's users they are looked at over the same time as these, which is each gate's own.
        return self if others.end == self.window.end else Look(self.ask, self.scope, others)

    def last(self, seconds: float) -> "Look":
        """Return the same look at no more than the last `seconds`."""
        return Look(self.ask, self.scope, Window(self.window.end, min(seconds, self.window.seconds)))

    @property
    def settled(self) -> "Look | None":
        """Return the same look from where the replicas were exchanged on; None while next to nothing is left of it."""
        begin = self.window.end - self.window.seconds
        after = max(
            (each.end for each in self.scope.exchanges if each.end - each.seconds <= begin < each.end), default=0
        )
        left = self.window.end - after
        if after <= begin:
            return self
        return Look(self.ask, self.scope, Window(self.window.end, left)) if left >= SHORTEST else None

    def friday_calls(self, *paths: str) -> Calls | None:
        """Return the calls over these paths, as Friday counts them."""
        outcomes = self.by_label(selectors.calls(*paths), "outcome", FRIDAY)
        return None if outcomes is None else judged_calls(outcomes)

    def edge_calls(
        self, frontend: str, backend: str, *, failed: tuple[str, ...], ignored: tuple[str, ...] = ()
    ) -> Calls | None:
        """Return the answers of one of the edge's frontends by their classes of status, such as 5xx.

        Errors that the edge itself gave while the replicas of its `backend` (a pattern) were exchanged are left out:
        they say nothing about either path.
        """
        codes = self.by_label(selectors.answers(frontend), "code", EDGE)
        if codes is None:
            return None
        errors = codes.get("5xx", 0.0)
        return calls_of({**codes, "5xx": max(0.0, errors - self._own_errors(backend))}, ignored, failed)

    def _own_errors(self, backend: str) -> float:
        """Return the errors (5xx) that the edge itself gave in a backend's name while its replicas were exchanged.

        The counters of its servers hold what replicas answered, those of the backend what users got.
        """
        begin = self.window.end - self.window.seconds
        parts = [(max(begin, each.end - each.seconds), min(self.window.end, each.end)) for each in self.scope.exchanges]
        looks = [Look(self.ask, self.scope, Window(end, end - start)) for start, end in parts if end > start]
        return sum(look._own_errors_of_all(backend) for look in looks)

    def _own_errors_of_all(self, backend: str) -> float:
        given, answered = (
            self.total(selectors.errors_of(whose, backend), EDGE) or 0.0 for whose in ("backend", "server")
        )
        return max(0.0, given - answered)

    def durations(self, metric: str, alive: str) -> Distribution | None:
        """Return the durations of a histogram; `metric` names its buckets."""
        found = self.ask(promql.buckets(metric, self._length), self.window.end)
        if not found and not self._lives(alive):
            return None
        return Distribution(buckets=tuple(sorted((float(each.metric.get("le", "inf")), each.number) for each in found)))

    def total(self, metric: str, alive: str) -> float | None:
        """Return how far a counter rose."""
        found = self._counts(metric, alive)
        return None if found is None else sum(each.number for each in found)

    def by_label(self, metric: str, label: str, alive: str) -> dict[str, float] | None:
        """Return how far a counter rose, by the values of one of its labels."""
        found = self._counts(metric, alive, by=(label,))
        return None if found is None else {each.metric.get(label, ""): each.number for each in found}

    def load(self, *metrics: str, alive: str) -> Load | None:
        """Return the requests that these counters count together."""
        totals = [self.total(metric, alive) for metric in metrics]
        if None in totals:
            return None
        total, seconds = sum(each or 0 for each in totals), self.window.seconds
        busiest = self._busiest(metrics, _MINUTE, every=15)
        day = self._busiest(metrics, _DAY, every=3600) if seconds >= _DAY else 0
        return Load(
            per_minute=max(busiest, total * _MINUTE / seconds),
            per_day=max(day, total * _DAY / seconds),
            samples=round(total),
        )

    def newest(self, gauge: str) -> float | None:
        """Return the highest of what the replicas showed last, within the last five minutes."""
        return self._one(f"max(last_over_time({gauge}[5m]))")

    def share_seen(self, *metrics: str) -> float | None:
        """Return the share of the window (0 to 1) in which all of these were scraped."""
        seconds = self.window.seconds
        scraped = " and ".join(f"count({metric})" for metric in metrics)
        seen = self._one(promql.sampled("count_over_time", scraped, self._length, self._every))
        return None if seen is None else min(1.0, seen / max(1.0, seconds // promql.step(seconds)))

    def share_of_time(self, condition: str) -> float | None:
        """Return the share of the window (0 to 1) in which a condition was 1 and not 0."""
        return self._one(promql.sampled("avg_over_time", condition, self._length, self._every))

    def _busiest(self, metrics: Iterable[str], seconds: float, *, every: float) -> float:
        """Return the most requests within any `seconds` of the window, which are no less than between two samples."""
        if self.window.seconds < seconds:
            return 0.0
        left = self.window.seconds - seconds
        rises = " + ".join(f"({promql.risen(metric, promql.duration(seconds))} or vector(0))" for metric in metrics)
        asked = promql.sampled(
            "max_over_time", rises, promql.duration(left), promql.duration(promql.step(left, finest=every))
        )
        return self._one(asked) or 0.0

    def _counts(self, metric: str, alive: str, by: Iterable[str] = ()) -> list[Sample] | None:
        found = self.ask(promql.counted(metric, self._length, by), self.window.end)
        return found if found or self._lives(alive) else None

    def _lives(self, metric: str) -> bool:
        return self._one(f"count(last_over_time({metric}[{self._length}]))") is not None

    @property
    def _length(self) -> str:
        return promql.duration(self.window.seconds)

    @property
    def _every(self) -> str:
        return promql.duration(promql.step(self.window.seconds))

    def _one(self, expression: str) -> float | None:
        return next((each.number for each in self.ask(expression, self.window.end)), None)


_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Figure(Generic[_Value]):
    """A number that Prometheus is asked for; `look` asks, over the window of the gate that declares it."""

    name: str
    look: Callable[[Look], _Value | None]

    def of(self, evidence: Evidence) -> _Value | None:
        """Return it as it was measured, None when it was not."""
        found: _Value | None = evidence.figures.get(self.name)
        return found


def judged_calls(outcomes: Mapping[str, float]) -> Calls:
    """Return Friday's calls by their outcomes: all but `ok` failed; what is the caller's own doing is in neither."""
    return calls_of(outcomes, selectors.CALLERS_OWN, failed=outcomes.keys() - {"ok"})


def calls_of(counts: Mapping[str, float], ignored: Iterable[str], failed: Iterable[str]) -> Calls:
    """Return calls by their outcomes, or answers by their classes: which are not calls at all, and which failed."""
    judged = {outcome: number for outcome, number in counts.items() if outcome not in ignored}
    return Calls(total=round(sum(judged.values())), failed=round(sum(judged.get(outcome, 0) for outcome in failed)))
