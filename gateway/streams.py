"""OpenRouter's streams, read strictly.

LiteLLM takes the end of a connection for the end of an answer ("stop"), and passes over an event that it cannot
read. A user would take half an answer, or one with a hole, for the whole. Here both are failures, and so is an error
with a code in words: the next model is asked when nothing was shown yet, else the stream ends with an error event.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

Failure = Callable[[str], Exception]
"""Makes the exception to raise from what happened."""

_BAD_GATEWAY = 502
_DONE = "[DONE]"


def install(openrouter: Any) -> None:
    """Let LiteLLM read OpenRouter's streams through `whole`.

    `openrouter` is the module `litellm.llms.openrouter.chat.transformation`, of 1.102.4.
    """
    config = openrouter.OpenrouterConfig
    original = config.get_model_response_iterator

    def failure(message: str) -> Exception:
        error: Exception = openrouter.OpenRouterException(message=message, status_code=_BAD_GATEWAY, headers={})
        return error

    def strict(self: Any, streaming_response: Any, sync_stream: bool, json_mode: bool | None = False) -> Any:
        lines = streaming_response if sync_stream else whole(streaming_response, failure)
        return original(self, streaming_response=lines, sync_stream=sync_stream, json_mode=json_mode)

    config.get_model_response_iterator = strict


async def whole(lines: AsyncIterator[str], failure: Failure) -> AsyncIterator[str]:
    """Yield the lines of an event stream as they come.

    Raises what `failure` makes of an event that is not JSON, of an error whose code is no number, and of an end
    before a finish reason was given.
    """
    finished = False
    async for line in lines:
        data = line[5:].strip() if line.startswith("data:") else ""
        if data == _DONE and not finished:
            break  # LiteLLM would make an end of its own of it
        if data and data != _DONE:
            finished = _finish_reason(data, failure) or finished
        yield line
    if not finished:
        raise failure("the stream ended without a finish reason")


def _finish_reason(data: str, failure: Failure) -> bool:
    """Tell whether an event says that the answer is complete."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise failure("an event of the stream is not JSON") from None
    if not isinstance(event, dict):
        return False
    error = event.get("error")
    if isinstance(error, dict) and not isinstance(error.get("code"), int):
        # OpenRouter has codes such as "server_error". LiteLLM fails at them and asks no other model.
        raise failure("the model ended with an error")
    choices = event.get("choices")
    return any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices or ())
