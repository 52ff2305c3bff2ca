"""Which models are left out for a while after failures, shared by all replicas.

LiteLLM's own cooldowns are off: they cannot tell whose fault a failure is (`serving.causes` can), and they say only
how long a rest is, not what is left of it.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.quota import REDIS_PAUSE_SECONDS
from gateway.shared_count import TIMEOUT_SECONDS, Script, within_turns
from serving.causes import Cause

FAILS_WINDOW_SECONDS = 60.0
LONGEST_SECONDS = 3600.0
"""However long an upstream asks to wait: a model that is left out is not asked whether it is back."""

_PREFIX = "friday-gateway:"

FAILED_SCRIPT = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
local fails = redis.call('INCR', KEYS[2])
if fails == 1 then
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
if fails <= tonumber(ARGV[2]) then
  return 0
end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3])
return 1
"""
"""KEYS: the model's rest, its failures. ARGV: window in ms, failures without a rest, rest in ms, the reason.
Returns 1 when a rest begins."""

RESTING_SCRIPT = """
local found, reasons = {}, #KEYS > 0 and redis.call('MGET', unpack(KEYS)) or {}
for number, key in ipairs(KEYS) do
  found[2 * number - 1] = reasons[number] and redis.call('PTTL', key) or -2
  found[2 * number] = reasons[number] or ''
end
return found
"""
"""Returns for each of KEYS the milliseconds that are left (below 0: none) and the reason."""


@dataclass(frozen=True)
class Rest:
    """What is left of a model's rest, in seconds, and why it rests."""

    seconds: float
    reason: str


class Rests:
    """Begins rests and knows what is left of them. A replica keeps its own in mind too, for when Redis fails."""

    def __init__(
        self,
        seconds: float,
        allowed_fails: int,
        *,
        shared: tuple[Script, Script] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the usual length of a rest, the failures a minute without one, and FAILED_SCRIPT and RESTING_SCRIPT."""
        self._seconds = seconds
        self._allowed = allowed_fails
        self._shared = shared
        self._clock = clock
        self._own: dict[str, tuple[float, str]] = {}
        self._fails: dict[str, deque[float]] = {}
        self._redis_paused_until = -math.inf

    async def failed(self, model: str, cause: Cause, retry_after: float | None = None) -> float:
        """Note a failure; return the seconds of the rest that begins with it, 0 when none does."""
        if not cause.rests:
            return 0
        seconds = min(retry_after or self._seconds, LONGEST_SECONDS)
        allowed = 0 if cause.at_once else self._allowed
        begins = self._own_rest(model, allowed)
        keys = [f"{_PREFIX}rest:{model}", f"{_PREFIX}fails:{model}"]
        values = [int(FAILS_WINDOW_SECONDS * 1000), allowed, max(1, int(seconds * 1000)), cause.reason]
        reply = await self._ask(0, keys, values)
        if reply is not None:
            begins = bool(reply)
        if begins:
            self._own[model] = (self._clock() + seconds, cause.reason)
        return seconds if begins else 0

    async def resting(self, models: Collection[str]) -> dict[str, Rest]:
        """Return those of some models that rest, and what is left of it."""
        now = self._clock()
        self._own = {model: own for model, own in self._own.items() if own[0] > now}
        found = {model: Rest(own[0] - now, own[1]) for model, own in self._own.items() if model in models}
        names = list(models)
        reply = await self._ask(1, [f"{_PREFIX}rest:{model}" for model in names], [])
        for number, model in enumerate(names if reply is not None else ()):
            left, reason = int(reply[2 * number]) / 1000, reply[2 * number + 1]
            if left > 0:
                found[model] = Rest(left, reason.decode() if isinstance(reason, bytes) else str(reason))
        return found

    def _own_rest(self, model: str, allowed: int) -> bool:
        now = self._clock()
        if self._own.get(model, (now, ""))[0] > now:
            return False
        fails = self._fails.setdefault(model, deque())
        while fails and fails[0] <= now - FAILS_WINDOW_SECONDS:
            fails.popleft()
        fails.append(now)
        if len(fails) <= allowed:
            return False
        fails.clear()
        return True

    async def _ask(self, number: int, keys: Sequence[str], values: Sequence[Any]) -> Any:
        """Return what Redis says, None when it says nothing at the moment."""
        if self._shared is None or self._clock() < self._redis_paused_until:
            return None
        try:
            return await within_turns(self._shared[number](list(keys), list(values)), TIMEOUT_SECONDS)
        except Exception:  # for every error of the client library: this replica's own rests apply
            self._redis_paused_until = self._clock() + REDIS_PAUSE_SECONDS
            return None
