"""The quota and the metrics of this process, one object each.

LiteLLM loads `guard` by its file name, once for each place of its config that names it. Objects that all copies
share must be in a module that is imported by name.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import cast

from gateway import environment
from gateway.metrics import Metrics
from gateway.quota import REDIS_TIMEOUT_SECONDS, TAKE_SCRIPT, Quota, Script


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
