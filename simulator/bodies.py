"""The bodies of answers: their pace, keepalives, and what faults make of them."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from starlette.responses import HTMLResponse, Response

from simulator.errors import PAGE
from simulator.faults import Body, BrokenSse, Cut, Drip, Fault, FinishError, SlowFirstToken, StreamError
from simulator.replies import DONE, PROCESSING, Reply, event

SSE = "text/event-stream"
_WHITE_SPACE = b"\n"
_BROKEN_LINE = b'data: {"id":"gen-broken","choices":[{"delta":{"content":\n\n'
Drop = Callable[[], Awaitable[None]]
"""Breaks the connection."""


@dataclass(frozen=True)
class Pace:
    """The times of an answer's bytes, in seconds. `wait` is that to the first token, infinite for ever."""

    wait: float
    keepalive: bool
    between_tokens: float
    interval: float = 0.5


def pace_of(latency: float, between_tokens: float, fault: Fault | None, *, stream: bool) -> Pace:
    """Return the pace of an answer whose model takes `latency` seconds, changed by a fault."""
    if isinstance(fault, SlowFirstToken):
        return Pace(latency + fault.ms / 1000, fault.comments, between_tokens)
    if isinstance(fault, Drip) and fault.mode == "keepalive":
        wait = math.inf if fault.ms is None else latency + fault.ms / 1000
        return Pace(wait, True, between_tokens, fault.interval_ms / 1000)
    return Pace(latency, stream, fault.interval_ms / 1000 if isinstance(fault, Drip) else between_tokens)


async def _waiting(pace: Pace, keepalive: bytes) -> AsyncIterator[bytes]:
    if not pace.keepalive:
        await asyncio.sleep(pace.wait)
        return
    loop = asyncio.get_running_loop()
    end = loop.time() + pace.wait
    yield keepalive
    while (left := end - loop.time()) > 0:
        await asyncio.sleep(min(pace.interval, left))
        if left > pace.interval:
            yield keepalive


async def stream_body(reply: Reply, pace: Pace, fault: Fault | None, drop: Drop) -> AsyncIterator[bytes]:
    """Yield the SSE events of an answer."""
    async for keepalive in _waiting(pace, PROCESSING):
        yield keepalive
    for thought in reply.thought_events():
        yield thought
        await asyncio.sleep(reply.thoughts.interval)
    end = fault.after_tokens if isinstance(fault, Cut | StreamError | FinishError) else None
    for index, token in enumerate(islice(reply.token_events(), end)):
        if isinstance(fault, BrokenSse) and index == fault.after_tokens:
            yield _BROKEN_LINE
        yield token
        if pace.between_tokens:
            await asyncio.sleep(pace.between_tokens)
    if isinstance(fault, Cut):
        if not fault.clean:
            await drop()
    else:
        for closing in _closing(reply, fault):
            yield closing


def _closing(reply: Reply, fault: Fault | None) -> Iterator[bytes]:
    """Yield the end of a stream that is not cut."""
    delta = {"role": "assistant", "content": ""}
    if isinstance(fault, StreamError):
        choice = {"index": 0, "delta": delta, "finish_reason": "error"}
        yield reply.chunk([choice], error={"code": fault.code, "message": fault.message})
    elif isinstance(fault, FinishError):
        yield reply.chunk([{"index": 0, "delta": delta, **reply.broken(fault)}])
        yield reply.chunk([], usage=reply.usage())
        yield DONE
    else:
        yield from reply.closing_events()


def whole(reply: Reply, fault: Fault | None) -> dict[str, Any]:
    """Return the body of a plain answer."""
    if isinstance(fault, StreamError):
        return {"error": {"code": fault.code, "message": fault.message}}
    return reply.completion([reply.stump(fault)] if isinstance(fault, FinishError) else None)


async def plain_body(reply: Reply, pace: Pace, fault: Fault | None, drop: Drop) -> AsyncIterator[bytes]:
    """Yield a plain answer in pieces: white space first, or a slow body, or one that ends too early."""
    async for keepalive in _waiting(pace, _WHITE_SPACE):
        yield keepalive
    for _ in range(reply.thoughts.steps):
        yield _WHITE_SPACE
        await asyncio.sleep(reply.thoughts.interval)
    body = json.dumps(whole(reply, fault)).encode()
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


def body_response(fault: Body, reply: Reply, *, stream: bool) -> Response:
    """Return HTTP 200 with a body that is not a useful completion, plain or as a stream."""
    headers = {"X-Generation-Id": reply.id}
    if fault.body == "html":
        return HTMLResponse(PAGE.format("502 Bad Gateway"), headers=headers)
    content = b"" if fault.body == "empty" else _sse(fault, reply) if stream else _plain(fault, reply)
    return Response(content, media_type=SSE if stream else "application/json", headers=headers)


def _choices(fault: Body, reply: Reply, part: str) -> list[dict[str, Any]]:
    """Return the choices of a degraded answer; `part` is `message` or `delta`."""
    if fault.body == "empty_choices":
        return []
    said = {"role": "assistant", "content": None if fault.body == "null_content" else ""}
    reasons: dict[str, Any] = {"finish_reason": "stop", "native_finish_reason": "STOP"}
    if fault.body == "choice_error":
        reasons |= {"finish_reason": "error", "error": reply.provider_error()}
    return [{"index": 0, "logprobs": None, part: said, **reasons}]


def _plain(fault: Body, reply: Reply) -> bytes:
    if fault.body == "malformed_json":
        return f'{{"id":"{reply.id}","choices":[{{"message":{{"content":"Simul'.encode()
    if fault.body == "error":
        return json.dumps({"error": reply.provider_error()}).encode()
    return json.dumps(reply.completion(_choices(fault, reply, "message"))).encode()


def _sse(fault: Body, reply: Reply) -> bytes:
    if fault.body == "malformed_json":
        return f'data: {{"id":"{reply.id}","choices":[{{"delta":{{"content":"Simul\n\n'.encode() + DONE
    if fault.body == "error":
        return event({"error": reply.provider_error()})
    return reply.chunk(_choices(fault, reply, "delta")) + reply.chunk([], usage=reply.usage()) + DONE
