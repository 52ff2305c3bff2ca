"""Gathers the evidence for the gates from Prometheus: instant queries over each gate's window, all at once."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ops.metrics.prometheus import Prometheus, Sample, SilentError, counted, duration, rising, sampled, step
from ops.rollout.gates.evidence import Calls, Distribution, Gate, Load
from ops.rollout.gates.verdict_builder import PROMETHEUS

_FRIDAY = "friday_llm_rollout_percentage"
_GATEWAY = "gateway_quota_requests_per_minute"
_EDGE = 'haproxy_backend_active_servers{proxy="litellm"}'
"""What each part shows as long as it is scraped: where it is there, a counter that is not there stands at 0."""

_CALLERS_OWN = frozenset({"cancelled", "invalid_request", "paid_model_refused"})
"""Outcomes that say nothing about either path: the caller left, or asked for what nobody may have."""

_GATEWAY_PATHS = ("litellm", "fallback")
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
    windows: Mapping[Gate, float]
    has_friday: bool
    cooldown_seconds: float
    baseline: Window | None

    def window(self, gate: Gate) -> Window:
        """Return a gate's window."""
        return Window(self.now, self.windows[gate])


def knows_friday(prometheus: Prometheus, now: float) -> bool:
    """Tell whether Friday's own metrics were ever seen: an image of one's own may have none. Raises SilentError."""
    return bool(prometheus.ask(f"count(last_over_time({_FRIDAY}[30d]))", now))


def gather(prometheus: Prometheus, scope: Scope) -> dict[str, Any]:
    """Return the part of the `Evidence` that Prometheus knows; what it does not answer is left out.

    A server that does not answer at all, or with numbers that cannot be, is told under `silent`.
    """
    look = _Look(prometheus, scope)
    fields: dict[str, Callable[[], object]] = {
        "coverage": look.coverage,
        "calls": look.calls,
        "baseline": look.baseline,
        "fallbacks": look.fallbacks,
        "latency": look.latency,
        "direct_latency": look.direct_latency,
        "overhead": look.overhead,
        "gateway_up": look.gateway_up,
        "seconds_out": look.seconds_out,
        "answers": look.answers,
        "gateway_spend": look.gateway_spend,
        "answers_cost": look.answers_cost,
        "gateway_load": look.gateway_load,
        "direct_load": look.direct_load,
    }
    found: dict[str, Any] = {}
    silent: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=len(fields)) as pool:
        for name, answer in {name: pool.submit(ask) for name, ask in fields.items()}.items():
            try:
                found[name] = answer.result()
            except SilentError as error:
                silent[PROMETHEUS] = str(error)
            except ValidationError as error:
                # A number that cannot be, as a negative count. It holds the step, and the look at it goes on.
                silent[PROMETHEUS] = f"Prometheus' numbers for {name} make no sense: {error.errors()[0]['msg']}"
    return {**found, "silent": silent}


class _Look:
    """One look at Prometheus; each method is one field of the evidence."""

    def __init__(self, prometheus: Prometheus, scope: Scope) -> None:
        self._prometheus = prometheus
        self._scope = scope

    def coverage(self) -> float | None:
        window = self._scope.window(Gate.METRICS)
        parts = [f"count({metric})" for metric in ([_FRIDAY] if self._scope.has_friday else []) + [_GATEWAY, _EDGE]]
        seen = self._one(sampled("count_over_time", " and ".join(parts), window.seconds), window)
        samples = max(1.0, window.seconds // step(window.seconds))
        return None if seen is None else min(1.0, seen / samples)

    def calls(self) -> Calls | None:
        window = self._scope.window(Gate.ERRORS)
        if self._scope.has_friday:
            return self._friday_calls(window, _GATEWAY_PATHS)
        return self._edge_calls(window, "users", failed=("5xx",), ignored=("4xx",))

    def baseline(self) -> Calls | None:
        window = self._scope.baseline
        if window is None:
            return None
        if self._scope.has_friday:
            return self._friday_calls(window, ("direct",))
        return self._edge_calls(window, "users", failed=("5xx",), ignored=("4xx",))

    def fallbacks(self) -> Calls | None:
        window = self._scope.window(Gate.FALLBACKS)
        if not self._scope.has_friday:
            return self._edge_calls(window, "gateway_internal", failed=("4xx", "5xx"), ignored=())
        calls, left = (self._friday_calls(window, paths) for paths in (_GATEWAY_PATHS, ("fallback",)))
        return Calls(total=calls.total, failed=left.total) if calls and left else None

    def latency(self) -> Distribution | None:
        window = self._scope.window(Gate.LATENCY)
        if self._scope.has_friday:
            return self._distribution('friday_llm_latency_seconds_bucket{path=~"litellm|fallback"}', window, _FRIDAY)
        return self._distribution("litellm_request_total_latency_metric_bucket", window, _GATEWAY)

    def direct_latency(self) -> Distribution | None:
        metric = 'friday_llm_latency_seconds_bucket{path="direct"}'
        return self._distribution(metric, self._scope.window(Gate.LATENCY), _FRIDAY)

    def overhead(self) -> Distribution | None:
        window = self._scope.window(Gate.OVERHEAD)
        return self._distribution("litellm_overhead_latency_metric_bucket", window, _GATEWAY)

    def gateway_up(self) -> float | None:
        window = self._scope.window(Gate.GATEWAY)
        # The edge that sees fewest counts: users of a host whose edge has no gateway are users without one.
        return self._one(sampled("avg_over_time", f"min({_EDGE}) > bool 0", window.seconds), window)

    def seconds_out(self) -> dict[str, float] | None:
        window = self._scope.window(Gate.PROVIDERS)
        metric = "litellm_deployment_cooled_down_total"
        found = self._counts(metric, window, _GATEWAY, by=("litellm_model_name",))
        if found is None:
            return None
        return {each.metric.get("litellm_model_name", ""): each.number * self._scope.cooldown_seconds for each in found}

    def answers(self) -> int | None:
        found = self._sum("litellm_requests_metric_total", self._scope.window(Gate.COST), _GATEWAY)
        return None if found is None else round(found)

    def gateway_spend(self) -> float | None:
        return self._sum("litellm_spend_metric_total", self._scope.window(Gate.COST), _GATEWAY)

    def answers_cost(self) -> float | None:
        return self._sum("friday_llm_cost_usd_total", self._scope.window(Gate.COST), _FRIDAY)

    def gateway_load(self) -> Load | None:
        refused = 'gateway_refused_requests_total{reason="quota_spent"}'
        return self._load(("gateway_upstream_attempts_total", refused), self._scope.window(Gate.QUOTA), _GATEWAY)

    def direct_load(self) -> Load | None:
        calls = 'friday_llm_requests_total{path=~"direct|fallback"}'
        return self._load((calls,), self._scope.window(Gate.QUOTA), _FRIDAY)

    def _friday_calls(self, window: Window, paths: Iterable[str]) -> Calls | None:
        metric = f'friday_llm_requests_total{{path=~"{"|".join(paths)}"}}'
        found = self._counts(metric, window, _FRIDAY, by=("outcome",))
        if found is None:
            return None
        return _calls({each.metric.get("outcome", ""): each.number for each in found}, _CALLERS_OWN, good={"ok"})

    def _edge_calls(
        self, window: Window, proxy: str, *, failed: tuple[str, ...], ignored: tuple[str, ...]
    ) -> Calls | None:
        metric = f'haproxy_frontend_http_responses_total{{proxy="{proxy}"}}'
        found = self._counts(metric, window, _EDGE, by=("code",))
        if found is None:
            return None
        codes = {each.metric.get("code", ""): each.number for each in found}
        return _calls(codes, ignored, good=codes.keys() - set(failed))

    def _load(self, metrics: Iterable[str], window: Window, alive: str) -> Load | None:
        totals = [self._sum(metric, window, alive) for metric in metrics]
        if None in totals:
            return None
        total = sum(each or 0 for each in totals)
        busiest = self._busiest(metrics, _MINUTE, window, every=15)
        day = self._busiest(metrics, _DAY, window, every=3600) if window.seconds >= _DAY else 0
        return Load(
            per_minute=max(busiest, total * _MINUTE / window.seconds),
            per_day=max(day, total * _DAY / window.seconds),
            samples=round(total),
        )

    def _busiest(self, metrics: Iterable[str], seconds: float, window: Window, *, every: float) -> float:
        """Return the most requests within any `seconds` of the window."""
        if window.seconds < seconds:
            return 0.0
        rises = " + ".join(f"({rising(metric, seconds)} or vector(0))" for metric in metrics)
        return self._one(sampled("max_over_time", rises, window.seconds - seconds, finest=every), window) or 0.0

    def _distribution(self, metric: str, window: Window, alive: str) -> Distribution | None:
        found = self._prometheus.ask(rising(metric, window.seconds, by=("le",)), window.end)
        if not found and not self._lives(alive, window):
            return None
        buckets = sorted((float(each.metric.get("le", "inf")), each.number) for each in found)
        return Distribution(buckets=tuple(buckets))

    def _sum(self, metric: str, window: Window, alive: str) -> float | None:
        found = self._counts(metric, window, alive)
        return None if found is None else sum(each.number for each in found)

    def _counts(self, metric: str, window: Window, alive: str, by: Iterable[str] = ()) -> list[Sample] | None:
        found = self._prometheus.ask(counted(metric, window.seconds, by), window.end)
        return found if found or self._lives(alive, window) else None

    def _lives(self, metric: str, window: Window) -> bool:
        return bool(self._prometheus.ask(f"count(last_over_time({metric}[{duration(window.seconds)}]))", window.end))

    def _one(self, expression: str, window: Window) -> float | None:
        return next((each.number for each in self._prometheus.ask(expression, window.end)), None)


def _calls(counts: Mapping[str, float], ignored: Iterable[str], good: Iterable[str]) -> Calls:
    judged = {outcome: number for outcome, number in counts.items() if outcome not in set(ignored)}
    failed = sum(number for outcome, number in judged.items() if outcome not in set(good))
    return Calls(total=round(sum(judged.values())), failed=round(failed))
