"""What one process shares: its quota, its metrics, and the attempts of each request.

LiteLLM loads `guard` by its file name, once for each place of its config that names it. Objects that all copies
share must be in a module that is imported by name.
"""

import importlib
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import cast

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from gateway import environment
from gateway.quota import REDIS_TIMEOUT_SECONDS, TAKE_SCRIPT, Quota, Script


@dataclass
class RequestContext:
    """The attempts of one request; `paid` is the number of them that the quota has counted already.

    The hook inside LiteLLM writes it, the filters outside read it.
    """

    paid: int = 0
    attempts: int = 0
    model: str | None = None
    quota_wait: int = 0
    """Whole seconds. Above 0 when the quota is spent, by our count or OpenRouter's: no further model is called."""
    unable: frozenset[str] = frozenset()
    """The models, by LiteLLM's ids, that cannot take the request and are not called for it."""

    @property
    def name(self) -> str | None:
        """The name by which clients may ask for the model that was called last."""
        return self.model and f"openrouter/{self.model}"


CURRENT: ContextVar[RequestContext | None] = ContextVar("gateway_request_context", default=None)


class Metrics:
    """The gateway's own metrics, beside LiteLLM's in the same /metrics."""

    def __init__(self, requests_per_minute: int, registry: CollectorRegistry = REGISTRY) -> None:
        self.refused = Counter(
            "gateway_refused_requests", "Requests that the gateway refused, by reason", ["reason"], registry=registry
        )
        self.attempts = Counter(
            "gateway_upstream_attempts", "Calls to OpenRouter, by model", ["model"], registry=registry
        )
        self.quota_shared = Gauge(
            "gateway_quota_shared", "1 while Redis counts for all, 0 while each keeps a share", registry=registry
        )
        Gauge(
            "gateway_quota_requests_per_minute", "Calls to OpenRouter that all replicas make at most", registry=registry
        ).set(requests_per_minute)


@cache
def metrics() -> Metrics:
    """Return the process's metrics."""
    return Metrics(environment.current().requests_per_minute)


@cache
def quota() -> Quota:
    """Return the process's quota, counted in Redis when the stack has one."""
    gateway = environment.current()
    shared = None if gateway.redis is None else _script(gateway.redis)
    return Quota(gateway.requests_per_minute, replicas=gateway.replicas, shared=shared)


def _script(address: environment.RedisAddress) -> Script:
    redis = importlib.import_module("redis.asyncio")  # LiteLLM's image has it, the tests' environment does not
    retry = importlib.import_module("redis.asyncio.retry")
    backoff = importlib.import_module("redis.backoff")
    client = redis.Redis(
        host=address.host,
        port=address.port,
        password=address.password,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=retry.Retry(backoff.NoBackoff(), 0),
    )
    return cast("Script", client.register_script(TAKE_SCRIPT))
