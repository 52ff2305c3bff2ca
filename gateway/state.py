"""The one quota and the one set of figures of this process.

LiteLLM loads `guard` by its file name, once for each place of its config that names it: what all copies share
has to live in a module that is imported in the ordinary way.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any, cast

from gateway import environment
from gateway.metrics import Metrics
from gateway.quota import REDIS_TIMEOUT_SECONDS, TAKE_SCRIPT, Quota, Script


@cache
def metrics() -> Metrics:
    """Return the process's figures."""
    return Metrics(environment.current().requests_per_minute)


@cache
def quota() -> Quota:
    """Return the process's quota, counted in Redis when the stack has one."""
    gateway = environment.current()
    shared = None if gateway.redis is None else _script(gateway.redis)
    return Quota(gateway.requests_per_minute, replicas=gateway.replicas, shared=shared)


def stop_redis_retries(router: Any) -> None:
    """Let LiteLLM's own Redis client fail at once.

    It is asked in the event loop when a model failed, and would try ten times: with a Redis that hangs, every
    request of the process would stand still for as long.
    """
    retry = importlib.import_module("redis.retry")
    backoff = importlib.import_module("redis.backoff")
    router.cache.redis_cache.redis_client.set_retry(retry.Retry(backoff.NoBackoff(), 0))


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
