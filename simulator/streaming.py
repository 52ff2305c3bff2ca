"""Sends an answer: pace, keepalives, and the faults that break a transfer in the middle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from simulator.faults import BrokenSse, Cut, Drip, Fault, SlowFirstToken, StreamError
from simulator.replies import PROCESSING, Reply

_COMMENT_SECONDS = 0.5
_WHITE_SPACE = b"\n"
_BROKEN_LINE = b'data: {"id":"gen-broken","choices":[{"delta":{"content":\n\n'
Drop = Callable[[], Awaitable[None]]
"""Breaks the connection."""


@dataclass(frozen=True)
class Pace:
    """The times of an answer's bytes. `wait` is the seconds to the first token, None for ever."""

    wait: float | None
    keepalive: bool
    interval: float = _COMMENT_SECONDS
    between_tokens: float = 0.0


def pace_of(latency: float, between_tokens: float, fault: Fault | None, *, stream: bool) -> Pace:
    """Return the pace of an answer whose model takes `latency` seconds, changed by a fault."""
    if isinstance(fault, SlowFirstToken):
        return Pace(latency + fault.ms / 1000, fault.comments, between_tokens=between_tokens)
    if isinstance(fault, Drip) and fault.mode == "keepalive":
        wait = None if fault.ms is None else latency + fault.ms / 1000
        return Pace(wait, True, fault.interval_ms / 1000, between_tokens)
    if isinstance(fault, Drip):
        return Pace(latency, stream, between_tokens=fault.interval_ms / 1000)
    return Pace(latency, stream, between_tokens=between_tokens)


async def _waiting(pace: Pace, keepalive: bytes) -> AsyncIterator[bytes]:
    if not pace.keepalive and pace.wait is not None:
        await asyncio.sleep(pace.wait)
        return
    loop = asyncio.get_running_loop()
    end = None if pace.wait is None else loop.time() + pace.wait
    while True:
        yield keepalive
        left = pace.interval if end is None else end - loop.time()
        if left <= 0:
            return
        await asyncio.sleep(min(pace.interval, left))
        if end is not None and loop.time() >= end:
            return


def _ends_after(fault: Fault | None, tokens: int) -> int | None:
    """Return the number of tokens before a fault ends the stream; None when none does."""
    return min(fault.after_tokens, tokens) if isinstance(fault, Cut | StreamError) else None


async def stream_body(reply: Reply, pace: Pace, fault: Fault | None, drop: Drop) -> AsyncIterator[bytes]:
    """Yield the SSE events of an answer."""
    async for keepalive in _waiting(pace, PROCESSING):
        yield keepalive
    tokens = list(reply.token_events())
    end = _ends_after(fault, len(tokens))
    for index, token in enumerate(tokens[:end]):
        if isinstance(fault, BrokenSse) and index == fault.after_tokens:
            yield _BROKEN_LINE
        yield token
        if pace.between_tokens:
            await asyncio.sleep(pace.between_tokens)
    if isinstance(fault, StreamError):
        yield _error_event(reply, fault)
    elif isinstance(fault, Cut):
        if not fault.clean:
            await drop()
    else:
        for closing in reply.closing_events():
            yield closing


def _error_event(reply: Reply, fault: StreamError) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "error"}
    return reply.chunk([choice], error={"code": fault.code, "message": fault.message})


async def plain_body(reply: Reply, pace: Pace, fault: Fault | None, drop: Drop) -> AsyncIterator[bytes]:
    """Yield a plain answer in pieces: white space first, or a slow body, or one that ends too early."""
    async for keepalive in _waiting(pace, _WHITE_SPACE):
        yield keepalive
    body = json.dumps(reply.completion()).encode()
    if isinstance(fault, Cut):
        yield body[: len(body) // 2]
        if not fault.clean:
            await drop()
    elif pace.between_tokens:
        step = max(1, len(body) // max(1, reply.answer.tokens))
        for start in range(0, len(body), step):
            yield body[start : start + step]
            await asyncio.sleep(pace.between_tokens)
    else:
        yield body
