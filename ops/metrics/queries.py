"""Gathers the evidence for the gates from Prometheus: instant queries over each gate's window, all at once."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ops.metrics.prometheus import Prometheus, Sample, SilentError, counted, duration, rising, sampled, step
from ops.rollout.gates import registry
from ops.rollout.gates.evidence import Calls, Distribution, Load
from ops.rollout.gates.gate import EDGE, FRIDAY, Figure, Look
from ops.rollout.gates.verdict_builder import PROMETHEUS

_CALLERS_OWN = frozenset({"cancelled", "invalid_request", "paid_model_refused"})
"""Outcomes that say nothing about either path: the caller left, or asked for what nobody may have."""

_DAY = 86_400.0
_MINUTE = 60.0


@dataclass(frozen=True)
class Window:
    """A stretch of time: its end in epoch seconds, and its length."""

    end: float
    seconds: float


@dataclass(frozen=True)
class Scope:
    """What is looked at: each gate's window, all of them ending now.

    `baseline` is where calls without the gateway are looked for, None when nowhere.
    """

    now: float
    windows: Mapping[str, float]
    has_friday: bool
    cooldown_seconds: float
    baseline: Window | None

    def window(self, gate: str) -> Window:
        """Return the window of a gate, by its name."""
        return Window(self.now, self.windows[gate])


def knows_friday(prometheus: Prometheus, now: float) -> bool:
    """Return whether Friday's own metrics were ever seen: an image of one's own may have none. Raises SilentError."""
    return bool(prometheus.ask(f"count(last_over_time({FRIDAY}[30d]))", now))


def gather(prometheus: Prometheus, scope: Scope) -> dict[str, Any]:
    """Return the part of the `Evidence` that Prometheus knows; what it does not answer is left out.

    A server that does not answer at all, or with numbers that cannot be, is named under `silent`.
    """
    looks: list[tuple[Figure[Any], Look]] = [
        (figure, _Look(prometheus, scope, scope.window(gate.name)))
        for gate in registry.GATES
        for figure in gate.figures
    ]
    found: dict[str, Any] = {}
    silent: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        for name, answer in {figure.name: pool.submit(figure.look, look) for figure, look in looks}.items():
            try:
                found[name] = answer.result()
            except SilentError as error:
                silent[PROMETHEUS] = str(error)
            except ValidationError as error:
                # A number that cannot be, as a negative count. The step is not made then, and the look at it goes on.
                silent[PROMETHEUS] = f"Prometheus' numbers for {name} make no sense: {error.errors()[0]['msg']}"
    return {"figures": found, "silent": silent}


class _Look:
    """A gate's `Look`: how the figures that gates name are asked for in Prometheus' language."""

    def __init__(self, prometheus: Prometheus, scope: Scope, window: Window) -> None:
        self._prometheus = prometheus
        self._scope = scope
        self._window = window

    @property
    def has_friday(self) -> bool:
        return self._scope.has_friday

    @property
    def cooldown_seconds(self) -> float:
        return self._scope.cooldown_seconds

    @property
    def baseline(self) -> "_Look | None":
        window = self._scope.baseline
        return _Look(self._prometheus, self._scope, window) if window else None

    def friday_calls(self, *paths: str) -> Calls | None:
        metric = f'friday_llm_requests_total{{path=~"{"|".join(paths)}"}}'
        outcomes = self.by_label(metric, "outcome", FRIDAY)
        return None if outcomes is None else _calls(outcomes, _CALLERS_OWN, good={"ok"})

    def edge_calls(self, proxy: str, *, failed: tuple[str, ...], ignored: tuple[str, ...] = ()) -> Calls | None:
        codes = self.by_label(f'haproxy_frontend_http_responses_total{{proxy="{proxy}"}}', "code", EDGE)
        return None if codes is None else _calls(codes, ignored, good=codes.keys() - set(failed))

    def durations(self, metric: str, alive: str) -> Distribution | None:
        found = self._prometheus.ask(rising(metric, self._window.seconds, by=("le",)), self._window.end)
        if not found and not self._lives(alive):
            return None
        buckets = sorted((float(each.metric.get("le", "inf")), each.number) for each in found)
        return Distribution(buckets=tuple(buckets))

    def total(self, metric: str, alive: str) -> float | None:
        found = self._counts(metric, alive)
        return None if found is None else sum(each.number for each in found)

    def by_label(self, metric: str, label: str, alive: str) -> dict[str, float] | None:
        found = self._counts(metric, alive, by=(label,))
        return None if found is None else {each.metric.get(label, ""): each.number for each in found}

    def load(self, *metrics: str, alive: str) -> Load | None:
        totals = [self.total(metric, alive) for metric in metrics]
        if None in totals:
            return None
        total, seconds = sum(each or 0 for each in totals), self._window.seconds
        busiest = self._busiest(metrics, _MINUTE, every=15)
        day = self._busiest(metrics, _DAY, every=3600) if seconds >= _DAY else 0
        return Load(
            per_minute=max(busiest, total * _MINUTE / seconds),
            per_day=max(day, total * _DAY / seconds),
            samples=round(total),
        )

    def share_seen(self, *metrics: str) -> float | None:
        seconds = self._window.seconds
        scraped = " and ".join(f"count({metric})" for metric in metrics)
        seen = self._one(sampled("count_over_time", scraped, seconds))
        return None if seen is None else min(1.0, seen / max(1.0, seconds // step(seconds)))

    def share_of_time(self, condition: str) -> float | None:
        return self._one(sampled("avg_over_time", condition, self._window.seconds))

    def _busiest(self, metrics: Iterable[str], seconds: float, *, every: float) -> float:
        """Return the most requests within any `seconds` of the window."""
        if self._window.seconds < seconds:
            return 0.0
        rises = " + ".join(f"({rising(metric, seconds)} or vector(0))" for metric in metrics)
        return self._one(sampled("max_over_time", rises, self._window.seconds - seconds, finest=every)) or 0.0

    def _counts(self, metric: str, alive: str, by: Iterable[str] = ()) -> list[Sample] | None:
        found = self._prometheus.ask(counted(metric, self._window.seconds, by), self._window.end)
        return found if found or self._lives(alive) else None

    def _lives(self, metric: str) -> bool:
        window = duration(self._window.seconds)
        return bool(self._prometheus.ask(f"count(last_over_time({metric}[{window}]))", self._window.end))

    def _one(self, expression: str) -> float | None:
        return next((each.number for each in self._prometheus.ask(expression, self._window.end)), None)


def _calls(counts: Mapping[str, float], ignored: Iterable[str], good: Iterable[str]) -> Calls:
    judged = {outcome: number for outcome, number in counts.items() if outcome not in set(ignored)}
    failed = sum(number for outcome, number in judged.items() if outcome not in set(good))
    return Calls(total=round(sum(judged.values())), failed=round(failed))
