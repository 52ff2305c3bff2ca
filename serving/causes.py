"""Whose fault an error of OpenRouter is: the account's, the request's, the model's, the provider's or the network's.

One table for everybody who calls OpenRouter (the gateway, Friday's direct path) and who plays it (the simulator).
Pure: nothing is asked here. The words of an answer decide together with its status, because one status has several
causes: a 404 is an account's privacy setting, a picture that a model cannot see, or a model that is gone.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """Who has to change something; only a model or a provider is left out for a while."""

    ACCOUNT = "account"
    REQUEST = "request"
    MODEL = "model"
    PROVIDER = "provider"
    NETWORK = "network"


@dataclass(frozen=True)
class Cause:
    """Why a call failed. `reason` is a word for metrics, logs and error codes.

    `fix` says what to change and where, for an account; "" when only time helps. `param` is the field of the request,
    where it is known. `certain` is false for an answer that a single model may give too: a second model's answer
    decides. `at_once` is false when one failure is no reason yet to leave the model out.
    """

    fault: Fault
    reason: str
    fix: str = ""
    param: str | None = None
    certain: bool = True
    at_once: bool = True

    @property
    def rests(self) -> bool:
        """Return whether the model is left out for a while."""
        return self.fault in (Fault.MODEL, Fault.PROVIDER)


@dataclass(frozen=True)
class Row:
    """A rule: these statuses with these words have this cause. Without statuses or words any will do."""

    statuses: frozenset[int]
    words: re.Pattern[str] | None
    cause: Cause
    source: str


def _row(statuses: set[int], words: str | None, cause: Cause, source: str) -> Row:
    return Row(frozenset(statuses), None if words is None else re.compile(words, re.IGNORECASE), cause, source)


def _account(reason: str, fix: str, *, certain: bool = True) -> Cause:
    return Cause(Fault.ACCOUNT, reason, fix, certain=certain)


_ERRORS = "OpenRouter's documentation, Errors"
_LIMITS = "OpenRouter's documentation, Limits"
_REPORTED = "reported answers, 2026"

ROWS: tuple[Row, ...] = (
    _row({401}, None, _account("key_refused", "the stack's secret to a key of openrouter.ai/settings/keys"), _ERRORS),
    _row(
        {402, 403},
        r"key.{0,20}limit|limit.{0,20}key",
        _account("key_limit", "the key's limit at openrouter.ai/settings/keys"),
        _REPORTED,
    ),
    _row({402}, r"negative", _account("balance", "the balance at openrouter.ai/settings/credits"), _LIMITS),
    # Also seen for a single model that the catalogue still prices at 0.
    _row({402}, None, _account("balance", "the balance at openrouter.ai/settings/credits", certain=False), _ERRORS),
    _row(
        {403, 404},
        r"data policy|privacy|guardrail",
        _account("data_policy", "the privacy settings and guardrails at openrouter.ai/settings/privacy"),
        "OpenRouter's answer to an account whose setting forbids the free models' providers",
    ),
    _row(
        {429},
        r"free-models-per-|free_tier_per_",
        _account("quota", ""),
        f"{_LIMITS}; limit_source in {_REPORTED}",
    ),
    _row({403}, r"flagged|moderat", Cause(Fault.REQUEST, "moderation"), _ERRORS),
    _row({403}, None, Cause(Fault.MODEL, "closed"), "free models that serve certain callers only, since 2026-09"),
    _row(
        {404},
        r"failed_routing_step|endpoints found that support",
        Cause(Fault.REQUEST, "unsupported"),
        "OpenRouter's answer to a picture or tools that no provider of the model takes",
    ),
    _row({404, 410}, None, Cause(Fault.MODEL, "gone"), 'retired: "No endpoints found for", "no longer available"'),
    _row({408, 504}, None, Cause(Fault.PROVIDER, "timeout"), _ERRORS),
    _row(
        {400, 413, 422},
        r"context.{0,20}(length|window)|maximum context|too many tokens",
        Cause(Fault.REQUEST, "context_length"),
        "providers' answers to a long conversation",
    ),
    _row({429}, None, Cause(Fault.PROVIDER, "busy"), f"{_LIMITS}; provider_name or limit_source in {_REPORTED}"),
    _row(set(range(400, 500)), None, Cause(Fault.REQUEST, "invalid"), _ERRORS),
    _row(set(), None, Cause(Fault.PROVIDER, "broken", at_once=False), _ERRORS),
)
"""The first row that fits counts."""

TIMEOUT = Cause(Fault.PROVIDER, "timeout")
EMPTY = Cause(Fault.PROVIDER, "empty", at_once=False)
BROKEN = Cause(Fault.PROVIDER, "broken", at_once=False)
UNREACHABLE = Cause(Fault.NETWORK, "unreachable")
"""What no status says: silence, an answer without words, one that cannot be read or has no end, no connection."""

_FIELDS = r"(?:messages|tools|tool_choice|response_format|model|stop|temperature|top_p|max_tokens|reasoning)"
_PARAM = re.compile(rf"{_FIELDS}(?:\[\d+\]|\.\d+|\.[a-z_]+)*")
_PLACE = re.compile(rf"\b{_FIELDS}(?:\[\d+\]|\.\d+)(?:\[\d+\]|\.\d+|\.[a-z_]+)*")
"""A field, and one that can be told from other words by its number."""


def account_fixes() -> dict[str, str]:
    """Return what to change, and where, by the reasons for which OpenRouter refuses an account."""
    return {row.cause.reason: row.cause.fix for row in ROWS if row.cause.fix}


def classify(status: int, body: bytes) -> Cause:
    """Return the cause of an error: of an answer's status and body, or of the error inside a stream or a 200."""
    error = _error_in(body)
    said = _said(error)
    row = next(
        row
        for row in ROWS
        if (not row.statuses or status in row.statuses) and (row.words is None or row.words.search(said))
    )
    if row.cause.fault is not Fault.REQUEST:
        return row.cause
    metadata = error.get("metadata")
    raw = str(metadata.get("raw", "")) if isinstance(metadata, dict) else ""
    cause = row.cause
    if cause.reason == "invalid" and _CONTEXT.search(raw):
        cause = replace(cause, reason="context_length")
    return replace(cause, param=_param(error, raw))


_CONTEXT = next(row.words for row in ROWS if row.cause.reason == "context_length" and row.words is not None)


def _error_in(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {"message": found}


def _said(error: Mapping[str, Any]) -> str:
    """Return OpenRouter's own words. What a provider said may quote a user, so it decides nothing here."""
    metadata = error.get("metadata")
    named = {name: value for name, value in metadata.items() if value} if isinstance(metadata, dict) else {}
    return " ".join([str(error.get("message", "")), *map(str, named), str(named.get("limit_source", ""))])


def _param(error: Mapping[str, Any], raw: str) -> str | None:
    """Return the field of the request that an answer names, in our own form; never other words of the answer."""
    for given in (error.get("param"), _error_in(raw.encode()).get("param")):
        if isinstance(given, str) and _PARAM.fullmatch(given):
            return _bracketed(given)
    found = _PLACE.search(f"{error.get('message')} {raw}")
    return _bracketed(found.group()) if found else None


def _bracketed(param: str) -> str:
    return re.sub(r"\.(\d+)", r"[\1]", param)[:80]
