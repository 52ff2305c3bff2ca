"""What one process shares: its quota, its metrics, and the attempts of each request.

LiteLLM loads `guard` by its file name, once for each place of its config that names it. Objects that all copies
share must be in a module that is imported by name.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from gateway import environment, shared_count
from gateway.quota import Quota


@dataclass
class RequestContext:
    """The calls that were sent for one request. The hook inside LiteLLM and `leaving` write it, the filters read it."""

    attempts: int = 0
    model: str | None = None
    quota_wait: int = 0
    """Whole seconds. Above 0 when the quota is spent, by our count or OpenRouter's: no further model is called."""
    rehearsal: str = ""
    """If there is a text, a call ends with it just before it would be sent."""


CURRENT: ContextVar[RequestContext | None] = ContextVar("gateway_request_context", default=None)


class Metrics:
    """The gateway's own metrics, beside LiteLLM's in the same /metrics."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.refused = Counter(
            "gateway_refused_requests", "Requests that the gateway refused, by reason", ["reason"], registry=registry
        )
        self.attempts = Counter(
            "gateway_upstream_attempts", "Calls to OpenRouter, by model", ["model"], registry=registry
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


@cache
def metrics() -> Metrics:
    """Return the process's metrics."""
    return Metrics()


@cache
def quota() -> Quota:
    """Return the process's quota, counted in Redis when the stack has one."""
    gateway = environment.current()
    shared = None if gateway.redis is None else shared_count.script(gateway.redis)
    return Quota(gateway.requests_per_minute, replicas=gateway.replicas, shared=shared)
