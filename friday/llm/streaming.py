"""Builds one answer from the events of a stream. No I/O here."""

import json
from typing import Any

from friday.llm import errors
from friday.llm.responses import build_result, raise_embedded
from friday.llm.types import InvokeResult


class Assembler:
    """Collects the chunks of one streamed answer.

    `started` becomes true with the first visible text or tool call: until then no text was shown and
    a fallback is possible. Leading blank text is held back for that reason.
    """

    def __init__(self) -> None:
        self.started = False
        self.done = False
        self.model: str | None = None
        self._head: dict[str, Any] = {}
        self._text: list[str] = []
        self._held: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish: str | None = None
        self._usage: dict[str, Any] | None = None

    def feed(self, data: str) -> str:
        """Take the data of one event and return the text to show. Raises a typed error for a broken or error event."""
        if data == "[DONE]":
            self.done = True
            return ""
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            raise errors.BadResponse("a stream event is not JSON") from None
        raise_embedded(chunk)
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
        self._finish = choice.get("finish_reason") or self._finish
        if self._finish == "error":
            raise errors.BadResponse("the model ended with an error")
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return ""
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
        return build_result(data, model)
