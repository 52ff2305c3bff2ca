"""The gateway's own limit on calls to OpenRouter, shared by all replicas.

OpenRouter counts every call of an account over all free models together, failed calls too. So every call that leaves
counts here, not only every request. The window slides: the limit holds for any sixty seconds. Redis keeps the count for
all replicas. Without it each replica uses a share of the limit, and together with what Redis granted before that is
within the limit, whoever loses Redis and when (`shared_count`).

The limit is the setting's, or the account's if OpenRouter has named a smaller one.
"""

import math
import time
import uuid
from collections import deque
from collections.abc import Callable
from itertools import count

from gateway.shared_count import (
    CLOCK_STEP_SECONDS,
    KEY,
    TIMEOUT_SECONDS,
    WINDOW_SECONDS,
    Reply,
    Script,
    share_of,
    within_turns,
)

REDIS_PAUSE_SECONDS = 5.0  # without calls to a Redis that failed
LEARNED_SECONDS = 3600.0
"""How long a limit that OpenRouter named is obeyed. It names it only when it is exceeded: after an hour one busy minute
finds out whether it still holds."""
ASK_AGAIN_SECONDS = 1.0
"""How long a refusal is repeated without asking Redis."""

SPENT_SIGNS = {"free-models-per-min": 60, "free-models-per-day": 86_400}
"""Parts of OpenRouter's messages in a 429 of the account (not of the model), and the seconds of their window."""


def below(account: int) -> int:
    """Return the gateway's own limit for an account's: a tenth lower, as the stack sets it. The script computes it too.

    The rest is for Friday's direct path and for calls that OpenRouter counts and the gateway does not.
    """
    return max(1, account * 9 // 10)


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
        self._set = limit
        self._replicas = replicas
        self._shared = shared
        self._clock = clock
        self._born = clock()
        self._name = uuid.uuid4().hex[:12]
        self._numbers = count()
        self._granted: deque[tuple[float, str]] = deque()
        self._unreported: dict[str, float] = {}
        self._asking = 0
        self._covered = False
        self._last: Reply | None = None
        self._last_at = -math.inf
        self._redis_paused_until = -math.inf
        self._account = 0
        self._account_until = -math.inf
        self._account_is_news = False
        self._refused_until = self._refused_at = -math.inf
        self._ended = False

    @property
    def is_shared(self) -> bool:
        """Return whether Redis decides at the moment."""
        return self._shared is not None and self._clock() >= self._redis_paused_until

    @property
    def account(self) -> int:
        """Return the account's requests a minute as OpenRouter named them; 0 when it has not, or long ago."""
        return self._account if self._clock() < self._account_until else 0

    @property
    def limit(self) -> int:
        """Return the calls a minute that all replicas together may make now."""
        return min(self._set, below(self.account)) if self.account else self._set

    @property
    def used(self) -> int:
        """Return the calls of the last minute: of all replicas by Redis' last word, else of this one."""
        self._forget_old()
        return self._last.used if self._last is not None and self.is_shared else len(self._granted)

    async def take(self) -> int:
        """Count one call and return 0, or return the whole seconds after which one will be free again."""
        if self._ended:
            return math.ceil(WINDOW_SECONDS)
        call = str(next(self._numbers))
        reply = await self._ask_shared(call)
        wait = self._wait_local() if reply is None else reply.wait / 1000
        now = self._clock()
        if wait:
            self._refused_at, self._refused_until = now, now + wait
            return math.ceil(wait)
        if reply is None or (self._last is not None and self._last.epoch != reply.epoch):
            self._unreported[call] = now
        self._granted.append((now, call))
        self._forget_old()
        return 0

    async def wait(self) -> int:
        """Return the whole seconds until a call will be free, 0 when one is. Counts none."""
        reply = await self._ask_shared("")
        return math.ceil(self._wait_local() if reply is None else reply.wait / 1000)

    def refused_for(self) -> int:
        """Return the whole seconds for which a call was refused a moment ago, 0 when one should ask. Asks nobody."""
        now = self._clock()
        recent = now < min(self._refused_until, self._refused_at + ASK_AGAIN_SECONDS)
        return math.ceil(self._refused_until - now) if recent else 0

    async def learn(self, account: int) -> bool:
        """Obey a limit that OpenRouter named, requests a minute, and tell the other replicas; return if it is news."""
        is_news = account != self.account
        self._account, self._account_until = account, self._clock() + LEARNED_SECONDS
        self._refused_until = -math.inf
        self._account_is_news = True
        if is_news:
            await self.wait()
        return is_news

    async def end(self) -> None:
        """Make no more calls, and say so: until Redis hears it the replica's share stays reserved for a minute."""
        self._ended = True
        await self.wait()

    async def _ask_shared(self, call: str) -> Reply | None:
        """Return what Redis says (see SCRIPT), None when it decides nothing at the moment."""
        if self._shared is None or not self.is_shared:
            return None
        self._asking += bool(call)  # until its answer is here Redis may have counted it
        try:
            reply = await self._report(self._shared, call)
            if reply.wait < 0:  # Redis lost what it knew
                self._unreported = {name: at for at, name in self._granted}
                self._account_is_news = bool(self.account)
                reply = await self._report(self._shared, call)
            if reply.wait < 0:
                raise ValueError("Redis does not keep what it is told")
        except Exception:  # for every error of the client library: the share applies, and users are still served
            self._redis_paused_until = self._clock() + REDIS_PAUSE_SECONDS
            return None
        finally:
            self._asking -= bool(call)
        return reply

    async def _report(self, shared: Script, call: str) -> Reply:
        """Ask Redis, and report the calls that it may not know. Raises what the client library raises."""
        self._forget_old()
        sent, reported, last = self._clock(), dict(self._unreported), self._last
        news = self.account if self._account_is_news else 0
        arguments = [
            *(int(WINDOW_SECONDS * 1000), self._set, self._replicas, self._name, call),
            *(("", 0, 0) if last is None else (last.epoch, last.now, int((sent - self._last_at) * 1000))),
            *(int(CLOCK_STEP_SECONDS * 1000), int(len(reported) == len(self._granted))),
            *(news or "", int(LEARNED_SECONDS * 1000), int(self._ended)),
            *(each for name, at in reported.items() for each in (name, int((sent - at) * 1000))),
        ]
        reply = Reply.of(await within_turns(shared([KEY], arguments), TIMEOUT_SECONDS))
        if self._last is None or reply.now >= self._last.now or reply.epoch != self._last.epoch:
            self._last, self._last_at = reply, self._clock()
        if reply.wait >= 0:
            for name in reported:
                self._unreported.pop(name, None)
            self._covered = self._covered or reply.covered
            if news:
                self._account_is_news = self.account != news
            elif reply.account != self.account and not self._account_is_news:
                self._account, self._account_until = reply.account, self._clock() + LEARNED_SECONDS
        return reply

    def _wait_local(self) -> float:
        """Return the seconds until this replica may make a call by itself, 0 when it may."""
        self._forget_old()
        now = self._clock()
        if self._shared is None:
            share = self.limit // self._replicas
        else:
            share = share_of(self.limit, self._replicas)
            # The one that it replaced may have made calls a moment ago, which nobody could tell it.
            if not self._covered and now < self._born + WINDOW_SECONDS:
                return self._born + WINDOW_SECONDS - now
        made = len(self._granted) + self._asking
        if made < share:
            return 0
        if len(self._granted) < max(share, 1):
            return WINDOW_SECONDS
        return max(self._granted[len(self._granted) - max(share, 1)][0] + WINDOW_SECONDS - now, 0.001)

    def _forget_old(self) -> None:
        oldest = self._clock() - WINDOW_SECONDS
        while self._granted and self._granted[0][0] <= oldest:
            self._unreported.pop(self._granted.popleft()[1], None)
