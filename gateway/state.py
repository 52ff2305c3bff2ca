"""What one process shares: its quota, its rests, its metrics, and its client for calls to the upstream."""

from functools import cache
from typing import Any

import httpx
from prometheus_client import REGISTRY

from gateway import environment, router, shared_count
from gateway.leaving import Leaving
from gateway.metrics import BUCKETS, Metrics
from gateway.quota import Quota
from gateway.rests import FAILED_SCRIPT, RESTING_SCRIPT, Rests
from gateway.upstream import Counters, Upstream

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)
"""`admission` limits the requests; connections that idle longer may have been closed by what is in between."""


@cache
def metrics() -> Metrics:
    """Return the process's metrics."""
    return Metrics(REGISTRY, environment.current().latency_buckets or BUCKETS)


@cache
def quota() -> Quota:
    """Return the process's quota, counted in Redis when the stack has one."""
    gateway = environment.current()
    shared = None if gateway.redis is None else shared_count.script(gateway.redis)
    return Quota(gateway.requests_per_minute, replicas=gateway.replicas, shared=shared)


@cache
def rests() -> Rests:
    """Return the models that the process leaves out, known to all replicas when the stack has a Redis."""
    gateway = environment.current()
    shared = None
    if gateway.redis is not None:
        shared = shared_count.script(gateway.redis, FAILED_SCRIPT), shared_count.script(gateway.redis, RESTING_SCRIPT)
    return Rests(gateway.cooldown_seconds, gateway.allowed_fails, shared=shared)


@cache
def client() -> Any:
    """Return LiteLLM's HTTP client with our transports: each call to the upstream is made with it."""
    gateway, counted = environment.current(), metrics()
    # From the environment it takes the authorities (SSL_CERT_FILE), and the proxy is for the upstream alone.
    sending = httpx.AsyncHTTPTransport(limits=_LIMITS, proxy=environment.proxy_of(gateway.upstream))
    upstream = Upstream(
        Leaving(
            sending,
            upstream=gateway.upstream,
            key=gateway.openrouter_key,
            quota=quota,
            attempts=counted.attempts,
        ),
        base_url=gateway.upstream,
        models=frozenset(gateway.called_models()),
        first_token_seconds=gateway.first_token_seconds,
        rests=rests(),
        counters=Counters(
            account_refused=lambda reason: counted.account_refused.labels(reason).inc(),
            rest=lambda model, reason, seconds: counted.rests.labels(model, reason).inc(seconds),
            used=counted.used,
        ),
        data_policy=gateway.data_policy,
    )
    return router.client(upstream)
