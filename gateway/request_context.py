"""What is known of one request while its models are asked: the filters outside and the hooks inside share it."""

from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.answers import Event
from gateway.rests import Rest
from serving.causes import Cause, Fault

CALLS_FOR_A_BAD_REQUEST = 2
"""Calls that a request gets which the models do not accept, or whose calls do not arrive: more would not help it."""


class Held(Protocol):
    """What a request holds until it ends."""

    async def aclose(self) -> None:
        """Let go of it."""


class OpenStream(Protocol):
    """The events of an answer whose first token is there; it has to be closed, read to its end or not."""

    def __aiter__(self) -> AsyncIterator[Event]: ...

    async def aclose(self) -> None:
        """Close the call."""


@dataclass
class RequestContext:
    """The calls that were sent for one request. `deadline` is in the event loop's time.

    `doubt` is a model whose failure the account may be to blame for.
    """

    attempts: int = 0
    model: str | None = None
    deadline: float | None = None
    quota_wait: int = 0
    """Whole seconds. Above 0 when the quota is spent, by our count or OpenRouter's: no further model is called."""
    unable: frozenset[str] = frozenset()
    """The models, by LiteLLM's ids, that cannot take the request and are not called for it."""
    failures: list[Cause] = field(default_factory=list)
    account: Cause | None = None
    doubt: tuple[str, Cause] | None = None
    resting: Mapping[str, Rest] | None = None
    """The models that rested when the first one was to be called; None before that."""
    new_rests: list[float] = field(default_factory=list)
    shown: bool = False
    plain: dict[str, Any] | None = None
    """The answer, as it came: it does not pass through LiteLLM, whose work it ends (`upstream`)."""
    stream: OpenStream | None = None
    """The same of a stream, from its first token on."""
    upstream_seconds: float = 0
    """That the calls took until an answer, a first token or a failure was there."""
    rehearsal: bool = False
    """A call of the start that no model gets (`self_test`)."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """The request as the client sent it, and in `feature` the feature that asks: by these the cache tells requests
    apart (`cached`)."""
    feature: str | None = None
    cached: str = ""
    """hit when the cache had the answer, shared when the call of another request brought it."""
    seat: Held | None = None
    """Its place among those who wait for one answer (`cached_flight.Seat`)."""

    async def close(self) -> None:
        """Close the call whose answer is a stream, read to its end or not, or leave the one that others share."""
        if self.seat is not None:
            await self.seat.aclose()
        if self.stream is not None:
            await self.stream.aclose()

    def over(self) -> str | None:
        """Return why no further model is called for this request, None when one may be."""
        if self.quota_wait:
            return "the account's quota is spent"
        if self.account is not None:
            return "OpenRouter refuses the account"
        if self.shown:
            return "an answer has begun"
        for fault in (Fault.REQUEST, Fault.NETWORK):
            if sum(cause.fault is fault for cause in self.failures) >= CALLS_FOR_A_BAD_REQUEST:
                return f"it is the {fault.value}'s fault"
        return None

    def rest_seconds(self) -> float:
        """Return the seconds until the first of the models that rest is back, 0 when none rests."""
        known = [rest.seconds for rest in (self.resting or {}).values()]
        return min([*known, *self.new_rests], default=0)


CURRENT: ContextVar[RequestContext | None] = ContextVar("gateway_request_context", default=None)
