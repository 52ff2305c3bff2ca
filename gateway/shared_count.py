"""The calls of all replicas, counted in Redis: one script, and the one way to ask it.

Redis is on the same network and answers in a millisecond. When it does not, or has lost what it knew, each replica goes
on with a small share of its own (`share_of`). So that this never lets out more than the limit, the script grants a call
only while this holds: the calls of each replica, or its share if that is more, are together within the limit. A replica
that is not heard of counts with its share, and so does one more that an update starts or ends. One that says so
when it ends counts with its calls only: several updates within a minute leave the new replicas something.

So no failure of Redis, of its clock or of the network lets out more, and no replica that is replaced while Redis
answers. Both within one minute may: what a replica did by itself is lost if it ends before it could report it.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from gateway.environment import RedisAddress

WINDOW_SECONDS = 62.0
"""OpenRouter's minute, and two seconds that a call may need to reach it: they are counted before they leave."""

TIMEOUT_SECONDS = 0.25
"""Redis is on the same network: an answer that takes longer than this will not come, and a user is waiting."""

TURNS = 25
"""Turns of the event loop that an answer may need. A busy loop is late itself: Redis may have answered long ago."""

CLOCK_STEP_SECONDS = 5.0
"""Between two replies Redis' clock and a replica's may differ by this. By more, and the clock was set anew: what was
counted by the old one is worth nothing."""

KEY = "friday-gateway:quota"

Script = Callable[[list[str], list[Any]], Awaitable[Any]]
"""A registered script of `redis.asyncio`, called with its keys and arguments: the only call to Redis."""

SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local window, limit, replicas = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local me, call, seen = ARGV[4], ARGV[5], ARGV[6]
local function key(name) return KEYS[1] .. ':' .. name end
local epoch = redis.call('GET', key('epoch'))
local stepped = seen ~= '' and math.abs(now - tonumber(ARGV[7]) - tonumber(ARGV[8])) > tonumber(ARGV[9])
if not epoch or stepped then
  for _, name in ipairs(redis.call('ZRANGE', key('replicas'), 0, -1)) do
    redis.call('DEL', key('calls:' .. name))
  end
  redis.call('DEL', key('replicas'), key('ended'))
  epoch = string.format('%.0f', now) .. '-' .. me
  redis.call('SET', key('epoch'), epoch)
end
if epoch ~= seen and ARGV[10] ~= '1' then
  return {-1, epoch, now, 0, 0, 0}
end
for i = 14, #ARGV, 2 do
  redis.call('ZADD', key('calls:' .. me), 'NX', now - tonumber(ARGV[i + 1]), ARGV[i])
end
redis.call('ZADD', key('replicas'), now, me)
if ARGV[13] == '1' then
  redis.call('SADD', key('ended'), me)
end
if ARGV[11] ~= '' then
  redis.call('SET', key('account'), ARGV[11], 'PX', ARGV[12])
end
local account = tonumber(redis.call('GET', key('account')) or '0')
if account > 0 then
  limit = math.min(limit, math.max(1, math.floor(account * 9 / 10)))
end
local share = math.floor(limit / (2 * replicas))

local others, active, reported, used, mine = 0, 0, 0, 0, 0
local counted, ended = {}, {}
for _, name in ipairs(redis.call('SMEMBERS', key('ended'))) do
  ended[name] = true
end
local known = redis.call('ZRANGE', key('replicas'), 0, -1, 'WITHSCORES')
for i = 1, #known, 2 do
  local name = known[i]
  redis.call('ZREMRANGEBYSCORE', key('calls:' .. name), '-inf', now - window)
  local calls = redis.call('ZCARD', key('calls:' .. name))
  counted[name] = calls
  used = used + calls
  if calls == 0 and (ended[name] or tonumber(known[i + 1]) <= now - window) then
    redis.call('ZREM', key('replicas'), name)
    redis.call('SREM', key('ended'), name)
  elseif not ended[name] then
    reported = reported + 1
  end
  if name == me then
    mine = calls
  elseif ended[name] then
    others = others + calls
  elseif calls > 0 then
    others = others + math.max(calls, share)
    active = active + 1
  end
end
local holders = math.max(replicas, math.min(2 * replicas, reported))
local rest = others + share * math.max(0, holders - active - 1)
local young = now - tonumber(string.match(epoch, '^%d+')) < window and reported < replicas
local over = rest + math.max(mine + 1, share) - limit
local covered = 0
if not young and rest + math.max(mine, share) <= limit then
  covered = 1
end
if over <= 0 and (mine < share or not young) then
  if call ~= '' then
    redis.call('ZADD', key('calls:' .. me), now, call)
    used = used + 1
  end
  redis.call('PEXPIRE', key('calls:' .. me), window)
  return {0, epoch, now, covered, used, account}
end
redis.call('PEXPIRE', key('calls:' .. me), window)

local free = window
if over <= 0 then
  free = tonumber(string.match(epoch, '^%d+')) + window - now
else
  local leaving = {}
  for name, calls in pairs(counted) do
    local helps = ended[name] and calls or calls - share + (name == me and 1 or 0)
    if helps > 0 then
      local oldest = redis.call('ZRANGE', key('calls:' .. name), 0, math.min(helps, over) - 1, 'WITHSCORES')
      for i = 2, #oldest, 2 do
        table.insert(leaving, tonumber(oldest[i]))
      end
    end
  end
  table.sort(leaving)
  if leaving[over] then
    free = leaving[over] + window - now
  end
end
return {math.max(1, free), epoch, now, covered, used, account}
"""
"""Counts one call (ARGV[5]; an empty name counts none), or says how long to wait. All replicas use Redis' clock.

ARGV: the window in ms; the limit; the number of replicas; the caller's name; the call's; then what the caller's last
reply said: the epoch, Redis' time in ms and the ms since; the ms by which they may differ; 1 if the report below is all
that the caller did within the window; the account's limit if it was just learned, and the ms that this holds; 1 if the
caller ends and makes no more calls; then the report: names of calls that Redis may not know, each with its age in ms.

Returns the ms to wait (0: granted; -1: what was counted is gone, report everything and ask again), the epoch, Redis'
time in ms, 1 if the caller may go on with its share when Redis fails next, all calls in the window, and the account's
limit (0: not learned). In an epoch that is younger than the window somebody's calls may be unknown. Until every replica
has reported, each of them keeps to its share.
"""


@dataclass(frozen=True)
class Reply:
    """What the script returned; `wait` and `now` in milliseconds."""

    wait: int
    epoch: str
    now: int
    covered: bool
    used: int
    account: int

    @classmethod
    def of(cls, values: Sequence[Any]) -> "Reply":
        """Return the reply of the script's values. Raises ValueError or TypeError for something else."""
        wait, epoch, now, covered, used, account = values
        text = epoch.decode() if isinstance(epoch, bytes) else str(epoch)
        return cls(int(wait), text, int(now), bool(covered), int(used), int(account))


def share_of(limit: int, replicas: int) -> int:
    """Return the calls in a window that each replica may make by itself, with Redis gone; the script computes it too.

    It is half of an equal share, because twice as many replicas run while an update replaces them. With less of it held
    back, one replica alone can use nearly the whole limit while Redis counts.
    """
    return limit // (2 * replicas)


async def within_turns(work: Awaitable[Any], seconds: float, turns: int = TURNS) -> Any:
    """Return what `work` does in time. Raises TimeoutError when both the seconds and the event loop's turns are over.

    A deadline alone would pass while the loop does something else, although the answer is there.
    """
    task = asyncio.ensure_future(work)
    try:
        for _ in range(turns):
            done, _ = await asyncio.wait({task}, timeout=seconds / turns)
            if done:
                return task.result()
        raise TimeoutError
    finally:
        task.cancel()


def client(address: RedisAddress) -> Any:
    """Return a client of a Redis. It has no limit of time of its own: no call waits longer than `within_turns`."""
    redis = importlib.import_module("redis.asyncio")  # LiteLLM's image has it, the tests' environment does not
    retry = importlib.import_module("redis.asyncio.retry")
    backoff = importlib.import_module("redis.backoff")
    return redis.Redis(
        host=address.host,
        port=address.port,
        password=address.password,
        socket_timeout=None,
        socket_connect_timeout=None,
        retry=retry.Retry(backoff.NoBackoff(), 0),
    )


def script(address: RedisAddress, text: str = SCRIPT) -> Script:
    """Return a script at a Redis."""
    return cast("Script", client(address).register_script(text))
