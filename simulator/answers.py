"""The answers of the simulated models: made from the prompt, so the same question gets the same answer."""

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, Field

_ECHOED_WORDS = 24
_DEEPEST = 8
"""The depth to which a schema is followed; a recursive one ends here."""
_TOKEN = re.compile(r"\s*\S+")


class Plugin(BaseModel, extra="allow"):
    """A plugin of a request; only `web` is known, and it has a price."""

    id: str
    max_results: int | None = Field(default=None, ge=1)


class ChatRequest(BaseModel, extra="allow"):
    """The parts of a chat request that change the answer; other fields are accepted, as upstream does."""

    model: str | None = None
    models: list[str] = []
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool = False
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    provider: dict[str, Any] | None = None
    plugins: list[Plugin] = []
    web_search_options: dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    include_reasoning: bool | None = None

    @property
    def token_limit(self) -> int | None:
        """Return the longest answer that the caller accepts, in tokens."""
        return self.max_tokens or self.max_completion_tokens

    @property
    def wanted_models(self) -> list[str]:
        """Return `model`, then the fallbacks in `models`, each once."""
        return list(dict.fromkeys([self.model, *self.models] if self.model else self.models))

    def field_names(self) -> list[str]:
        """Return the names of all body fields, for the record of requests."""
        return sorted(self.model_fields_set | set(self.model_extra or {}))


@dataclass(frozen=True)
class Answer:
    """An answer as tokens; `tool_calls` is set when the model calls a function instead of talking."""

    pieces: tuple[str, ...]
    finish_reason: str
    tool_calls: list[dict[str, Any]] = field(default_factory=list)

    @property
    def content(self) -> str | None:
        """Return the whole text; None with tool calls."""
        return None if self.tool_calls else "".join(self.pieces)

    @property
    def tokens(self) -> int:
        """Return the number of completion tokens."""
        return len(self.pieces) + sum(_count(json.dumps(call)) for call in self.tool_calls)


def _count(text: str) -> int:
    return -(-len(text) // 4)


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(p["text"]) for p in content if isinstance(p, dict) and "text" in p)
    return ""


def prompt_tokens(request: ChatRequest) -> int:
    """Return the number of tokens: about four characters each, and three more for each message."""
    return sum(_count(text_of(m.get("content"))) + 3 for m in request.messages) + _count(
        json.dumps(request.tools) if request.tools else ""
    )


def answer(request: ChatRequest, model: str, *, structured: bool = True, thoughts: int = 0) -> Answer:
    """Return the model's answer to the request.

    A model that is not `structured` answers a wish for JSON in words. `thoughts` are the tokens that it has spent
    already: they count for the request's limit, so a model may think until nothing is left for the answer.
    """
    called = _tool_to_call(request)
    if called is not None:
        return Answer((), "tool_calls", [_tool_call(called, request)])
    pieces = _TOKEN.findall(_text(request, model, structured=structured))
    limit = request.token_limit
    if limit is not None and len(pieces) + thoughts > limit:
        return Answer(tuple(pieces[: max(0, limit - thoughts)]), "length")
    return Answer(tuple(pieces), "stop")


def _question(request: ChatRequest) -> str:
    asked = [text_of(m.get("content")) for m in request.messages if m.get("role") == "user"]
    words = (asked[-1] if asked else "").split()
    return " ".join(words[:_ECHOED_WORDS]) + (" ..." if len(words) > _ECHOED_WORDS else "")


def _text(request: ChatRequest, model: str, *, structured: bool) -> str:
    question = _question(request)
    wanted = (structured and request.response_format) or {}
    if wanted.get("type") == "json_object":
        return json.dumps({"answer": f"About: {question}", "model": model})
    if wanted.get("type") == "json_schema":
        schema = (wanted.get("json_schema") or {}).get("schema") or {}
        return json.dumps(sample(schema, schema))
    return (
        f'Simulated answer of {model}. You asked: "{question}". '
        "The same question always gets these same words; no real model was called."
    )


def _tool_to_call(request: ChatRequest) -> dict[str, Any] | None:
    """Return the function to call: a named one, or the first when a call is required; never after a tool's result."""
    functions = [t.get("function") or {} for t in request.tools or [] if t.get("type") == "function"]
    if not functions or request.messages[-1].get("role") == "tool":
        return None
    if request.tool_choice == "required":
        return functions[0]
    if isinstance(request.tool_choice, dict):
        name = (request.tool_choice.get("function") or {}).get("name")
        return next((f for f in functions if f.get("name") == name), None)
    return None


def _tool_call(function: dict[str, Any], request: ChatRequest) -> dict[str, Any]:
    schema = function.get("parameters") or {"type": "object"}
    arguments = json.dumps(sample(schema, schema))
    name = str(function.get("name", ""))
    digest = sha256(f"{name}{arguments}{_question(request)}".encode()).hexdigest()[:24]
    return {
        "index": 0,
        "id": f"call_{digest}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def sample(schema: dict[str, Any], root: dict[str, Any], depth: int = 0) -> Any:
    """Return a value that fits a JSON schema; the usual keywords are supported."""
    schema = _resolved(schema, root)
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    if schema.get("enum"):
        return schema["enum"][0]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return sample(choices[0], root, depth + 1) if depth < _DEEPEST else None
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return _sample_object(schema, root, depth)
    if kind == "array":
        wanted = max(1, schema.get("minItems", 1)) if depth < _DEEPEST else 0
        return [sample(schema.get("items") or {}, root, depth + 1) for _ in range(wanted)]
    return _sample_scalar(kind, schema)


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Follow a local `$ref` and merge `allOf`."""
    if "$ref" in schema:
        target: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target.get(part, {}) if isinstance(target, dict) else {}
        return target if isinstance(target, dict) else {}
    if "allOf" in schema:
        merged = {k: v for k, v in schema.items() if k != "allOf"}
        for extra in (_resolved(part, root) for part in schema["allOf"]):
            properties = {**merged.get("properties", {}), **extra.get("properties", {})}
            merged = {**merged, **extra, **({"properties": properties} if properties else {})}
        return merged
    return schema


def _sample_object(schema: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    properties: dict[str, Any] = schema.get("properties") or {}
    required = schema.get("required") or []
    # At depth only required properties, and then none, so that a recursive schema ends.
    names = [n for n in properties if depth < _DEEPEST // 2 or (n in required and depth < _DEEPEST)]
    return {name: sample(properties[name], root, depth + 1) for name in names}


_FORMATS = {"date": "2026-01-15", "date-time": "2026-01-15T09:30:00Z", "time": "09:30:00Z"}


def _sample_scalar(kind: str, schema: dict[str, Any]) -> Any:
    if kind in ("integer", "number"):
        least = schema.get("exclusiveMinimum", 0) + 1
        value = schema.get("minimum", least)
        return min(value, schema.get("maximum", value))
    if kind in ("boolean", "null"):
        return True if kind == "boolean" else None
    text = _FORMATS.get(schema.get("format", ""), "example")
    text = text.ljust(schema.get("minLength", 0), ".")
    return text[: schema["maxLength"]] if "maxLength" in schema else text
