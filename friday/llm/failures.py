"""Turns an error answer into a typed error, by its cause: whose fault it is decides what helps."""

import json
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from friday.llm import errors
from friday.llm.errors import LlmError
from serving.causes import Cause, Fault, classify

_ACCOUNT: dict[str, type[LlmError]] = {
    "key_refused": errors.AuthenticationFailed,
    "key_limit": errors.KeyLimitReached,
    "balance": errors.PaymentRequired,
    "data_policy": errors.DataPolicyRefused,
    "quota": errors.QuotaSpent,
}
_PROVIDER: dict[str, type[LlmError]] = {"timeout": errors.LlmTimeout, "busy": errors.RateLimited}
"""By the reason of the cause; each has the reasons of its fault in `serving.causes`."""

_MESSAGES = {
    Fault.ACCOUNT: "answered {status}: the account is refused ({reason}); to change: {fix}",
    Fault.REQUEST: "answered {status}: the request is refused ({reason})",
    Fault.MODEL: "answered {status}: the model is {reason}",
}

_CLOSED = "gateway_closed"
"""The type of the error that the edge answers while the gateway is closed (components/templates/haproxy.cfg.j2)."""
_SPENT = "quota_spent"
_ACCOUNT_CODE = "account_"
"""The gateway's code of an account's refusal begins so; the reason of the cause follows (gateway/errors.py)."""


def error_for_status(status: int, body: bytes, headers: Mapping[str, str]) -> LlmError:
    """Return the typed error for an HTTP status and error body.

    It never repeats the body's text, which may contain account names and deployment ids.
    """
    wait, error = retry_after(headers), _error_in(body)
    if status == 503 and error.get("type") == _CLOSED:
        return errors.GatewayClosed("the operator closed the gateway", status=status)
    if status < 400:
        return errors.BadResponse(f"answered {status}", status=status, retry_after=wait)
    if status in (401, 403) and "type" in error:
        # Errors of the gateway and of the edge have a type, those of OpenRouter do not.
        return errors.AuthenticationFailed(f"answered {status}", status=status, retry_after=wait)
    cause = _cause(status, error, body)
    kind, message = _kind(cause), _MESSAGES.get(cause.fault, "answered {status}")
    return kind(
        message.format(status=status, reason=cause.reason, fix=cause.fix or "see the gateway's log"),
        field=cause.param,
        status=status,
        retry_after=wait,
        repeatable=status in (502, 503) if kind is errors.Unavailable else None,
    )


def _kind(cause: Cause) -> type[LlmError]:
    match cause.fault:
        case Fault.ACCOUNT:
            return _ACCOUNT.get(cause.reason, errors.AccountRefused)
        case Fault.REQUEST:
            return errors.RequestRefused
        case Fault.MODEL:
            return errors.ModelNotFound
    return _PROVIDER.get(cause.reason, errors.Unavailable)


def _cause(status: int, error: Mapping[str, Any], body: bytes) -> Cause:
    """Return the cause in the gateway's own code where it has one, else by what OpenRouter says."""
    code = str(error.get("code") or "")
    if code == _SPENT:
        return Cause(Fault.ACCOUNT, "quota")
    if code.startswith(_ACCOUNT_CODE):
        return Cause(Fault.ACCOUNT, code.removeprefix(_ACCOUNT_CODE)[:40])
    return classify(status, body)


def _error_in(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


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
