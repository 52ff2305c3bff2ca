"""The gateway's metrics: every name that gates, alerts and pages ask for is defined here and nowhere else.

LiteLLM's own are not used: its callback costs a call more than the router does.
"""

from collections.abc import Mapping, Sequence

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from gateway.quota import Quota

BUCKETS = (0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 8, 10, 15, 30, 60, 120)
"""In seconds; a stack's config has them too (`gateway_settings.latency_buckets`)."""

CLIENT_LEFT = 499
"""The status of a chat whose client did not wait for its answer."""


class Metrics:
    """The metrics of one process. Times are in seconds."""

    def __init__(self, registry: CollectorRegistry = REGISTRY, buckets: Sequence[float] = BUCKETS) -> None:
        self.registry = registry
        self.chats = Counter("gateway_chats", "Chats, by the status of their answer", ["status"], registry=registry)
        self.seconds = Histogram(
            "gateway_chat_seconds", "From a chat's arrival to the end of its answer", registry=registry, buckets=buckets
        )
        self.overhead = Histogram(
            "gateway_overhead_seconds",
            "From a chat's arrival to its answer or first token, without the time of its models",
            registry=registry,
            buckets=buckets,
        )
        self.fallbacks = Counter(
            "gateway_fallbacks", "Chats that another than the first model answered", ["model"], registry=registry
        )
        self.spend = Counter("gateway_spend_usd", "US dollars that answers say they cost", registry=registry)
        self.tokens = Counter("gateway_tokens", "Tokens, as the models count them", ["kind"], registry=registry)
        self.in_flight = Gauge("gateway_in_flight", "Chats that are worked on", registry=registry)
        self.queued = Gauge("gateway_queued", "Chats that wait for a place", registry=registry)
        self.refused = Counter(
            "gateway_refused_requests", "Requests that the gateway refused, by reason", ["reason"], registry=registry
        )
        self.attempts = Counter(
            "gateway_upstream_attempts", "Calls to OpenRouter, by model", ["model"], registry=registry
        )
        self.account_refused = Counter(
            "gateway_account_refused", "Calls that OpenRouter refused to the account", ["reason"], registry=registry
        )
        self.rests = Counter(
            "gateway_model_rest_seconds", "Seconds that models are left out", ["model", "reason"], registry=registry
        )
        self.cache_requests = Counter(
            "gateway_cache_requests", "Cacheable requests, by where the answer came from", ["source"], registry=registry
        )
        for source in ("hit", "shared", "miss"):
            self.cache_requests.labels(source)  # a rate needs its series before the first event
        self.cache_stored = Counter("gateway_cache_stored", "Answers that the cache kept", registry=registry)
        self.cache_skipped = Counter(
            "gateway_cache_skipped", "Requests and answers that the cache left alone", ["reason"], registry=registry
        )
        self.quota_shared = Gauge(
            "gateway_quota_shared", "1 while Redis counts for all, 0 while each keeps a share", registry=registry
        )
        self.quota_limit = Gauge(
            "gateway_quota_requests_per_minute", "Calls to OpenRouter that all replicas make at most", registry=registry
        )
        self.quota_account = Gauge(
            "gateway_quota_account_requests_per_minute",
            "The account's limit as OpenRouter named it, 0 while it has not",
            registry=registry,
        )
        self.quota_used = Gauge(
            "gateway_quota_used", "Calls of the last minute, of all replicas while Redis counts", registry=registry
        )

    async def show(self, quota: Quota) -> None:
        """Ask Redis, and set what is scraped of the quota."""
        await quota.wait()
        self.quota_shared.set(quota.is_shared)
        self.quota_limit.set(quota.limit)
        self.quota_account.set(quota.account)
        self.quota_used.set(quota.used)

    def used(self, usage: Mapping[str, object]) -> None:
        """Count the cost and the tokens of an answer, by its `usage` as OpenRouter sends it."""
        self.spend.inc(_positive(usage.get("cost")))
        for kind in ("prompt", "completion"):
            self.tokens.labels(kind).inc(_positive(usage.get(f"{kind}_tokens")))


def _positive(value: object) -> float:
    """Return a number above 0, and 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    return float(value) if 0 < value < float("inf") else 0.0
