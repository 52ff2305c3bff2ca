"""Turns an answer, whole or as the events of a stream, into a result or a typed error. No I/O here."""

import json
from typing import Any

from pydantic import ValidationError

from friday.llm import errors
from friday.llm.failures import error_for_status
from friday.llm.types import InvokeResult

_THOUGHTS = ("reasoning", "reasoning_content", "reasoning_details")
"""A model's thoughts: OpenRouter's names for them and LiteLLM's."""


def parse_result(body: bytes, model: str | None = None) -> InvokeResult:
    """Parse a plain answer. `model` overrides the name in the body when the gateway's headers know better.

    Raises BadResponse, EmptyAnswer, or the error for an error object inside a 200.
    """
    return _result(_checked(body, "the answer"), model)


class Assembler:
    """Collects the chunks of one streamed answer.

    `started` becomes true with the first visible text or tool call: until then no text was shown and
    a fallback is possible. Leading blank text is held back for that reason. `thinking` says whether the last event
    was a thought; thoughts are never shown.
    """

    def __init__(self) -> None:
        self.started = False
        self.done = False
        self.thinking = False
        self.model: str | None = None
        self._head: dict[str, Any] = {}
        self._text: list[str] = []
        self._held: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish: str | None = None
        self._usage: dict[str, Any] | None = None

    def feed(self, data: str) -> str:
        """Take the data of one event and return the text to show. Raises a typed error for a broken or error event."""
        self.thinking = False
        if data == "[DONE]":
            self.done = True
            return ""
        chunk = _checked(data, "a stream event")
        self._head = self._head or {key: chunk[key] for key in ("id", "created") if chunk.get(key)}
        if isinstance(chunk.get("model"), str):
            self.model = chunk["model"]
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        choices = chunk.get("choices")
        return self._choice(choices[0]) if isinstance(choices, list) and choices else ""

    def _choice(self, choice: object) -> str:
        if not isinstance(choice, dict):
            raise errors.BadResponse("a stream event has an unexpected shape")
        _check_end(choice)
        self._finish = choice.get("finish_reason") or self._finish
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return ""
        self.thinking = any(delta.get(name) for name in _THOUGHTS)
        self._tool_calls(delta.get("tool_calls"))
        return self._show(delta.get("content"))

    def _show(self, text: object) -> str:
        if not isinstance(text, str) or not text:
            return ""
        if not self.started and not text.strip():
            self._held.append(text)
            return ""
        shown = "".join([*self._held, text])
        self._held.clear()
        self.started = True
        self._text.append(shown)
        return shown

    def _tool_calls(self, deltas: object) -> None:
        for delta in deltas if isinstance(deltas, list) else []:
            if not isinstance(delta, dict) or not isinstance(delta.get("index", 0), int):
                raise errors.BadResponse("a tool call in the stream has an unexpected shape")
            call = self._calls.setdefault(delta.get("index", 0), {"id": "", "name": "", "arguments": ""})
            function = delta.get("function")
            parts = function if isinstance(function, dict) else {}
            call["id"] = call["id"] or str(delta.get("id") or "")
            call["name"] += str(parts.get("name") or "")
            call["arguments"] += str(parts.get("arguments") or "")
            self.started = True

    def result(self, model: str | None = None) -> InvokeResult:
        """Return the whole answer of a stream that has ended. Raises BadResponse (no finish reason) or EmptyAnswer."""
        if self._finish is None:
            raise errors.BadResponse("the stream ended without a finish reason")
        calls = [
            {"id": call["id"], "function": {"name": call["name"], "arguments": call["arguments"]}}
            for _, call in sorted(self._calls.items())
        ]
        message = {"content": "".join(self._text) or None, "tool_calls": calls or None}
        choice = {"message": message, "finish_reason": self._finish}
        data = {**self._head, "model": self.model or "unknown", "choices": [choice], "usage": self._usage}
        return _result(data, model)


def _result(data: dict[str, Any], model: str | None) -> InvokeResult:
    """Return the result. Raises BadResponse for another shape, EmptyAnswer without text and tool calls."""
    if not data.get("choices"):
        raise errors.EmptyAnswer("the answer has no choices")
    try:
        result = InvokeResult.model_validate({**data, "route": None, "model": model or data.get("model")})
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise errors.BadResponse(f"the answer has an unexpected shape at {where}") from None
    _check_end(data["choices"][0])
    choice = result.choices[0]
    if not choice.message.tool_calls and not (choice.message.content or "").strip():
        raise errors.EmptyAnswer("the answer has no text")
    return result


def _check_end(choice: dict[str, Any]) -> None:
    """Raise BadResponse for an answer that ended with an error, however the last word of it reads.

    OpenRouter also passes a provider's error on as `stop`, and then only `native_finish_reason` tells.
    """
    if "error" in (choice.get("finish_reason"), choice.get("native_finish_reason")):
        raise errors.BadResponse("the model ended with an error")


def _checked(text: bytes | str, what: str) -> dict[str, Any]:
    """Return the JSON object in a body or stream event; `what` names it in a message.

    Raises BadResponse when it is none, and the error that it contains in spite of its success status.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise errors.BadResponse(f"{what} is not JSON") from None
    if not isinstance(data, dict):
        raise errors.BadResponse("the answer is not a JSON object")
    error = data.get("error")
    choices = data.get("choices")
    if not error and isinstance(choices, list) and choices and isinstance(choices[0], dict):
        error = choices[0].get("error")
    if not error:
        return data
    code = error.get("code") if isinstance(error, dict) else None
    status = int(code) if isinstance(code, int | str) and str(code).isdecimal() else 500
    raise error_for_status(status, json.dumps({"error": error}).encode("ascii"), {})
