"""One call to the models, and all the requests that wait for its answer.

The call runs in a task of its own, so that it belongs to nobody: when the request that began it ends, the others still
get their answer. When the last one has left, the call ends too.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Self, cast

from gateway import errors
from gateway.answers import FailedError
from gateway.cached_answer import Assembly, Document, OddError, chunks, without_usage
from gateway.policy import RefusedError
from gateway.request_context import RequestContext
from serving.causes import BROKEN

Answer = Document | AsyncIterator[Document]
"""A plain answer, or the chunks of a stream."""

Ask = Callable[[dict[str, Any], RequestContext], Awaitable[Answer]]
"""Asks the models: takes a clean body. Raises `RefusedError` before an answer has begun."""

_OWN = frozenset({"deadline", "asked", "feature", "cached", "seat", "plain", "stream"})
"""What a request does not take over from the call that answers it: its own, and what belongs to the call alone."""


class Flight:
    """A call while it runs. `context` is the call's own; `source` says where the answer comes from: miss or hit."""

    def __init__(self, context: RequestContext) -> None:
        self.context = context
        self.source = "miss"
        self.document: Document | None = None
        self.error: BaseException | None = None
        self._assembly: Assembly | None = None
        self._seats: set[Seat] = set()
        self._begun, self._ended = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._emptied: Callable[[], None] = lambda: None

    @property
    def ended(self) -> bool:
        """Return whether the answer is whole, or will never be."""
        return self._ended.is_set()

    def depart(self, work: Awaitable[None], emptied: Callable[[], None]) -> None:
        """Begin the work, which `land`s or `fail`s; `emptied` is called when nobody waits for it any more."""
        self._emptied = emptied

        async def flying() -> None:
            try:
                await work
            finally:  # unless it ended: nobody may wait for a task that is gone
                self.fail(FailedError(BROKEN) if self._begun.is_set() else errors.told(None, 502))

        self._task = asyncio.ensure_future(flying())

    async def carry(self, answer: Answer) -> None:
        """Give an answer to all as it comes. Raises what iterating it raises."""
        if isinstance(answer, dict):
            self.land(answer)
            return
        self._assembly = Assembly()
        self._begun.set()
        async with aclosing(cast("Any", answer)) as events:
            async for event in events:
                self._show(event)
        self.land(None if self._assembly is None else self._assembly.document())

    def _show(self, event: Document) -> None:
        if self._assembly is not None:
            try:
                self._assembly.add(event)
            except (OddError, LookupError, TypeError, AttributeError):
                self._assembly = None
        for seat in self._seats:
            seat.receive(event)

    def so_far(self) -> list[Document] | None:
        """Return what was shown of a stream, None when a newcomer cannot be told."""
        if not self._begun.is_set() or self.document is not None:
            return []
        return None if self._assembly is None else list(chunks(self._assembly.document()))

    def land(self, document: Document | None) -> None:
        """End with a whole answer; with None when the stream's chunks make none."""
        self.document = document
        self._end()

    def fail(self, error: BaseException) -> None:
        """End with an error for all, unless it has ended."""
        if not self.ended:
            self.error = error
            self._end()

    def _end(self) -> None:
        self._begun.set()
        self._ended.set()
        for seat in self._seats:
            seat.wake()

    def join(self, seat: "Seat") -> None:
        """Let a request wait for the answer."""
        self._seats.add(seat)

    def leave(self, seat: "Seat") -> None:
        """Let a request go; the last one ends the call."""
        self._seats.discard(seat)
        if not self._seats and not self.ended and self._task is not None:
            self._task.cancel()
            self._emptied()

    async def begun(self) -> None:
        """Wait until the answer begins. Raises the error instead of it."""
        await self._begun.wait()
        if self.error is not None:
            raise self.error

    async def whole(self) -> Document:
        """Wait for the whole answer. Raises its error, and `OddError` when a stream's chunks make none."""
        await self._ended.wait()
        if self.error is not None:
            raise self.error
        if self.document is None:
            raise OddError("no plain answer can be made of it")
        return self.document


class Seat:
    """One request's place in a flight. Iterated, it is the answer as a stream's chunks; close it in any case."""

    def __init__(self, flight: Flight, *, usage: bool) -> None:
        """Take whether the client asked for the usage. Raises `OddError` when it came too late for the beginning."""
        self.flight = flight
        self._usage = usage
        self._news = asyncio.Event()
        begun = flight.so_far()
        if begun is None:
            raise OddError("a stream that cannot be told again")
        self._queue = deque(begun)
        self._received = bool(begun)
        self._over = False
        flight.join(self)

    def receive(self, event: Document) -> None:
        """Take a chunk that has just come."""
        self._received = True
        self._queue.append(event)
        self.wake()

    def wake(self) -> None:
        """Look again: something has happened."""
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Document:
        while True:
            if self._queue:
                event = self._queue.popleft()
                shown = event if self._usage else without_usage(event)
                if shown is not None:
                    return shown
            elif self._over or self.flight.ended:
                self._finish()
            else:
                self._news.clear()
                await self._news.wait()

    def _finish(self) -> None:
        """Tell a plain answer in a stream's chunks, then end. Raises StopAsyncIteration, or the flight's error."""
        if self._over:
            raise StopAsyncIteration
        self._over = True
        if self.flight.error is not None:
            raise self.flight.error
        if not self._received and self.flight.document is not None:
            self._queue.extend(chunks(self.flight.document))

    async def aclose(self) -> None:
        """Leave."""
        self._over = True
        self._queue.clear()
        self.flight.leave(self)


def worth_another(error: BaseException) -> bool:
    """Return whether a request that waited for a call which failed so should make its own.

    What the models or the account refuse, they would refuse again, and each try costs quota.
    """
    if isinstance(error, RefusedError):
        return error.status >= 500
    return isinstance(error, Exception)


def taken_over(context: RequestContext, call: RequestContext) -> None:
    """Let a request know of the call that answered it."""
    vars(context).update({name: value for name, value in vars(call).items() if name not in _OWN})
