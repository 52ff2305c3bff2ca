"""What counts as a whole answer of the upstream: plain bodies and streams are read before anybody sees them.

LiteLLM passes on an empty answer, takes the end of a connection for the end of an answer, and makes "stop" of the
finish reason "error". Here each of them is a failure: `FailedError` with its cause.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

from serving.causes import BROKEN, EMPTY, TIMEOUT, Cause, classify

END_SECONDS = 0.1
"""That an answer's end may take after its last event: read to its end, a connection can be used again."""

_WORDS = ("content", "refusal")
_THOUGHTS = ("reasoning", "reasoning_content")
_NEEDED = frozenset({"id", "created", "model", "choices"})
"""LiteLLM takes an event without one of them for the client's mistake, and asks no other model."""

_CUT = frozenset({"length", "content_filter"})
"""Finish reasons with which an answer may be without words: the client's own limit, or a filter's decision."""


class FailedError(Exception):
    """An answer of the upstream that is none; `body` is what it said, when it was an error."""

    def __init__(self, cause: Cause, body: bytes = b"") -> None:
        super().__init__(cause.reason)
        self.cause = cause
        self.body = body


def check_plain(body: bytes) -> None:
    """Raise `FailedError` unless the body of a 200 is a whole answer."""
    document = _object(body)
    _check_error(document)
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        raise FailedError(EMPTY)
    for choice in choices:
        if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
            raise FailedError(BROKEN)
        _check_error(choice)
        finish = choice.get("finish_reason")
        if finish == "error":
            raise FailedError(BROKEN)
        if not _has_words(choice["message"]) and finish not in _CUT:
            raise FailedError(EMPTY)


@dataclass(frozen=True)
class Event:
    """One line of a stream. `shows` is true when a user sees something of it: text, a tool call, a thought."""

    line: str
    shows: bool = False


async def events(lines: AsyncIterator[str], silence_seconds: float) -> AsyncIterator[Event]:
    """Yield the events of a stream as they come, without comments.

    Raises `FailedError` for an error, for an event that cannot be read, for an end without a finish reason or without a
    word, and after `silence_seconds` without a token, whatever comments say meanwhile.
    """
    loop = asyncio.get_running_loop()
    finish: str | None = None
    worded = False
    limit = loop.time() + silence_seconds
    while True:
        try:
            async with asyncio.timeout_at(limit):
                line = await anext(lines, None)
        except TimeoutError:
            if finish:
                break  # all is said, and only the connection stays open
            raise FailedError(TIMEOUT) from None
        data = "" if line is None or not line.startswith("data:") else line[5:].strip()
        if line is None or data == "[DONE]":
            break
        if data:
            event, delta, found = _choices(data)
            finish = found or finish
            worded = worded or _has_words(delta)
            if finish and not worded and finish not in _CUT:
                raise FailedError(EMPTY)
            shows = _has_words(delta) or bool(delta.get("reasoning") or delta.get("reasoning_details"))
            if shows:
                limit = loop.time() + silence_seconds
            yield Event(f"data: {event}", shows or bool(found))
    if not finish:
        raise FailedError(BROKEN if worded else EMPTY)
    with contextlib.suppress(TimeoutError, httpx.RequestError):
        async with asyncio.timeout(END_SECONDS):
            while await anext(lines, None) is not None:
                pass
    yield Event("data: [DONE]", shows=True)


def _choices(data: str) -> tuple[str, dict[str, Any], str | None]:
    """Return an event, and the delta and the finish reason of its first choice.

    The event's text is written anew in ASCII: LiteLLM cuts lines at characters that a JSON text may hold. Thoughts come
    under three names, and LiteLLM passes on one of them.
    """
    event = _object(data.encode())
    _check_error(event)
    choices = event.get("choices")
    if not event.keys() >= _NEEDED or not isinstance(choices, list):
        raise FailedError(BROKEN)
    if not choices:
        return json.dumps(event), {}, None  # usage
    first = choices[0]
    if not isinstance(first, dict) or not isinstance(first.get("delta"), dict):
        raise FailedError(BROKEN)
    _check_error(first)
    if first.get("finish_reason") == "error":
        raise FailedError(BROKEN)
    thought = _thought(first["delta"])
    if thought:
        first["delta"]["reasoning"] = thought
    return json.dumps(event), first["delta"], first.get("finish_reason")


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise FailedError(BROKEN)
    return document


def _check_error(holder: dict[str, Any]) -> None:
    """Raise `FailedError` for an error inside a 200; its code is a status, or a word such as "server_error"."""
    error = holder.get("error")
    if not error:
        return
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 502
    body = json.dumps({"error": error}).encode()
    raise FailedError(classify(status, body), body)


def _has_words(message: dict[str, Any]) -> bool:
    if message.get("tool_calls") or message.get("function_call"):
        return True
    return any(bool(str(message.get(name) or "").strip()) for name in _WORDS)


def _thought(delta: dict[str, Any]) -> str:
    """Return the text of a thought; one that is encrypted has none."""
    for name in _THOUGHTS:
        if isinstance(delta.get(name), str) and delta[name]:
            return str(delta[name])
    details = delta.get("reasoning_details")
    parts = [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    return "".join(str(each.get("text") or each.get("summary") or "") for each in parts)
