"""What one process shares: its quota, its rests, its metrics, and its client for calls to the upstream."""

import hashlib
import json
from functools import cache
from typing import Any

from prometheus_client import REGISTRY

from gateway import cached as caching
from gateway import environment, router, shared_count
from gateway.cached_flight import Ask
from gateway.cached_store import InRedis, Memory, Store
from gateway.leaving import Leaving
from gateway.metrics import BUCKETS, Metrics
from gateway.quota import Quota
from gateway.rests import FAILED_SCRIPT, RESTING_SCRIPT, Rests
from gateway.sending import Sending
from gateway.upstream import Counters, Upstream


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
def sending() -> Sending:
    """Return what sends calls over the network, through the proxy where there is one for the upstream."""
    return Sending(environment.proxy_of(environment.current().upstream))


@cache
def client() -> Any:
    """Return LiteLLM's HTTP client with our transports: each call to the upstream is made with it."""
    gateway, counted = environment.current(), metrics()
    upstream = Upstream(
        Leaving(
            sending(),
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


def cached(ask: Ask) -> Ask:
    """Return what answers chats: the cache in front of `ask`, or `ask` itself where the stack has no cache."""
    gateway, counted = environment.current(), metrics()
    if not gateway.cache_seconds:
        return ask
    keeper = Memory() if gateway.redis is None else InRedis(shared_count.client(gateway.redis))
    first: dict[str, str] = {}
    return caching.Cached(
        ask,
        caching.Rules(gateway.cache_features),
        Store(keeper, secret=gateway.keys.edge.encode(), seconds=gateway.cache_seconds),
        caching.Counters(
            request=lambda source: counted.cache_requests.labels(source).inc(),
            stored=counted.cache_stored.inc,
            skipped=lambda reason: counted.cache_skipped.labels(reason).inc(),
        ),
        version=hashlib.sha256(json.dumps(gateway.rendered, sort_keys=True).encode()).hexdigest(),
        names={name: first.setdefault(model, name) for name, model in gateway.first_models.items()},
        models=frozenset(gateway.called_models()),
    ).answer
