"""Strict reading of OpenRouter's streams.

LiteLLM treats the end of a connection as the end of an answer ("stop"), and ignores an event that it cannot parse.
A user would get an incomplete answer that looks complete. Here both are failures, and so is an error whose code is
not a number. If the user has seen nothing yet, the next model is called; else the stream ends with an error event.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

Failure = Callable[[str], Exception]
"""Makes the exception to raise from a message."""

_DONE = "[DONE]"


async def whole(lines: AsyncIterator[str], failure: Failure) -> AsyncIterator[str]:
    """Yield the lines of an event stream as they come.

    Raises the exception of `failure` for an event that is not JSON, for an error whose code is not a number, and for an
    end without a finish reason.
    """
    finished = False
    async for line in lines:
        data = line[5:].strip() if line.startswith("data:") else ""
        if data == _DONE and not finished:
            break  # LiteLLM would report it as a complete answer
        if data and data != _DONE:
            finished = _finish_reason(data, failure) or finished
        yield line
    if not finished:
        raise failure("the stream ended without a finish reason")


def _finish_reason(data: str, failure: Failure) -> bool:
    """Return whether an event has a finish reason."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise failure("an event of the stream is not JSON") from None
    if not isinstance(event, dict):
        return False
    error = event.get("error")
    if isinstance(error, dict) and not isinstance(error.get("code"), int):
        # OpenRouter has codes such as "server_error". LiteLLM cannot handle them and calls no other model.
        raise failure("the model ended with an error")
    choices = event.get("choices")
    return any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices or ())
