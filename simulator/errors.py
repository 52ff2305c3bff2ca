"""OpenRouter's errors: one JSON form, with texts that clients look for."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer that is not a completion. `status` is both the HTTP status and `error.code`."""

    def __init__(
        self,
        status: int,
        message: str,
        metadata: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.metadata = metadata
        self.headers = headers or {}

    def body(self, user_id: str | None = None) -> dict[str, Any]:
        """Return the JSON body, with `user_id` when the caller is known."""
        error: dict[str, Any] = {"message": self.message, "code": self.status}
        if self.metadata is not None:
            error["metadata"] = self.metadata
        return {"error": error} if user_id is None else {"error": error, "user_id": user_id}


def missing_credentials() -> ApiError:
    """No usable `Authorization: Bearer` header."""
    return ApiError(401, "No auth credentials found")


def unknown_key() -> ApiError:
    """A bearer key that belongs to no account."""
    return ApiError(401, "User not found.")


def bad_request(message: str) -> ApiError:
    """The request itself is wrong."""
    return ApiError(400, message)


def not_found(message: str) -> ApiError:
    """Nothing there, or no endpoint that may serve the request."""
    return ApiError(404, message)


def insufficient_credits(*, ever_bought: bool) -> ApiError:
    """402 for a model, or an extra, that the account cannot pay."""
    page = "https://openrouter.ai/settings/credits"
    text = (
        f"Insufficient credits. Add more using {page}"
        if ever_bought
        else f"Insufficient credits. This account never purchased credits. Purchase some at {page}"
    )
    return ApiError(402, text, {"error_type": "payment_required", "limit_source": "openrouter_credits"})


def cannot_afford(max_tokens: int, affordable: int) -> ApiError:
    """402 because the longest allowed answer would cost more than the balance."""
    return ApiError(
        402,
        f"This request requires more credits, or fewer max_tokens. You requested up to {max_tokens} tokens, "
        f"but can only afford {affordable}.",
        {"error_type": "payment_required", "limit_source": "openrouter_credits"},
    )


def free_limit_reached(dimension: str, hint: str, limit: int, reset_ms: int) -> ApiError:
    """429 of the platform itself: the account-wide limit of free models.

    `dimension` is the tail of the limit's name (`min`, `day`, `day-high-balance`); `reset_ms` is epoch
    milliseconds.
    """
    headers = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(reset_ms),
    }
    return ApiError(
        429,
        f"Rate limit exceeded: free-models-per-{dimension}. {hint}".strip(),
        {"headers": headers, "error_type": "rate_limit_exceeded", "provider_name": None},
        headers,
    )
