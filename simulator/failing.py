"""The responses of faults that replace a whole answer."""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from simulator.errors import PAGE, PROVIDER_ERROR
from simulator.faults import Body
from simulator.replies import DONE, Reply, event

SSE = "text/event-stream"


async def wait_for_disconnect(request: Request, released: asyncio.Event) -> None:
    """Return when the caller has left, or the faults were changed."""

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    waits = [asyncio.ensure_future(left()), asyncio.ensure_future(released.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def body_response(fault: Body, reply: Reply, *, stream: bool) -> Response:
    """Return HTTP 200 with a body that is not a useful completion, plain or as a stream."""
    headers = {"X-Generation-Id": reply.id}
    if fault.body == "html":
        return HTMLResponse(PAGE.format("502 Bad Gateway"), headers=headers)
    content = b"" if fault.body == "empty" else _sse(fault, reply) if stream else _plain(fault, reply)
    return Response(content, media_type=SSE if stream else "application/json", headers=headers)


def _error(reply: Reply) -> dict[str, Any]:
    metadata = {"provider_name": reply.to.model.provider_name, "raw": "upstream error"}
    return {"message": PROVIDER_ERROR, "code": 502, "metadata": metadata}


def _choices(fault: Body, reply: Reply, part: str) -> list[dict[str, Any]]:
    """Return the choices of a degraded answer; `part` is `message` or `delta`."""
    if fault.body == "empty_choices":
        return []
    said = {"role": "assistant", "content": None if fault.body == "null_content" else ""}
    reasons: dict[str, Any] = {"finish_reason": "stop", "native_finish_reason": "STOP"}
    if fault.body == "choice_error":
        reasons |= {"finish_reason": "error", "error": _error(reply)}
    return [{"index": 0, "logprobs": None, part: said, **reasons}]


def _plain(fault: Body, reply: Reply) -> bytes:
    if fault.body == "malformed_json":
        return f'{{"id":"{reply.id}","choices":[{{"message":{{"content":"Simul'.encode()
    if fault.body == "error":
        return json.dumps({"error": _error(reply)}).encode()
    return json.dumps(reply.completion(_choices(fault, reply, "message"))).encode()


def _sse(fault: Body, reply: Reply) -> bytes:
    if fault.body == "malformed_json":
        return f'data: {{"id":"{reply.id}","choices":[{{"delta":{{"content":"Simul\n\n'.encode() + DONE
    if fault.body == "error":
        return event({"error": _error(reply)})
    return reply.chunk(_choices(fault, reply, "delta")) + reply.chunk([], usage=reply.usage()) + DONE
