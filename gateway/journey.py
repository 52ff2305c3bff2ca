"""What one request meets on its way through LiteLLM: noted by the hook inside, read by the wall outside."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Journey:
    """The attempts of one request; `paid` is how many of them are already counted against the quota."""

    paid: int = 0
    attempts: int = 0
    model: str | None = None
    quota_wait: int = 0
    """Whole seconds; above 0 when the quota is spent, by our count or in OpenRouter's words: no further attempt."""


CURRENT: ContextVar[Journey | None] = ContextVar("gateway_journey", default=None)
