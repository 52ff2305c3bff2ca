"""The messages of a chat, in the form that every model takes.

Clients write the same message in several ways: one part in place of a list, text among the parts, a tool's result as
an object, OpenAI's older `function_call`. Each is turned into the one that OpenRouter documents.
"""

import json
from typing import Any

from gateway.field_checks import Check, FieldError, choice, free_value, items, kind, members, rebuilt, text, whole

MAX_MESSAGES = 1000
MAX_PARTS = 1000
MAX_TOOL_CALLS = 128
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_DETAILS = frozenset({"auto", "low", "high"})
_NOT_TAKEN = "should be of type text or image_url; this gateway takes neither files, audio nor video"
_NO_PICTURE = "should be a data:image/...;base64, address: this gateway fetches nothing from other hosts"
_THOUGHTS = frozenset({"reasoning.text", "reasoning.summary", "reasoning.encrypted"})


def messages(value: Any, path: str) -> list[dict[str, Any]]:
    """Return the messages of a chat, one at least."""
    checked: list[dict[str, Any]] | None = items(_message, MAX_MESSAGES)(value, path)
    if not checked:
        raise FieldError(path, "should be a list of messages, one or more")
    return checked


def _message(value: Any, path: str) -> dict[str, Any]:
    fields = members(value, path)
    role = choice(_ROLES)(fields.get("role"), f"{path}.role")
    if role == "assistant":
        return _answer(fields, path)
    if role in ("tool", "function"):
        return _tool_result(fields, path)
    content = _content(fields.get("content"), f"{path}.content")
    if content is None:
        raise FieldError(f"{path}.content", "should be text or a list of parts, one or more")
    return {"role": role, "content": content, **rebuilt(fields, path, {"name": text})}


def _answer(fields: dict[str, Any], path: str) -> dict[str, Any]:
    """Return an answer of a model that the client sends back, with its tool calls and its thoughts."""
    further: dict[str, Check] = {"name": text, "refusal": text, "tool_calls": items(_tool_call, MAX_TOOL_CALLS)}
    # What it thought goes back too: some models need it to go on after a tool call.
    further |= {"reasoning": text, "reasoning_content": text, "reasoning_details": items(_thought, MAX_PARTS)}
    kept = rebuilt(_with_details(fields), path, further)
    called = fields.get("function_call")
    if called is not None and "tool_calls" not in kept:
        function = _called(called, f"{path}.function_call")
        kept["tool_calls"] = [{"id": _id_of(function["name"]), "type": "function", "function": function}]
    content = _content(fields.get("content"), f"{path}.content")
    if content is None and "tool_calls" not in kept:
        content = ""
    return {"role": "assistant", "content": content, **kept}


def _with_details(fields: dict[str, Any]) -> dict[str, Any]:
    """Return an answer's fields with the thoughts' details where OpenRouter reads them: LiteLLM puts them elsewhere."""
    inside = fields.get("provider_specific_fields")
    details = inside.get("reasoning_details") if isinstance(inside, dict) else None
    return fields if details is None else {"reasoning_details": details, **fields}


def _tool_result(fields: dict[str, Any], path: str) -> dict[str, Any]:
    message = {"role": "tool", "content": _result(fields.get("content"), f"{path}.content")}
    message |= rebuilt(fields, path, {"name": text, "tool_call_id": text})
    if fields["role"] == "function" and "tool_call_id" not in message:
        message["tool_call_id"] = _id_of(message.get("name", ""))
    return message


def _id_of(function: str) -> str:
    """Return the id that joins a `function_call` and its result, which have none: both name the function."""
    return f"call_{function}"


def _content(value: Any, path: str) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return [_part(value, path)]
    if not isinstance(value, list):
        raise FieldError(path, f"should be text or a list of parts (got {kind(value)})")
    return items(_part, MAX_PARTS)(value, path)


def _part(value: Any, path: str) -> dict[str, Any]:
    """Return text, or a picture that the request itself contains.

    LiteLLM would fetch a picture's address from any host that the client names. OpenRouter charges for the services
    that process files and audio.
    """
    if isinstance(value, str):
        return {"type": "text", "text": value}
    part = members(value, path)
    if part.get("type") == "text":
        return {"type": "text", "text": text(part.get("text"), f"{path}.text")}
    if part.get("type") == "refusal":
        return {"type": "text", "text": text(part.get("refusal"), f"{path}.refusal")}
    if part.get("type") != "image_url":
        raise FieldError(path, _NOT_TAKEN)
    return {"type": "image_url", "image_url": _picture(part.get("image_url"), f"{path}.image_url")}


def _picture(value: Any, path: str) -> dict[str, Any]:
    image = {"url": value} if isinstance(value, str) else members(value, path)
    url = image.get("url")
    if not isinstance(url, str) or not url.startswith("data:image/") or ";base64," not in url[:100]:
        raise FieldError(path, _NO_PICTURE)
    return {"url": url, **rebuilt(image, path, {"detail": choice(_DETAILS)})}


def _result(value: Any, path: str) -> str:
    """Return a tool's result as text. One that is no text, and no list of texts, becomes JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    parts = value if isinstance(value, list) else [value]
    texts = [_text_of(part) for part in parts]
    if parts and None not in texts:
        return "\n".join(str(each) for each in texts)
    if any(isinstance(part, dict) and part.get("type") == "image_url" for part in parts):
        raise FieldError(path, "should be text: a picture belongs into a message of the user")
    return _json(value, path)


def _text_of(part: Any) -> str | None:
    if isinstance(part, dict) and part.get("type") == "text":
        part = part.get("text")
    return part if isinstance(part, str) else None


def _tool_call(value: Any, path: str) -> dict[str, Any]:
    call = members(value, path)
    function = _called(call.get("function"), f"{path}.function")
    return {"id": text(call.get("id"), f"{path}.id"), "type": "function", "function": function}


def _called(value: Any, path: str) -> dict[str, Any]:
    function = members(value, path)
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = _json(members(arguments, f"{path}.arguments"), f"{path}.arguments")
    return {"name": text(function.get("name"), f"{path}.name"), "arguments": arguments}


def _json(value: Any, path: str) -> str:
    return json.dumps(free_value(value, path), ensure_ascii=False, separators=(",", ":"))


def _thought(value: Any, path: str) -> dict[str, Any]:
    """Return one of `reasoning_details` as OpenRouter documents them."""
    fields = members(value, path)
    checks: dict[str, Check] = {"type": choice(_THOUGHTS), "index": whole(0, 10**6)}
    checks |= dict.fromkeys(("id", "format", "text", "summary", "data", "signature"), text)
    return rebuilt(fields, path, checks)
