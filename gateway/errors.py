"""Errors as clients see them: OpenAI's form, a status and a reason, without internal details.

LiteLLM's own texts contain the fallback map, deployment ids, the upstream's text and OpenRouter's user id.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}

_REFUSED = (502, "upstream_refused", "OpenRouter refuses the free models to this gateway's account")
_LATE = (504, "upstream_timeout", "none of the free models answered in time")
_FAILED = (502, "upstream_failed", "none of the free models could answer")
_SEEN: Mapping[int, tuple[int, str, str]] = {
    400: (400, "bad_request", "the models did not accept this request"),
    401: _REFUSED,  # the client's key was checked before LiteLLM was called; OpenRouter refused the gateway's key
    402: _REFUSED,
    403: _REFUSED,
    404: (503, "models_unavailable", "none of the free models is offered at the moment"),
    408: _LATE,
    413: (413, "too_large", "the request is too large for the models"),
    422: (400, "bad_request", "the models did not accept this request"),
    429: (429, "models_busy", "all free models are busy or paused; try again later"),
    499: (499, "client_closed", "the client went away"),
    503: (503, "overloaded", "the gateway or the models have more requests than they can take"),
    504: _LATE,
}
_TOO_LONG = (400, "context_length_exceeded", "the conversation is too long for the free models")
_TOO_LONG_SIGNS = re.compile(rb"context.{0,20}(length|window)|ContextWindowExceeded", re.IGNORECASE)
_GROUP_START = b'"model":"up-'  # inside a text the quotes would be escaped
_GROUP = re.compile(rb'"model":"up-[a-z0-9._-]+"')
_SHOWN = ("content", "reasoning_content", "tool_calls")
_STREAM_ERROR = re.compile(rb'^data:\s*\{\s*"error"')


def body_of(status: int, code: str, message: str, param: str | None = None) -> bytes:
    """Return an error body in OpenAI's form."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}}).encode()


def replacement(status: int, body: bytes) -> tuple[int, bytes]:
    """Return the status and body that a client sees in place of LiteLLM's error."""
    too_long = status == 400 and _TOO_LONG_SIGNS.search(body)
    seen = _TOO_LONG if too_long else _SEEN.get(status, _FAILED)
    return seen[0], body_of(*seen)


def with_request_id(body: bytes, request_id: str) -> bytes:
    """Return an error body that names the request, as the header X-Request-Id does: a body is what gets reported."""
    document = json.loads(body)
    document["error"]["request_id"] = request_id
    return json.dumps(document).encode()


def clean_event(chunk: bytes, model: str | None, request_id: str) -> bytes:
    """Return a chunk of an event stream without error texts and without the name of an internal group.

    After a fallback LiteLLM writes the group into each chunk; `model` is a name of the model that answers.
    """
    if _STREAM_ERROR.match(chunk):
        return stream_error(_status_in(chunk), request_id)
    if model is not None and _GROUP_START in chunk:
        return _GROUP.sub(b'"model":"' + model.encode() + b'"', chunk, count=1)
    return chunk


def has_content(chunk: bytes) -> bool:
    """Return whether a chunk of an event stream has content: text, a tool call, the end or an error.

    A chunk that cannot be parsed counts as content.
    """
    data = chunk.strip()
    if not data.startswith(b"data:"):
        return False
    try:
        choices = json.loads(data[5:])["choices"]
        return any(
            choice.get("finish_reason") or any(choice["delta"].get(name) for name in _SHOWN) for choice in choices
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return True


def stream_error(status: int, request_id: str) -> bytes:
    """Return an error event; a stream that has begun cannot change its status."""
    return b"data: " + with_request_id(replacement(status, b"")[1], request_id) + b"\n\n"


def _status_in(chunk: bytes) -> int:
    try:
        event: Any = json.loads(chunk.split(b"\n", 1)[0].partition(b":")[2])
        return int(event["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return 502
