"""What one process shares: its quota, its rests, its metrics, and its client for calls to the upstream.

LiteLLM loads `guard` by its file name, once for each place of its config that names it. Objects that all copies
share must be in a module that is imported by name.
"""

from functools import cache
from typing import Any

import httpx
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from gateway import environment, litellm_internals, shared_count
from gateway.leaving import Leaving
from gateway.quota import Quota
from gateway.rests import FAILED_SCRIPT, RESTING_SCRIPT, Rests
from gateway.upstream import Counters, Upstream

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)
"""LiteLLM limits the requests; connections that idle longer may have been closed by what is in between."""


class Metrics:
    """The gateway's own metrics, beside LiteLLM's in the same /metrics."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
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
        Leaving(sending, upstream=gateway.upstream, quota=quota, attempts=counted.attempts),
        base_url=gateway.upstream,
        models=frozenset(gateway.called_models()),
        first_token_seconds=gateway.first_token_seconds,
        rests=rests(),
        counters=Counters(
            account_refused=lambda reason: counted.account_refused.labels(reason).inc(),
            rest=lambda model, reason, seconds: counted.rests.labels(model, reason).inc(seconds),
        ),
        data_policy=gateway.data_policy,
    )
    return litellm_internals.client(upstream)
