"""What counts as a whole answer of the upstream: plain bodies and streams are read before anybody sees them.

An empty answer, a connection that ends before the answer does, and the finish reason "error" are failures:
`FailedError` with its cause. What passes is decoded here once, and encoded once for the client (`response`).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

import httpx

from serving.causes import BROKEN, EMPTY, TIMEOUT, Cause, classify

END_SECONDS = 0.1
"""That an answer's end may take after its last event: read to its end, a connection can be used again."""

_WORDS = ("content", "refusal")
_THOUGHTS = ("reasoning", "reasoning_content")
_NEEDED = frozenset({"id", "created", "model", "choices"})
"""What every event has; one without them is no event."""

_CUT = frozenset({"length", "content_filter"})
"""Finish reasons with which an answer may be without words: the client's own limit, or a filter's decision."""


class FailedError(Exception):
    """An answer of the upstream that is none; `body` is what it said, when it was an error."""

    def __init__(self, cause: Cause, body: bytes = b"") -> None:
        super().__init__(cause.reason)
        self.cause = cause
        self.body = body


def check_plain(body: bytes) -> dict[str, Any]:
    """Return the answer in the body of a 200. Raises `FailedError` unless it is a whole one."""
    document = _object(body)
    _check_error(document)
    choices = document.get("choices")
    if not isinstance(choices, list) or not choices:
        raise FailedError(EMPTY)
    for choice in choices:
        if not isinstance(choice, dict) or not _is_message(choice.get("message")):
            raise FailedError(BROKEN)
        _check_error(choice)
        finish = _finish(choice)
        if not _has_words(choice["message"]) and finish not in _CUT:
            raise FailedError(EMPTY)
    return document


@dataclass(frozen=True)
class Event:
    """One event of a stream: all that it says, and of its first choice the delta, finish reason and probabilities.

    `shows` is true when a user sees something of it: text, a tool call, a thought, the end.
    """

    said: dict[str, Any]
    delta: dict[str, Any] = field(default_factory=dict)
    finish: str | None = None
    logprobs: Any = None
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
            event = _event(data)
            finish = event.finish or finish
            worded = worded or _has_words(event.delta)
            if finish and not worded and finish not in _CUT:
                raise FailedError(EMPTY)
            if event.shows:
                limit = loop.time() + silence_seconds
            yield event
    if not finish:
        raise FailedError(BROKEN if worded else EMPTY)
    with contextlib.suppress(TimeoutError, httpx.RequestError):
        async with asyncio.timeout(END_SECONDS):
            while await anext(lines, None) is not None:
                pass


def _event(data: str) -> Event:
    """Return an event. Thoughts come under three names; here they have two of them, and their details.

    Raises `FailedError`.
    """
    said = _object(data)
    _check_error(said)
    choices = said.get("choices")
    if not said.keys() >= _NEEDED or not isinstance(choices, list):
        raise FailedError(BROKEN)
    if not choices:
        return Event(said)  # usage
    first = choices[0]
    if not isinstance(first, dict) or not _is_message(first.get("delta")):
        raise FailedError(BROKEN)
    _check_error(first)
    finish = _finish(first)
    delta = first["delta"]
    thought = _thought(delta)
    if thought:
        delta = {**delta, "reasoning": thought, "reasoning_content": thought}
    shows = bool(finish or thought or delta.get("reasoning_details")) or _has_words(delta)
    return Event(said, delta, finish, first.get("logprobs"), shows)


def _object(body: bytes | str) -> dict[str, Any]:
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


def _finish(choice: dict[str, Any]) -> str | None:
    """Return a choice's finish reason. Raises `FailedError` for the one that says it failed."""
    finish = choice.get("finish_reason")
    if finish == "error" or not isinstance(finish, (str, NoneType)):
        raise FailedError(BROKEN)
    return finish


def _is_message(found: object) -> bool:
    """Return whether a message or a delta has the form that clients read: content is text, tool calls are a list."""
    if not isinstance(found, dict) or not isinstance(found.get("content"), (str, NoneType)):
        return False
    calls = found.get("tool_calls")
    return calls is None or (isinstance(calls, list) and all(isinstance(call, dict) for call in calls))


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
