"""How many chats one replica works on at a time: more wait in line, and what finds the line full is refused at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.metrics import Metrics
from gateway.policy import RefusedError

RETRY_SECONDS = 1


class Places:
    """The places of one replica."""

    def __init__(self, most: int, queue: int, metrics: Metrics) -> None:
        """Take how many chats are worked on at once, and how many may wait."""
        self._free = most
        self._queue = queue
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._metrics = metrics

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a place; the first in line gets the next one. Raises `RefusedError` (503) when the line is full."""
        if self._free:
            self._free -= 1
        else:
            await self._wait()
        self._metrics.in_flight.inc()
        try:
            yield
        finally:
            self._metrics.in_flight.dec()
            self._pass_on()

    async def _wait(self) -> None:
        if len(self._waiting) >= self._queue:
            message = "the gateway has more requests than it can take"
            raise RefusedError(503, "overloaded", message, retry_after=RETRY_SECONDS)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._metrics.queued.inc()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place came while its request was given up
                self._pass_on()
            raise
        finally:
            self._metrics.queued.dec()
            if turn in self._waiting:
                self._waiting.remove(turn)

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
