"""The attempts of one request in LiteLLM: written by the hook inside, read by the filters outside."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class RequestContext:
    """The attempts of one request; `paid` is the number of them that the quota has counted already."""

    paid: int = 0
    attempts: int = 0
    model: str | None = None
    quota_wait: int = 0
    """Whole seconds. Above 0 when the quota is spent, by our count or OpenRouter's: no further model is called."""


CURRENT: ContextVar[RequestContext | None] = ContextVar("gateway_request_context", default=None)
