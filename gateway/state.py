"""What one process shares: its quota, its rests, its metrics, and its client for calls to the upstream.

LiteLLM loads `guard` by its file name, once for each place of its config that names it. Objects that all copies
share must be in a module that is imported by name.
"""

import importlib
from functools import cache
from typing import Any, cast

import httpx
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from gateway import environment
from gateway.quota import REDIS_TIMEOUT_SECONDS, TAKE_SCRIPT, Quota, Script
from gateway.rests import FAILED_SCRIPT, RESTING_SCRIPT, Rests
from gateway.upstream import Counters, Upstream


class Metrics:
    """The gateway's own metrics, beside LiteLLM's in the same /metrics."""

    def __init__(self, requests_per_minute: int, registry: CollectorRegistry = REGISTRY) -> None:
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
    shared = None if gateway.redis is None else _script(gateway.redis, TAKE_SCRIPT)
    return Quota(gateway.requests_per_minute, replicas=gateway.replicas, shared=shared)


@cache
def rests() -> Rests:
    """Return the models that the process leaves out, known to all replicas when the stack has a Redis."""
    gateway = environment.current()
    shared = None
    if gateway.redis is not None:
        shared = _script(gateway.redis, FAILED_SCRIPT), _script(gateway.redis, RESTING_SCRIPT)
    return Rests(gateway.cooldown_seconds, gateway.allowed_fails, shared=shared)


@cache
def client() -> Any:
    """Return LiteLLM's HTTP client with our transport: each call to the upstream is made with it."""
    gateway, counted = environment.current(), metrics()
    upstream = Upstream(
        httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=100, keepalive_expiry=15)),
        base_url=gateway.upstream,
        models=frozenset(gateway.called_models),
        first_token_seconds=gateway.first_token_seconds,
        take=quota().take,
        rests=rests(),
        counters=Counters(
            attempt=lambda model: counted.attempts.labels(model).inc(),
            account_refused=lambda reason: counted.account_refused.labels(reason).inc(),
            rest=lambda model, reason, seconds: counted.rests.labels(model, reason).inc(seconds),
        ),
    )
    handlers = importlib.import_module("litellm.llms.custom_httpx.http_handler")
    return handlers.AsyncHTTPHandler(transport=upstream, follow_redirects=False)


@cache
def _redis(address: environment.RedisAddress) -> Any:
    redis = importlib.import_module("redis.asyncio")  # LiteLLM's image has it, the tests' environment does not
    retry = importlib.import_module("redis.asyncio.retry")
    backoff = importlib.import_module("redis.backoff")
    return redis.Redis(
        host=address.host,
        port=address.port,
        password=address.password,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=retry.Retry(backoff.NoBackoff(), 0),
    )


def _script(address: environment.RedisAddress, text: str) -> Script:
    return cast("Script", _redis(address).register_script(text))
