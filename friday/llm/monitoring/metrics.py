"""Prometheus metrics of LLM calls. Every label value comes from a bounded set."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from friday.llm import constants
from friday.llm.breaker import CircuitBreaker
from friday.llm.constants import Feature, Path
from friday.llm.types import InvokeResult

LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 60)
"""Seconds; dense around the targets p50 1 s, p95 3 s, p99 5 s and the deadline of 30 s."""

MAX_MODELS = 32
"""Distinct values of the `model` label; later names count as "other"."""

OTHER = "other"


class LlmMetrics:
    """The metrics that the rollout is judged by: requests, errors, latency, tokens, cost and fallbacks."""

    def __init__(self, registry: CollectorRegistry, models: Iterable[str] = ()) -> None:
        self._models = {*constants.STOCK_MODELS, *constants.STOCK_MODELS.values(), *models}
        self._room = MAX_MODELS
        self.requests = Counter(
            "friday_llm_requests",
            "Calls by final outcome (ok, cancelled or the kind of error)",
            ["path", "model", "feature", "outcome"],
            registry=registry,
        )
        self.errors = Counter(
            "friday_llm_errors",
            "Failed attempts by kind, also those of calls that a fallback answered",
            ["path", "model", "feature", "kind"],
            registry=registry,
        )
        self.fallbacks = Counter(
            "friday_llm_fallbacks",
            "Calls that left the gateway for the direct path, by reason",
            ["model", "feature", "reason"],
            registry=registry,
        )
        self.latency = Histogram(
            "friday_llm_latency_seconds",
            "Whole call, failed attempts included",
            ["path", "model", "feature"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.first_token = Histogram(
            "friday_llm_first_token_seconds",
            "From the call to the first text of a stream",
            ["path", "model", "feature"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.tokens = Counter(
            "friday_llm_tokens", "Tokens", ["path", "model", "feature", "direction"], registry=registry
        )
        self.cost = Counter(
            "friday_llm_cost_usd",
            "Cost that the answers reported; must stay 0",
            ["path", "model", "feature"],
            registry=registry,
        )
        self.in_flight = Gauge("friday_llm_in_flight", "Calls that run now", registry=registry)
        self.breaker = Gauge(
            "friday_llm_breaker_state",
            "0 closed, 1 half open, 2 open (the gateway gets no calls)",
            registry=registry,
        )
        self.percentage = Gauge(
            "friday_llm_rollout_percentage",
            "Users on the gateway; 0 when it is switched off",
            registry=registry,
        )

    def watch(self, breaker: CircuitBreaker, percentage: int) -> None:
        """Read the breaker at every scrape; export the percentage in force, and every path from the start."""
        self.breaker.set_function(lambda: float(breaker.state))
        self.percentage.set(percentage)
        for path in Path:
            self.latency.labels(path, OTHER, Feature.CHAT)

    def model_label(self, model: str | None, *, answered: bool) -> str:
        """Return a bounded label: known names, and the first MAX_MODELS others that really answered."""
        if model is None:
            return OTHER
        if model not in self._models:
            if not answered or self._room <= 0 or len(model) > 128:
                return OTHER
            self._room -= 1
            self._models.add(model)
        return model

    def succeeded(self, path: Path, feature: Feature, result: InvokeResult, seconds: float) -> None:
        """Count a complete answer with its tokens and cost."""
        model = self.model_label(result.model, answered=True)
        self.requests.labels(path, model, feature, "ok").inc()
        self.latency.labels(path, model, feature).observe(seconds)
        if usage := result.usage:
            self.tokens.labels(path, model, feature, "prompt").inc(usage.prompt_tokens)
            self.tokens.labels(path, model, feature, "completion").inc(usage.completion_tokens)
            self.cost.labels(path, model, feature).inc(usage.cost or 0)

    def failed(self, path: Path, feature: Feature, model: str | None, kind: str, seconds: float) -> None:
        """Count a call that ended without a complete answer; `kind` is an error's kind or "cancelled"."""
        label = self.model_label(model, answered=False)
        self.requests.labels(path, label, feature, kind).inc()
        self.latency.labels(path, label, feature).observe(seconds)
