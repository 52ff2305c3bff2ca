"""Errors as clients see them: OpenAI's form, a status and a reason, without internal details.

LiteLLM's own texts contain the fallback map, deployment ids, the upstream's text and OpenRouter's user id.
"""

import json
import math
from collections.abc import Mapping

from gateway.policy import RefusedError
from gateway.request_context import RequestContext
from serving.causes import Fault

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}

_LATE = (504, "upstream_timeout", "none of the free models answered in time")
_FAILED = (502, "upstream_failed", "none of the free models could answer")
_BUSY = (429, "models_busy", "all free models are busy or paused; try again later")
_SEEN: Mapping[int, tuple[int, str, str]] = {
    400: (400, "bad_request", "the models did not accept this request"),
    408: _LATE,
    413: (413, "too_large", "the request is too large for the models"),
    422: (400, "bad_request", "the models did not accept this request"),
    429: _BUSY,
    499: (499, "client_closed", "the client went away"),
    503: (503, "overloaded", "the gateway has more requests than it can take"),
    504: _LATE,
}
"""What is said of LiteLLM's own errors, by their status, when no call was made."""

_REQUEST: Mapping[str, tuple[int, str, str]] = {
    "context_length": (400, "context_length_exceeded", "the conversation is too long for the free models"),
    "moderation": (400, "content_refused", "the models' moderation refuses this content"),
    "unsupported": (
        400,
        "unsupported",
        "the free models do not take a part of this request, such as a picture or tools",
    ),
}
_MODELS: Mapping[str, tuple[int, str, str]] = {
    "busy": _BUSY,
    "timeout": _LATE,
    "gone": (503, "models_unavailable", "none of the free models is offered at the moment"),
    "closed": (503, "models_unavailable", "none of the free models is offered to this account"),
    "closed_by_data_policy": (
        502,
        "account_data_policy",
        "the stack's dataPolicy, or the account's privacy setting, leaves no provider for the free models",
    ),
    "unreachable": (502, "upstream_unreachable", "OpenRouter cannot be reached from this gateway"),
}
"""What is said of calls that failed, by the reason of the cause (`serving.causes`)."""


def body_of(error: RefusedError, request_id: str) -> bytes:
    """Return an error body in OpenAI's form.

    It names the request, as the header X-Request-Id does: a body is what gets reported.
    """
    kind = _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
    told = {"message": error.message, "type": kind, "param": error.param, "code": error.code, "request_id": request_id}
    return json.dumps({"error": told}).encode()


def quota_spent(wait: int) -> RefusedError:
    """Return what is said while the account's free calls are spent, for `wait` seconds."""
    return RefusedError(429, "quota_spent", f"the account's free calls are spent for {wait} s", retry_after=wait)


def told(context: RequestContext | None, status: int) -> RefusedError:
    """Return what a client is told when no model answered: by what happened to its calls.

    `status` is the one of LiteLLM's own error, which counts when no call was made.
    """
    if context is None:
        return RefusedError(*_SEEN.get(status, _FAILED))
    if context.quota_wait:
        return quota_spent(context.quota_wait)
    account = context.account or (context.doubt[1] if context.doubt else None)
    if account is not None:
        return RefusedError(
            502, f"account_{account.reason}", "OpenRouter refuses the free models to this gateway's account"
        )
    rest = math.ceil(context.rest_seconds()) or None
    if not context.failures:
        return RefusedError(*_BUSY, retry_after=rest) if rest else RefusedError(*_SEEN.get(status, _FAILED))
    last, first = context.failures[-1], context.failures[0]
    if last.fault is Fault.REQUEST:
        return RefusedError(*_REQUEST.get(last.reason, _SEEN[400]), param=last.param)
    found = _MODELS.get(first.reason, _FAILED)
    return RefusedError(*found, retry_after=rest if found[0] == 429 else None)


def stream_error(status: int, request_id: str) -> bytes:
    """Return an error event; a stream that has begun cannot change its status."""
    return b"data: " + body_of(told(None, status), request_id) + b"\n\n"
