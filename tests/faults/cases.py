"""The faults of `simulator.faults`, each with what becomes of a user who meets it.

`test_cases.py` fails when a fault, a field of one or a value of a field is not among them.
"""

import json
from dataclasses import dataclass, field
from typing import Any

LONG_MS = 5_000
"""Beyond every deadline (of 4 s), and over soon: the simulator sleeps on when a caller has left."""
SOON_MS = 200
"""Well within every deadline."""
UPSTREAM_WORDS = "PRIVATE words of the upstream"


@dataclass(frozen=True)
class Fate:
    """What a call comes to.

    `kind` is the error's when nothing else answers, None when the fault does no harm. `direct_calls` is how often the
    direct path tries. `next_model` tells whether the gateway notices, or only Friday, who then goes direct.
    """

    kind: str | None
    direct_calls: int = 1
    next_model: bool = True

    @property
    def breaks_off(self) -> bool:
        """Whether text was shown before the call failed: then nobody may go on with another text."""
        return self.kind == "stream_broken"


@dataclass(frozen=True)
class Case:
    """A fault, and the fates of a plain call and of a streamed one. One `of_its_kind` is played in every run."""

    fault: dict[str, Any] = field(hash=False)
    plain: Fate
    streamed: Fate
    of_its_kind: bool = False

    def fate(self, *, stream: bool) -> Fate:
        return self.streamed if stream else self.plain

    @property
    def name(self) -> str:
        return " ".join(str(value) if key == "kind" else f"{key}={_short(value)}" for key, value in self.fault.items())


def _short(value: object) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).replace(UPSTREAM_WORDS, "words")


def _case(kind: str, plain: Fate, streamed: Fate | None = None, *, of_its_kind: bool = False, **fields: Any) -> Case:
    return Case({"kind": kind, **fields}, plain, streamed or plain, of_its_kind)


UNHARMED = Fate(None)
BROKEN_OFF = Fate("stream_broken")
REFUSED = Fate("refused")
TIMEOUT = Fate("timeout")
UNNOTICED_TIMEOUT = Fate("timeout", next_model=False)
UNAVAILABLE = Fate("unavailable")
UNAVAILABLE_TWICE = Fate("unavailable", direct_calls=2)
BUSY = Fate("rate_limited", direct_calls=2)
BAD = Fate("bad_response")
EMPTY = Fate("empty_answer")

POLICY = Fate("data_policy", next_model=False)
KEY = Fate("authentication", next_model=False)
GONE = Fate("model_not_found")

REFUSALS = {
    "data_policy": POLICY,
    "guardrail": POLICY,
    "key_limit": Fate("key_limit", next_model=False),
    "key_refused": KEY,
    # Also said of one model that the catalogue prices at 0, so the gateway asks a second one.
    "negative_balance": Fate("payment_required"),
    "retired": GONE,
    "closed": GONE,
    "region": GONE,
    "model_minute": BUSY,
    "shared_pool": BUSY,
    "overloaded": UNAVAILABLE_TWICE,
    **dict.fromkeys(("tools", "image", "audio", "parameters", "context", "tool_name", "schema"), REFUSED),
    **dict.fromkeys(("moderation", "reasoning"), REFUSED),
}
"""The refusals by cause: an account's are not taken to another model, a request's are taken to one more."""

STATUSES = {
    400: REFUSED,
    401: KEY,  # it is every model's
    402: Fate("payment_required"),
    403: GONE,
    404: GONE,
    408: TIMEOUT,
    413: REFUSED,
    422: REFUSED,
    429: BUSY,
    499: REFUSED,
    500: UNAVAILABLE,
    501: UNAVAILABLE,
    502: UNAVAILABLE_TWICE,
    503: UNAVAILABLE_TWICE,
    504: TIMEOUT,
    529: UNAVAILABLE,
}

OF_EACH_CAUSE = ("data_policy", "retired", "shared_pool", "tools")

_LATENCIES: list[tuple[dict[str, Any], Fate, Fate]] = [
    ({"kind": "fixed", "ms": SOON_MS}, UNHARMED, UNHARMED),
    ({"kind": "uniform", "low_ms": 50, "high_ms": SOON_MS}, UNHARMED, UNHARMED),
    ({"kind": "lognormal", "median_ms": 50, "p95_ms": 100}, UNHARMED, UNHARMED),
    ({"kind": "fixed", "ms": LONG_MS}, TIMEOUT, TIMEOUT),
]

CASES = [
    *(_case("status", fate, status=status) for status, fate in STATUSES.items()),
    _case("status", BUSY, status=429, retry_after=1, of_its_kind=True),
    _case("status", BUSY, status=429, retry_after="soon"),
    _case("status", UNAVAILABLE_TWICE, of_its_kind=True, status=502, html=True),
    _case("status", UNAVAILABLE_TWICE, status=503, message=UPSTREAM_WORDS, provider_name="Acme", raw=UPSTREAM_WORDS),
    *(
        _case("latency", plain, streamed, of_its_kind=plain is TIMEOUT, distribution=shape)
        for shape, plain, streamed in _LATENCIES
    ),
    *(_case("refusal", fate, refusal=name, of_its_kind=name in OF_EACH_CAUSE) for name, fate in REFUSALS.items()),
    _case("hang", TIMEOUT, of_its_kind=True),
    _case("close", UNAVAILABLE_TWICE),
    _case("close", UNAVAILABLE_TWICE, reset=True, of_its_kind=True),
    _case("slow_first_token", UNHARMED, ms=SOON_MS),
    _case("slow_first_token", UNHARMED, ms=SOON_MS, comments=False),
    # A plain answer is kept alive by spaces meanwhile: Friday gives up before the gateway does.
    _case("slow_first_token", UNNOTICED_TIMEOUT, TIMEOUT, ms=LONG_MS, of_its_kind=True),
    _case("slow_first_token", TIMEOUT, ms=LONG_MS, comments=False),
    _case("thinking", UNHARMED, ms=SOON_MS, interval_ms=50, of_its_kind=True),
    _case("thinking", UNHARMED, ms=SOON_MS, field="reasoning_details"),
    _case("thinking", UNHARMED, ms=SOON_MS, field="reasoning_content"),
    _case("drip", UNHARMED, ms=SOON_MS, interval_ms=50),
    _case("drip", UNNOTICED_TIMEOUT, TIMEOUT, interval_ms=50),
    _case("drip", UNHARMED, mode="tokens", interval_ms=5),
    _case("drip", UNNOTICED_TIMEOUT, BROKEN_OFF, mode="tokens", interval_ms=400, of_its_kind=True),
    _case("cut", UNAVAILABLE, UNAVAILABLE, after_tokens=0),
    _case("cut", UNAVAILABLE, BROKEN_OFF, of_its_kind=True),
    _case("cut", BAD, BAD, after_tokens=0, clean=True),
    _case("cut", BAD, BROKEN_OFF, clean=True),
    _case("cut", BAD, BROKEN_OFF, after_tokens=10_000, clean=True),
    _case("stream_error", UNAVAILABLE_TWICE, UNAVAILABLE_TWICE, after_tokens=0),
    _case("stream_error", UNAVAILABLE_TWICE, BROKEN_OFF, message=UPSTREAM_WORDS, of_its_kind=True),
    _case("stream_error", UNAVAILABLE, UNAVAILABLE, after_tokens=0, code="server_error"),
    _case("finish_error", BAD, after_tokens=0),
    _case("finish_error", BAD, BROKEN_OFF, of_its_kind=True),
    _case("finish_error", UNAVAILABLE_TWICE, after_tokens=0, words=True),
    _case("finish_error", UNAVAILABLE_TWICE, BROKEN_OFF, words=True),
    _case("finish_error", BAD, BROKEN_OFF, reason="stop"),
    _case("broken_sse", UNHARMED, BAD, after_tokens=0),
    _case("broken_sse", UNHARMED, BROKEN_OFF, of_its_kind=True),
    _case("body", BAD, body="malformed_json", of_its_kind=True),
    _case("body", BAD, body="empty"),
    _case("body", BAD, body="html"),
    # A stream without choices has no finish reason either, and that is what shows first.
    _case("body", EMPTY, BAD, body="empty_choices"),
    _case("body", EMPTY, body="empty_content", of_its_kind=True),
    _case("body", EMPTY, body="null_content"),
    _case("body", UNAVAILABLE_TWICE, body="choice_error"),
    _case("body", UNAVAILABLE_TWICE, body="error"),
]
