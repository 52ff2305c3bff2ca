"""The fields of a chat request that reach a model, each with the check that rebuilds its value.

A check returns only the parts that it knows, so an unknown key deep inside a message or a tool is dropped.
It raises `FieldError` with the end of a sentence that begins with the field's name.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

Check = Callable[[Any], Any]

MAX_MESSAGES = 1000
MAX_TOOLS = 128
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh"})
_FORMATS = frozenset({"text", "json_object", "json_schema"})


class FieldError(Exception):
    """A value that is not sent to any model; the text completes "<field> ..."."""


def _messages(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        raise FieldError("should be a list of messages")
    if len(value) > MAX_MESSAGES:
        raise FieldError(f"should hold at most {MAX_MESSAGES} messages")
    return [_message(message) for message in value]


def _message(value: Any) -> dict[str, Any]:
    fields = _object(value)
    message = {"role": _choice(fields.get("role"), _ROLES), "content": _content(fields.get("content"))}
    further: dict[str, Check] = {"name": _text, "tool_call_id": _text, "refusal": _text}
    further["tool_calls"] = partial(_list, longest=MAX_TOOLS, check=_tool_call)
    return message | _rebuilt(fields, further)


def _content(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return _list(value, MAX_MESSAGES, _part)


def _part(value: Any) -> dict[str, Any]:
    """Return text, or a picture that the request itself contains.

    LiteLLM would fetch a picture's address from any host that the client names. OpenRouter charges for the services
    that process files and audio.
    """
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "text":
        return {"type": "text", "text": _text(value.get("text"))}
    if kind != "image_url":
        raise FieldError("should hold parts of type text or image_url")
    image = value.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or not url.startswith("data:image/"):
        raise FieldError("should hold pictures as data:image/... addresses")
    return {"type": "image_url", "image_url": {"url": url}}


def _tool_call(value: Any) -> dict[str, Any]:
    called = value.get("function") if isinstance(value, dict) else None
    if not isinstance(called, dict):
        raise FieldError("should hold tool_calls with a function")
    function = {name: _text(called.get(name)) for name in ("name", "arguments")}
    return {"id": _text(value.get("id")), "type": "function", "function": function}


def _tool(value: Any) -> dict[str, Any]:
    """Return functions only: other kinds of tool at OpenRouter and LiteLLM are paid services or foreign servers."""
    function = _function(value, "should be tools of type function")
    further = {"description": _text, "parameters": _object, "strict": _flag}
    kept = {"name": _text(function.get("name")), **_rebuilt(function, further)}
    return {"type": "function", "function": kept}


def _tool_choice(value: Any) -> Any:
    if isinstance(value, str) and value in ("none", "auto", "required"):
        return value
    function = _function(value, "should be none, auto, required or a function")
    return {"type": "function", "function": {"name": _text(function.get("name"))}}


def _function(value: Any, otherwise: str) -> dict[str, Any]:
    function = value.get("function") if isinstance(value, dict) and value.get("type") == "function" else None
    if not isinstance(function, dict):
        raise FieldError(otherwise)
    return function


def _response_format(value: Any) -> Any:
    kind = _choice(_object(value).get("type"), _FORMATS)
    if kind != "json_schema":
        return {"type": kind}
    schema = _object(value.get("json_schema"))
    kept = {name: schema[name] for name in ("name", "description", "schema", "strict") if name in schema}
    return {"type": kind, "json_schema": kept}


def _stream_options(value: Any) -> Any:
    return {"include_usage": _flag(_object(value).get("include_usage", False))}


def _one(value: Any) -> Any:
    if value != 1 or isinstance(value, bool):
        raise FieldError("should be 1: each further answer would cost a request of the quota")
    return value


def _stop(value: Any) -> Any:
    return value if isinstance(value, str) else _list(value, 16, _text)


def _bias(value: Any) -> Any:
    return {_text(token): _number(weight) for token, weight in _object(value).items()}


def _rebuilt(fields: dict[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    return {name: check(fields[name]) for name, check in checks.items() if fields.get(name) is not None}


def _choice(value: Any, known: frozenset[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise FieldError(f"should hold one of {', '.join(sorted(known))}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise FieldError("should hold text where text belongs")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FieldError("should be true or false")
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FieldError("should be a number")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError("should be a whole number")
    return value


def _count(value: Any) -> int:
    if _whole(value) < 1:
        raise FieldError("should be 1 or more")
    return int(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FieldError("should be an object")
    return value


def _list(value: Any, longest: int, check: Check) -> list[Any]:
    if not isinstance(value, list) or len(value) > longest:
        raise FieldError(f"should be a list of at most {longest}")
    return [check(item) for item in value]


PASSED: Mapping[str, Check] = {
    "messages": _messages,
    "stream": _flag,
    "stream_options": _stream_options,
    "max_tokens": _count,
    "max_completion_tokens": _count,
    "temperature": _number,
    "top_p": _number,
    "frequency_penalty": _number,
    "presence_penalty": _number,
    "seed": _whole,
    "n": _one,
    "stop": _stop,
    "logit_bias": _bias,
    "logprobs": _flag,
    "top_logprobs": _whole,
    "tools": partial(_list, longest=MAX_TOOLS, check=_tool),
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _flag,
    "response_format": _response_format,
    "reasoning_effort": partial(_choice, known=_EFFORTS),
}
"""All fields of a chat request that reach a model, besides `model` itself."""
