"""Faults that can be activated per model, and the class that selects a request's fault."""

import asyncio
import random
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from simulator.distributions import LONGEST_MS, Distribution, Milliseconds, Strict

EVERY_MODEL = "*"
TokenCount = Annotated[int, Field(ge=0)]


class _Fault(Strict):
    """The fields of every fault: model, probability and count."""

    model: str = EVERY_MODEL
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    count: Annotated[int, Field(ge=1)] | None = None
    """Stop after this number of affected requests; None never stops."""


class Latency(_Fault):
    """The time to the model's answer (or first token). Not a failure: it can be combined with any other fault."""

    kind: Literal["latency"]
    distribution: Distribution


class Status(_Fault):
    """An error status, as OpenRouter or the provider behind it would give."""

    kind: Literal["status"]
    status: Annotated[int, Field(ge=400, le=599)]
    message: str | None = None
    retry_after: Annotated[int, Field(ge=0)] | str | None = None
    provider_name: str | None = None
    raw: str | None = None
    html: bool = False
    """Answer with a web page, as a proxy in front would."""


class Hang(_Fault):
    """Accept the request and never answer; ends when the caller leaves."""

    kind: Literal["hang"]


class Close(_Fault):
    """Close the connection without an answer, orderly or with a TCP reset."""

    kind: Literal["close"]
    reset: bool = False


class SlowFirstToken(_Fault):
    """Send nothing, or only comments, before the answer."""

    kind: Literal["slow_first_token"]
    ms: Milliseconds
    comments: bool = True
    """Streams get `: OPENROUTER PROCESSING`, plain answers white space; False sends nothing."""


class Drip(_Fault):
    """Bytes are sent but no answer: timeouts on silence never expire."""

    kind: Literal["drip"]
    mode: Literal["keepalive", "tokens"] = "keepalive"
    interval_ms: Annotated[float, Field(gt=0, le=LONGEST_MS)] = 500
    ms: Milliseconds | None = None
    """The time of keepalives before the answer; None is for ever. Unused with `tokens`."""


class Cut(_Fault):
    """End a stream after some tokens: the connection breaks, or (clean) it ends like a complete answer."""

    kind: Literal["cut"]
    after_tokens: TokenCount = 3
    clean: bool = False


class StreamError(_Fault):
    """An error after HTTP 200 was sent: an SSE event, or an error body on a plain answer."""

    kind: Literal["stream_error"]
    after_tokens: TokenCount = 3
    code: int | str = 502
    message: str = "Provider disconnected unexpectedly"


class BrokenSse(_Fault):
    """One line of the stream that no parser can read."""

    kind: Literal["broken_sse"]
    after_tokens: TokenCount = 1


class Body(_Fault):
    """HTTP 200 with a body that is not a useful completion."""

    kind: Literal["body"]
    body: Literal[
        "malformed_json",
        "empty",
        "html",
        "empty_choices",
        "empty_content",
        "null_content",
        "choice_error",
        "error",
    ]


RefusalKind = Literal[
    "data_policy",
    "guardrail",
    "key_refused",
    "key_limit",
    "negative_balance",
    "retired",
    "closed",
    "region",
    "model_minute",
    "shared_pool",
    "overloaded",
    "tools",
    "image",
    "audio",
    "parameters",
    "context",
    "tool_name",
    "schema",
    "moderation",
    "reasoning",
]
"""The refusals that OpenRouter is reported to give; `simulator.refusals` has their words."""


class Refusal(_Fault):
    """A refusal in OpenRouter's own words, by its cause."""

    kind: Literal["refusal"]
    refusal: RefusalKind


class Thinking(_Fault):
    """A model that thinks before it answers: its thoughts arrive for `ms`, one piece each interval."""

    kind: Literal["thinking"]
    ms: Milliseconds
    interval_ms: Annotated[float, Field(gt=0, le=LONGEST_MS)] = 500
    field: Literal["reasoning", "reasoning_details", "reasoning_content"] = "reasoning"
    """Where the thoughts are: as text and details, as details only, or under the name that other gateways use."""


class FinishError(_Fault):
    """An answer that ends with an error in its last choice, in the middle or before its first token."""

    kind: Literal["finish_error"]
    after_tokens: TokenCount = 3
    reason: Literal["error", "stop"] = "error"
    """`finish_reason`; `native_finish_reason` is `error` in any case."""
    words: bool = False
    """Put the provider's error object into the choice."""


Fault = Annotated[
    Latency
    | Status
    | Refusal
    | Hang
    | Close
    | SlowFirstToken
    | Thinking
    | Drip
    | Cut
    | StreamError
    | FinishError
    | BrokenSse
    | Body,
    Field(discriminator="kind"),
]
FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])


class FaultBook:
    """The active faults, in order: a request gets the first one that matches its model and is drawn."""

    def __init__(self, rng: random.Random, latency: Distribution) -> None:
        self._rng = rng
        self._default = latency
        self._faults: list[Fault] = []
        self._met: list[int] = []
        self.changed = asyncio.Event()

    def replace(self, faults: list[Fault]) -> None:
        """Activate exactly these faults. Requests that wait in an old fault are released."""
        self._faults, self._met = faults, [0] * len(faults)
        self.changed.set()
        self.changed = asyncio.Event()

    def as_json(self) -> list[dict[str, Any]]:
        """Return the faults, each with the number of requests that it affected."""
        return [{**fault.model_dump(), "met": met} for fault, met in zip(self._faults, self._met, strict=True)]

    def latency_seconds(self, model: str) -> float:
        """Return the time to this request's first token."""
        found = self.draw(model, latency=True)
        distribution = found.distribution if isinstance(found, Latency) else self._default
        return distribution.sample(self._rng) / 1000

    def draw(self, model: str, *, latency: bool = False) -> Fault | None:
        """Return the fault of this request, one of latency or another, and count it."""
        for index, fault in enumerate(self._faults):
            spent = fault.count is not None and self._met[index] >= fault.count
            if spent or fault.model not in (EVERY_MODEL, model) or isinstance(fault, Latency) is not latency:
                continue
            if fault.probability >= 1 or self._rng.random() < fault.probability:
                self._met[index] += 1
                return fault
        return None
