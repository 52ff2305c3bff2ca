"""The gateway's own limit on calls to OpenRouter, shared by all replicas.

OpenRouter counts every call of an account over all free models together, failed calls too. So every attempt
counts here, not only every request. The window slides: the limit holds for any sixty seconds. Redis keeps the
count for all replicas. Without it each replica uses its share of the limit.
"""

import asyncio
import math
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

WINDOW_SECONDS = 60.0
REDIS_PAUSE_SECONDS = 5.0  # without calls to a Redis that failed
REDIS_TIMEOUT_SECONDS = 0.25
"""Redis is on the same network: an answer that takes longer than this will not come, and a user is waiting."""

SPENT_SIGNS = {"free-models-per-min": 60, "free-models-per-day": 86_400}
"""Parts of OpenRouter's messages in a 429 of the account (not of the model), and the seconds of their window."""

Script = Callable[[list[str], list[Any]], Awaitable[Any]]
"""A registered script of `redis.asyncio`, called with its keys and arguments: the only call to Redis."""

_KEY = "friday-gateway:attempts"

TAKE_SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local window, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
if used >= limit then
  local leaving = redis.call('ZRANGE', KEYS[1], used - limit, used - limit, 'WITHSCORES')
  return math.max(1, tonumber(leaving[2]) + window - now)
end
if ARGV[3] == '' then
  return 0
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], window)
return 0
"""
"""Returns the milliseconds to wait, or 0 when the call was granted and counted. All replicas use Redis' clock.

ARGV[3] is the call's own name; with an empty one nothing is counted.
"""


def spent_for(said: str, now: float) -> int:
    """Return for how many seconds an upstream 429 says that the account's free calls are spent; 0 for a busy model.

    `now` is in epoch seconds; OpenRouter's days are UTC's.
    """
    periods = [seconds for sign, seconds in SPENT_SIGNS.items() if sign in said]
    return max((math.ceil(seconds - now % seconds) for seconds in periods), default=0)


class Quota:
    """Grants or refuses one call to OpenRouter at a time."""

    def __init__(
        self,
        limit: int,
        *,
        replicas: int = 1,
        shared: Script | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.share = limit if shared is None and replicas == 1 else max(1, limit // replicas)
        self._shared = shared
        self._clock = clock
        self._granted: deque[float] = deque()
        self._redis_paused_until = -math.inf

    @property
    def is_shared(self) -> bool:
        """Return whether Redis decides at the moment."""
        return self._shared is not None and self._clock() >= self._redis_paused_until

    async def take(self) -> int:
        """Count one call and return 0, or return the whole seconds after which one will be free again."""
        wait = await self._ask_shared(uuid.uuid4().hex)
        if wait is None:
            wait = self._wait_local()
            if not wait:
                self._granted.append(self._clock())
        elif not wait:
            self._granted.append(self._clock())  # so that the local share is right if Redis fails next
            self._forget_old()
        return math.ceil(wait)

    async def wait(self) -> int:
        """Return the whole seconds until a call will be free, 0 when one is. Counts none."""
        wait = await self._ask_shared("")
        return math.ceil(self._wait_local() if wait is None else wait)

    async def _ask_shared(self, call: str) -> float | None:
        """Return what Redis says (see TAKE_SCRIPT), None when it decides nothing at the moment."""
        if self._shared is None or not self.is_shared:
            return None
        arguments = [int(WINDOW_SECONDS * 1000), self.limit, call]
        try:
            reply = await asyncio.wait_for(self._shared([_KEY], arguments), REDIS_TIMEOUT_SECONDS)
        except Exception:  # for every error of the client library: the local share applies, and users are still served
            self._redis_paused_until = self._clock() + REDIS_PAUSE_SECONDS
            return None
        return int(reply) / 1000

    def _wait_local(self) -> float:
        self._forget_old()
        if len(self._granted) < self.share:
            return 0
        leaving = self._granted[len(self._granted) - self.share]
        return max(leaving + WINDOW_SECONDS - self._clock(), 0.001)

    def _forget_old(self) -> None:
        oldest = self._clock() - WINDOW_SECONDS
        while self._granted and self._granted[0] <= oldest:
            self._granted.popleft()
