"""Answers of the API: JSON or server-sent events, with the headers that say who answered."""

import json
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from friday.llm import AnswerStream, InvokeResult, LlmError, LlmRouter
from friday.service.models import ErrorAnswer
from friday.service.problems import detail_of

ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": ErrorAnswer} for status in (400, 413, 422, 429, 502, 503, 504)
}
"""Documented errors of every feature."""


def llm(request: Request) -> LlmRouter:
    """The process's router, made when the service started."""
    found: LlmRouter = request.app.state.llm
    return found


def answered(result: InvokeResult, service: LlmRouter, **content: object) -> JSONResponse:
    """A JSON answer to a plain call."""
    path = result.route.path if result.route else ""
    return JSONResponse({**content, "model": result.model}, headers=_headers(path, result.model, service))


def _headers(path: str, model: str, service: LlmRouter) -> dict[str, str]:
    """Path, model and percentage in force; the model's name comes from outside, so it is made safe."""
    safe = "".join(char if " " <= char <= "~" else "?" for char in model[:128])
    return {
        "x-friday-path": path,
        "x-friday-model": safe,
        "x-friday-percentage": str(service.percentage),
        "cache-control": "no-store",
    }


class EventStream(StreamingResponse):
    """Server-sent events; the answer is closed however the response ends."""

    def __init__(self, answer: AnswerStream, service: LlmRouter) -> None:
        headers = _headers(answer.route.path, answer.model, service)
        super().__init__(_events(answer), headers=headers, media_type="text/event-stream")
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._answer.aclose()


async def _events(answer: AnswerStream) -> AsyncIterator[bytes]:
    try:
        async for text in answer:
            yield _event({"delta": text})
    except LlmError as error:
        detail = detail_of(error, answer.route.request_id).model_dump(mode="json", exclude_none=True)
        yield b"event: error\n" + _event({"error": detail})
        return
    finish = answer.result.choices[0].finish_reason if answer.result else None
    yield _event({"done": True, "model": answer.model, "finish_reason": finish})


def _event(data: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":")).encode("ascii") + b"\n\n"
