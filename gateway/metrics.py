"""The gateway's own metrics, beside LiteLLM's in the same /metrics."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge


class Metrics:
    """Counts refused requests and calls to OpenRouter, and shows how the quota is counted."""

    def __init__(self, requests_per_minute: int, registry: CollectorRegistry = REGISTRY) -> None:
        self._refused = Counter(
            "gateway_refused_requests", "Requests that the gateway refused, by reason", ["reason"], registry=registry
        )
        self._attempts = Counter(
            "gateway_upstream_attempts", "Calls to OpenRouter, by model", ["model"], registry=registry
        )
        self._shared = Gauge(
            "gateway_quota_shared", "1 while Redis counts for all, 0 while each keeps a share", registry=registry
        )
        limit = Gauge(
            "gateway_quota_requests_per_minute", "Calls to OpenRouter that all replicas make at most", registry=registry
        )
        limit.set(requests_per_minute)

    def refused(self, reason: str) -> None:
        """Count a request that was refused."""
        self._refused.labels(reason).inc()

    def attempted(self, model: str) -> None:
        """Count a call to OpenRouter."""
        self._attempts.labels(model).inc()

    def quota_shared(self, shared: bool) -> None:
        """Note whether Redis counts for all replicas at the moment."""
        self._shared.set(int(shared))
