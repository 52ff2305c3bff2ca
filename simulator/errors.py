"""OpenRouter's errors, and those of the providers behind it: one JSON form, with texts that clients look for."""

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from simulator.faults import Status

PROVIDER_ERROR = "Provider returned error"
PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
_CREDITS_PAGE = "https://openrouter.ai/settings/credits"
_UNPAID = {"error_type": "payment_required", "limit_source": "openrouter_credits"}
_REASONS = {
    400: PROVIDER_ERROR,
    401: "No auth credentials found",
    402: f"Insufficient credits. Add more using {_CREDITS_PAGE}",
    403: "Forbidden",
    404: "No endpoints found.",
    408: "Request timed out",
    500: "Internal Server Error",
    503: "No available model provider meets your routing requirements",
}


@dataclass(eq=False)
class ApiError(Exception):
    """An answer that is not a completion. `status` is both the HTTP status and `error.code`."""

    status: int
    message: str
    metadata: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self, user_id: str | None = None) -> Response:
        """Return it as JSON, with `user_id` when the caller is known."""
        error: dict[str, Any] = {"message": self.message, "code": self.status}
        if self.metadata is not None:
            error["metadata"] = self.metadata
        body = {"error": error} if user_id is None else {"error": error, "user_id": user_id}
        return JSONResponse(body, self.status, self.headers)


def insufficient_credits(*, ever_bought: bool) -> ApiError:
    """402 for a model, or an extra, that the account cannot pay."""
    more = "Add more using" if ever_bought else "This account never purchased credits. Purchase some at"
    return ApiError(402, f"Insufficient credits. {more} {_CREDITS_PAGE}", _UNPAID)


def cannot_afford(max_tokens: int, affordable: int) -> ApiError:
    """402 because the longest allowed answer would cost more than the balance."""
    text = f"This request requires more credits, or fewer max_tokens. You requested up to {max_tokens} tokens, "
    return ApiError(402, f"{text}but can only afford {affordable}.", _UNPAID)


_LIMITS = {
    "per_minute": "Slow down requests to free models, or retry after the reset (see X-RateLimit-Reset).",
    "daily": "Wait for the daily reset (see X-RateLimit-Reset), or purchase credits to raise your daily limit.",
}


def free_limit_reached(what: str, limit: int, reset_ms: int, source: str) -> ApiError:
    """429 of the platform itself: the account-wide limit of free models, `per_minute` or `daily`.

    `what` is the tail of the message: the limit's name (`min`, `day`, `day-high-balance`) and what helps. `reset_ms`
    is epoch milliseconds.
    """
    headers = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(reset_ms),
    }
    metadata = {
        "headers": headers,
        "error_type": "rate_limit_exceeded",
        "limit_source": f"openrouter_free_tier_{source}",
        "remedy_hint": _LIMITS[source],
        "provider_name": None,
    }
    return ApiError(429, f"Rate limit exceeded: free-models-per-{what}", metadata, headers)


class HtmlError(ApiError):
    """An error status whose body is a web page."""

    def response(self, user_id: str | None = None) -> Response:
        """Return the page."""
        return HTMLResponse(PAGE.format(f"{self.status} {self.message}"), self.status, self.headers)


def status_error(fault: Status, model: str, provider: str) -> ApiError:
    """Return the error of a status fault. A 429 is the provider's unless the fault names another."""
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.html:
        return HtmlError(fault.status, fault.message or "Bad Gateway", headers=headers)
    metadata = None
    if fault.status == 429 or fault.provider_name or fault.raw:
        raw = fault.raw or f"{model} is temporarily rate-limited upstream. Please retry shortly."
        metadata = {"raw": raw, "provider_name": fault.provider_name or provider}
    return ApiError(fault.status, fault.message or _REASONS.get(fault.status, PROVIDER_ERROR), metadata, headers)
