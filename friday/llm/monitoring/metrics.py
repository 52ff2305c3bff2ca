"""Prometheus metrics of LLM calls. Every label value comes from a bounded set."""

from collections.abc import Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from friday.llm import constants
from friday.llm.breaker import CircuitBreaker
from friday.llm.constants import Feature, Path

LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 60)
"""Seconds; dense around the targets p50 1 s, p95 3 s, p99 5 s and the deadline of 30 s."""

MAX_MODELS = 32  # distinct values of the `model` label; later names count as "other"
OTHER = "other"

LENGTH_BUCKETS = (50, 100, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000)
"""Characters of an answer."""


class LlmMetrics:
    """The metrics that the rollout is judged by: requests, errors, latency, tokens, cost and fallbacks."""

    def __init__(self, registry: CollectorRegistry, models: Iterable[str] = ()) -> None:
        self._models = {*constants.STOCK_MODELS, *constants.STOCK_MODELS.values(), *models}
        self._room = MAX_MODELS
        call = ["path", "model", "feature"]
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        seconds = partial(Histogram, labelnames=call, buckets=LATENCY_BUCKETS, registry=registry)
        self.requests = counter(
            "friday_llm_requests", "Calls by final outcome (ok, cancelled or the kind of error)", [*call, "outcome"]
        )
        self.errors = counter(
            "friday_llm_errors",
            "Failed attempts by kind, also those of calls that a fallback answered",
            [*call, "kind"],
        )
        self.fallbacks = counter(
            "friday_llm_fallbacks",
            "Calls that left the gateway for the direct path, by reason",
            ["model", "feature", "reason"],
        )
        self.latency = seconds("friday_llm_latency_seconds", "Whole call, failed attempts included")
        self.first_token = seconds("friday_llm_first_token_seconds", "From the call to the first text of a stream")
        self.tokens = counter("friday_llm_tokens", "Tokens", [*call, "direction"])
        self.cost = counter("friday_llm_cost_usd", "Cost that the answers reported; must stay 0", call)
        # Of consenting testers' answers only (LITELLM_COMPARE_TESTERS).
        self.length = Histogram(
            "friday_llm_quality_length_chars",
            "Characters of testers' answers",
            ["path"],
            buckets=LENGTH_BUCKETS,
            registry=registry,
        )
        self.checks = counter(
            "friday_llm_quality_checks",
            "Testers' answers by whether they passed a check (schema, answered, language)",
            ["path", "check", "passed"],
        )
        self.in_flight = gauge("friday_llm_in_flight", "Calls that run now")
        self.breaker = gauge("friday_llm_breaker_state", "0 closed, 1 half open, 2 open (the gateway gets no calls)")
        self.percentage = gauge("friday_llm_rollout_percentage", "Users on the gateway; 0 when it is switched off")

    def watch(self, breaker: CircuitBreaker, percentage: int) -> None:
        """Read the breaker at every scrape; export the percentage in force, and every path from the start."""
        self.breaker.set_function(lambda: float(breaker.state))
        self.percentage.set(percentage)
        for path in Path:
            self.latency.labels(path, OTHER, Feature.CHAT)

    def model_label(self, model: str | None, *, answered: bool) -> str:
        """Return a bounded label: known names, and the first MAX_MODELS others that really answered."""
        if model in self._models:
            return model
        if model is None or not answered or self._room <= 0 or len(model) > 128:
            return OTHER
        self._room -= 1
        self._models.add(model)
        return model
