"""Turns the bytes of an answer into a result or a typed error. No I/O here."""

import json
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import ValidationError

from friday.llm import errors
from friday.llm.errors import LlmError
from friday.llm.types import InvokeResult

_KINDS: dict[int, type[LlmError]] = {
    401: errors.AuthenticationFailed,
    402: errors.PaymentRequired,
    403: errors.AuthenticationFailed,
    404: errors.ModelNotFound,
    408: errors.LlmTimeout,
    429: errors.RateLimited,
    504: errors.LlmTimeout,
}
_QUOTA_MARKS = ("free-models-per-day", "free-models-per-min", "quota_spent")
"""OpenRouter's texts, and the gateway's code."""
_CLOSED_MARK = b'"gateway_closed"'
"""The type of the error that the edge answers while the gateway is closed (components/templates/haproxy.cfg.j2)."""


def parse_result(body: bytes, model: str | None = None) -> InvokeResult:
    """Parse a plain answer. `model` overrides the name in the body when the gateway's headers know better.

    Raises BadResponse, EmptyAnswer, or the error for an error object inside a 200.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise errors.BadResponse("the answer is not JSON") from None
    raise_embedded(data)
    return build_result(data, model)


def build_result(data: dict[str, Any], model: str | None = None) -> InvokeResult:
    """Return the result. Raises BadResponse for another shape, EmptyAnswer without text and tool calls."""
    if not data.get("choices"):
        raise errors.EmptyAnswer("the answer has no choices")
    try:
        result = InvokeResult.model_validate({**data, "route": None, "model": model or data.get("model")})
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise errors.BadResponse(f"the answer has an unexpected shape at {where}") from None
    choice = result.choices[0]
    if choice.finish_reason == "error":
        raise errors.BadResponse("the model ended with an error")
    if not choice.message.tool_calls and not (choice.message.content or "").strip():
        raise errors.EmptyAnswer("the answer has no text")
    return result


def raise_embedded(data: object) -> None:
    """Raise the error that a body (or stream event) with a success status contains, if there is one."""
    if not isinstance(data, dict):
        raise errors.BadResponse("the answer is not a JSON object")
    error = data.get("error")
    choices = data.get("choices")
    if not error and isinstance(choices, list) and choices and isinstance(choices[0], dict):
        error = choices[0].get("error")
    if not error:
        return
    code = error.get("code") if isinstance(error, dict) else None
    status = int(code) if isinstance(code, int | str) and str(code).isdecimal() else 500
    raise error_for_status(status, json.dumps(error).encode("ascii"), {})


def error_for_status(status: int, body: bytes, headers: Mapping[str, str]) -> LlmError:
    """Return the typed error for an HTTP status and error body.

    It never repeats the body's text, which may contain account names and deployment ids.
    """
    wait = retry_after(headers)
    if status == 429 and any(mark in body.decode("utf-8", "replace") for mark in _QUOTA_MARKS):
        return errors.QuotaSpent("answered 429: the free quota is spent", status=status, retry_after=wait)
    if status == 503 and _CLOSED_MARK in body:
        return errors.GatewayClosed("the operator closed the gateway", status=status)
    if status >= 500 and status not in _KINDS:
        repeatable = status in (502, 503)
        return errors.Unavailable(f"answered {status}", status=status, retry_after=wait, repeatable=repeatable)
    default = errors.RequestRefused if 400 <= status < 500 else errors.BadResponse
    return _KINDS.get(status, default)(f"answered {status}", status=status, retry_after=wait)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header, which may be a date (0 when past); None when it is invalid."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        return _until(text)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
