"""Answers of the API: JSON or server-sent events, with headers that name the path and the model."""

import json
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from friday.llm import AnswerStream, InvokeResult, LlmError, LlmRouter, Path
from friday.service.exception_handlers import detail_of
from friday.service.feedback import HEADER, feedback
from friday.service.models import ChatEnd, ChatPiece, ErrorAnswer

Documented = dict[int | str, dict[str, object]]

ERRORS: Documented = {status: {"model": ErrorAnswer} for status in (400, 413, 422, 429, 502, 503, 504)}
"""The errors of every feature, for the API's description."""

_ANSWER_HEADERS = {
    "X-Friday-Path": {"schema": {"enum": list(Path)}, "description": "Who answered."},
    "X-Friday-Model": {"schema": {"type": "string"}, "description": "The model that answered."},
    "X-Friday-Percentage": {
        "schema": {"type": "integer", "minimum": 0, "maximum": 100},
        "description": "The rollout percentage in force.",
    },
    "X-Friday-Feedback": {"schema": {"type": "string"}, "description": "The token to rate the answer with."},
    "X-Request-Id": {"schema": {"type": "string"}, "description": "The caller's own, or a new one."},
}
_EVENT = {
    "anyOf": [ChatPiece.model_json_schema(), ChatEnd.model_json_schema(), {"$ref": "#/components/schemas/ErrorAnswer"}]
}
_EVENTS = {
    "itemSchema": {
        "type": "object",
        "properties": {
            "event": {"enum": ["message", "error"]},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": _EVENT},
        },
        "required": ["data"],
    }
}

ANSWERED: Documented = {**ERRORS, 200: {"description": "The answer.", "headers": _ANSWER_HEADERS}}
"""The answers of every feature, for the API's description."""

STREAMED: Documented = {
    200: {
        "description": "The answer, or its events.",
        "headers": _ANSWER_HEADERS,
        "content": {"text/event-stream": _EVENTS},
    }
}
"""The second form of a chat's answer."""


def llm(request: Request) -> LlmRouter:
    """Return the process's router, which was made when the service started."""
    found: LlmRouter = request.app.state.llm
    return found


def answered(request: Request, result: InvokeResult, **content: object) -> JSONResponse:
    """Return the JSON answer to a plain call."""
    assert result.route is not None  # noqa: S101 - the router has set it
    return JSONResponse({**content, "model": result.model}, headers=_headers(request, result.route.path, result.model))


def _headers(request: Request, path: str, model: str) -> dict[str, str]:
    """Path, model, percentage in force and token; the model's name comes from outside, so it is made safe."""
    safe = "".join(char if " " <= char <= "~" else "?" for char in model[:128])
    return {
        "x-friday-path": path,
        "x-friday-model": safe,
        "x-friday-percentage": str(llm(request).percentage),
        HEADER: feedback(request).token(path),
        "cache-control": "no-store",
    }


class EventStream(StreamingResponse):
    """Server-sent events; the answer is closed however the response ends."""

    def __init__(self, request: Request, answer: AnswerStream) -> None:
        headers = _headers(request, answer.route.path, answer.model)
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
