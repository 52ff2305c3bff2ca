"""An answer as the cache keeps it: a plain chat completion. A stream becomes one, and one becomes a stream again."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Document = dict[str, Any]
"""A plain chat completion, or one chunk of a stream, in OpenAI's form."""

PIECE = 4000
"""Characters of one chunk: some clients read a stream line by line and refuse a line of 64 KiB. Escaped, a character
has up to twelve bytes."""

_WHOLE = {"stop": "", "tool_calls": "", "length": "cut", "content_filter": "refused"}
"""Why an answer with this finish reason is not kept; "" for one that is."""

_TEXTS = ("reasoning", "reasoning_content", "content", "refusal")
_LISTS = ("reasoning_details", "annotations", "images")
_OTHERS = "provider_specific_fields"
"""Where a plain answer has what OpenAI's form does not know (`completions`); a stream has it beside the rest."""
_KNOWN = frozenset({"role", "content", "refusal", "reasoning_content", "tool_calls", "annotations"})
_JOINED = frozenset({"text", "summary", "data", "arguments"})
"""What comes in pieces inside of an element of a list; all else comes whole, once or again and again."""

_EMPTY: tuple[object, ...] = (None, "", [], {})
_HEAD = ("id", "created", "model")


class OddError(Exception):
    """A stream of which no plain answer can be made without a guess."""


def why_not_kept(document: Mapping[str, Any]) -> str:
    """Return why an answer is not kept: cut, refused, empty, failed or odd; "" for one that is whole."""
    choices = document.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0].get("message"), dict):
        return "odd"
    choice, message = choices[0], choices[0]["message"]
    finish = choice.get("finish_reason")
    reasons = (finish, (choice.get(_OTHERS) or {}).get("native_finish_reason"))
    if document.get("error") or choice.get("error") or "error" in reasons:
        return "failed"
    return _WHOLE.get(finish, "odd") or _why_not_said(message)


def _why_not_said(message: Mapping[str, Any]) -> str:
    calls = message.get("tool_calls") or []
    if message.get("refusal"):
        return "refused"
    if not calls and not str(message.get("content") or "").strip():
        return "empty"
    return "" if all(_callable(call) for call in calls) else "odd"


def _callable(call: Any) -> bool:
    """Return whether a tool call's arguments are JSON; a function without parameters may have none."""
    try:
        arguments = call["function"]["arguments"]
        return not arguments or isinstance(json.loads(arguments), dict)
    except (KeyError, TypeError, ValueError, RecursionError):
        return False


class Assembly:
    """A plain answer that is made of a stream's chunks, as they come."""

    def __init__(self) -> None:
        self.usage: Any = None
        self._head: Document = {}
        self._finish: str | None = None
        self._message: Document = {}
        self._logprobs: Document = {}
        self._calls: dict[int, Document] = {}

    def add(self, chunk: Mapping[str, Any]) -> None:
        """Take the next chunk. Raises `OddError` for one that does not fit into one plain answer."""
        for name in _HEAD:
            self._head.setdefault(name, chunk[name])
        self.usage = chunk.get("usage") or self.usage
        for choice in chunk["choices"]:
            if choice.get("index", 0) != 0:
                raise OddError("more answers than one")
            self._finish = choice.get("finish_reason") or self._finish
            for name, listed in (choice.get("logprobs") or {}).items():
                self._logprobs.setdefault(name, []).extend(listed or [])
            self._take(choice.get("delta") or {})

    def _take(self, delta: Mapping[str, Any]) -> None:
        for name, value in delta.items():
            if name == "role":
                self._message.setdefault("role", value)
            elif value in _EMPTY:
                continue
            elif name in _TEXTS and isinstance(value, str):
                self._message[name] = self._message.get(name, "") + value
            elif name == "tool_calls" and isinstance(value, list):
                for call in value:
                    self._call(call)
            elif name in _LISTS and isinstance(value, list):
                _extend(self._message.setdefault(name, []), value)
            else:
                raise OddError(f"a part named {name}")

    def _call(self, piece: Mapping[str, Any]) -> None:
        call = self._calls.setdefault(piece.get("index", 0), {"function": {"name": "", "arguments": ""}})
        function = piece.get("function") or {}
        for name, value in piece.items():
            if name not in ("index", "function") and value not in _EMPTY:
                call.setdefault(name, value)
        call["function"]["name"] = call["function"]["name"] or function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""

    def document(self) -> Document:
        """Return the plain answer so far. Without a finish reason it is not whole."""
        calls = {"tool_calls": [self._calls[place] for place in sorted(self._calls)]} if self._calls else {}
        known = {name: value for name, value in self._message.items() if name in _KNOWN}
        others = {name: value for name, value in self._message.items() if name not in _KNOWN}
        message = {"role": "assistant", "content": None if calls else "", **known, **calls}
        choice = {
            "finish_reason": self._finish,
            "index": 0,
            "message": {**message, **({_OTHERS: others} if others else {})},
            "logprobs": self._logprobs or None,
        }
        usage = {"usage": self.usage} if self.usage else {}
        return {**self._head, "object": "chat.completion", "choices": [choice], **usage}


def _extend(kept: list[Any], more: list[Any]) -> None:
    """Add the elements of a list; a piece of an element that is there, by its `index` and `type`, is joined to it."""
    for element in more:
        if not isinstance(element, dict):
            kept.append(element)
            continue
        place = element.get("index"), element.get("type")
        same = (each for each in kept if place[0] is not None and (each.get("index"), each.get("type")) == place)
        found = next(same, None)
        if found is None:
            kept.append(dict(element))
            continue
        for name, value in element.items():
            if name in _JOINED and isinstance(found.get(name), str) and isinstance(value, str):
                found[name] += value
            elif value is not None:
                found[name] = value


def chunks(document: Mapping[str, Any]) -> Iterator[Document]:
    """Yield a plain answer as a stream's chunks. One that is not finished yet has no last ones."""
    head = {**{name: document[name] for name in _HEAD}, "object": "chat.completion.chunk"}
    choice = document["choices"][0]
    finish, logprobs = choice.get("finish_reason"), choice.get("logprobs")
    begun: Document = {"role": choice["message"].get("role") or "assistant"}
    for delta in _deltas(choice["message"]):
        said = {"logprobs": logprobs} if logprobs and "content" in delta else {}
        logprobs = None if said else logprobs
        yield {**head, "choices": [{"index": 0, "delta": {**begun, **delta}, "finish_reason": None, **said}]}
        begun = {}
    if begun:
        yield {**head, "choices": [{"index": 0, "delta": {**begun, "content": ""}, "finish_reason": None}]}
    if finish:
        yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
        if document.get("usage"):
            yield {**head, "choices": [], "usage": document["usage"]}


def _deltas(message: Mapping[str, Any]) -> Iterator[Document]:
    fields = {**(message.get(_OTHERS) or {}), **message}
    thought = fields.get("reasoning_content") or fields.get("reasoning") or ""
    yield from ({"reasoning": piece, "reasoning_content": piece} for piece in _pieces(thought))
    for name in ("content", "refusal"):
        yield from ({name: piece} for piece in _pieces(fields.get(name) or ""))
    for place, call in enumerate(message.get("tool_calls") or ()):
        first, *others = _pieces(call["function"].get("arguments") or "") or [""]
        yield {"tool_calls": [{**call, "index": place, "function": {**call["function"], "arguments": first}}]}
        for piece in others:
            yield {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}
    lists = {name: fields[name] for name in _LISTS if fields.get(name)}
    if lists:
        yield lists


def _pieces(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def without_usage(chunk: Document) -> Document | None:
    """Return a chunk for a client that did not ask for the usage, None when nothing else is in it."""
    if "usage" not in chunk:
        return chunk
    tells = any(choice.get("finish_reason") or any(choice["delta"].values()) for choice in chunk["choices"])
    return {name: value for name, value in chunk.items() if name != "usage"} if tells else None
