"""Where cached answers are kept: in Redis for all replicas, in memory for a single one.

A Redis that is away or hangs makes every request a miss, and costs a request a tenth of a second at most. A value that
was cut, or that another program wrote, is a miss too: each begins with its version, its length and a keyed digest.
"""

import hashlib
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.shared_count import within_turns

VERSION = b"friday-answer-1"
"""Of a value's form. Another form gets another number, and what replicas with the other one wrote is a miss."""

TIMEOUT_SECONDS = 0.1
"""That a request waits for a Redis on the same network, and nobody waits at all for one that did not answer lately."""

PAUSE_SECONDS = 5.0  # without questions to a Redis that failed
LARGEST_BYTES = 512 * 1024
"""Of one answer: all that the longest one may say (32,768 tokens), and its thoughts."""

MEMORY_BYTES = 32 * 1024 * 1024  # of a single replica's answers


@dataclass(frozen=True)
class Found:
    """What a store knows of a request: the answer's text, or None and why: miss, damaged or away."""

    text: bytes | None
    why: str = "miss"


class Keeper(Protocol):
    """What keeps values by name. Both raise what its client library raises."""

    async def get(self, name: str) -> bytes | None:
        """Return a value, None when there is none."""

    async def set(self, name: str, value: bytes, seconds: int) -> object:
        """Keep a value for some seconds."""


class Store:
    """Answers by the digest of their request, sealed with a secret that the replicas share."""

    def __init__(
        self, keeper: Keeper, *, secret: bytes, seconds: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take for how many seconds an answer is kept."""
        self._keeper = keeper
        self._secret = secret
        self._seconds = seconds
        self._clock = clock
        self._paused_until = -math.inf

    def name_of(self, request: bytes) -> str:
        """Return the name under which a request's answer is kept. Without the secret nobody can guess the request."""
        return "friday-gateway:answer:" + hmac.new(self._secret, request, hashlib.sha256).hexdigest()

    async def get(self, name: str) -> Found:
        """Look for an answer. Never raises, and never waits long."""
        if self._clock() < self._paused_until:
            return Found(None, "away")
        try:
            value = await within_turns(self._keeper.get(name), TIMEOUT_SECONDS)
        except Exception:  # for every error of the client library: there is no cache at the moment
            return self._pause()
        if value is None:
            return Found(None)
        text = self._opened(name, value)
        return Found(text, "damaged" if text is None else "hit")

    async def set(self, name: str, text: bytes) -> str:
        """Keep an answer; return "", or why it is not kept: large or away. Never raises."""
        if len(text) > LARGEST_BYTES:
            return "large"
        if self._clock() < self._paused_until:
            return "away"
        work: Awaitable[object] = self._keeper.set(name, self._sealed(name, text), self._seconds)
        try:
            await within_turns(work, TIMEOUT_SECONDS)
        except Exception:  # as above
            return self._pause().why
        return ""

    def _pause(self) -> Found:
        self._paused_until = self._clock() + PAUSE_SECONDS
        return Found(None, "away")

    def _sealed(self, name: str, text: bytes) -> bytes:
        return b"%s %d %s\n%s" % (VERSION, len(text), self._digest(name, text), text)

    def _opened(self, name: str, value: object) -> bytes | None:
        """Return the answer in a value, None when it is not whole, or not one of ours for this request."""
        if not isinstance(value, bytes):
            return None
        head, _, text = value.partition(b"\n")
        expected = b"%s %d %s" % (VERSION, len(text), self._digest(name, text))
        return text if hmac.compare_digest(head, expected) else None

    def _digest(self, name: str, text: bytes) -> bytes:
        return hmac.new(self._secret, name.encode() + b"\n" + text, hashlib.sha256).hexdigest().encode()


class InRedis:
    """The keeper of several replicas."""

    def __init__(self, client: Any) -> None:
        """Take a client of `redis.asyncio` (`shared_count.client`)."""
        self._client = client

    async def get(self, name: str) -> bytes | None:
        """Return a value, None when there is none."""
        value: bytes | None = await self._client.get(name)
        return value

    async def set(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value for some seconds."""
        await self._client.set(name, value, ex=seconds)


class Memory:
    """The keeper of a single replica: the answers that were used last, up to a size."""

    def __init__(self, largest: int = MEMORY_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the size of all answers together, in bytes."""
        self._largest = largest
        self._clock = clock
        self._size = 0
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, name: str) -> bytes | None:
        """Return a value whose time is not over."""
        until, value = self._values.get(name, (-math.inf, b""))
        if until <= self._clock():
            self._drop(name)
            return None
        self._values.move_to_end(name)
        return value

    async def set(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value; those that were not used for longest go."""
        self._drop(name)
        self._values[name] = self._clock() + seconds, value
        self._size += len(value)
        while self._size > self._largest:
            self._drop(next(iter(self._values)))

    def _drop(self, name: str) -> None:
        self._size -= len(self._values.pop(name, (0.0, b""))[1])
