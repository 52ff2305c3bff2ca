"""OpenRouter's errors: one JSON form, with texts that clients look for."""

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response

_UNPAID = {"error_type": "payment_required", "limit_source": "openrouter_credits"}


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


def bad_request(message: str) -> ApiError:
    """The request itself is wrong."""
    return ApiError(400, message)


def not_found(message: str) -> ApiError:
    """Nothing there, or no endpoint that may serve the request."""
    return ApiError(404, message)


def insufficient_credits(*, ever_bought: bool) -> ApiError:
    """402 for a model, or an extra, that the account cannot pay."""
    more = "Add more using" if ever_bought else "This account never purchased credits. Purchase some at"
    return ApiError(402, f"Insufficient credits. {more} https://openrouter.ai/settings/credits", _UNPAID)


def cannot_afford(max_tokens: int, affordable: int) -> ApiError:
    """402 because the longest allowed answer would cost more than the balance."""
    text = f"This request requires more credits, or fewer max_tokens. You requested up to {max_tokens} tokens, "
    return ApiError(402, f"{text}but can only afford {affordable}.", _UNPAID)


def free_limit_reached(what: str, limit: int, reset_ms: int) -> ApiError:
    """429 of the platform itself: the account-wide limit of free models.

    `what` is the tail of the message: the limit's name (`min`, `day`, `day-high-balance`) and what helps. `reset_ms`
    is epoch milliseconds.
    """
    headers = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(reset_ms),
    }
    metadata = {"headers": headers, "error_type": "rate_limit_exceeded", "provider_name": None}
    return ApiError(429, f"Rate limit exceeded: free-models-per-{what}", metadata, headers)
