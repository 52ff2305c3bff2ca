"""The fields of a chat request that reach a model, each with the check that rebuilds its value.

A check returns only the parts that it knows, so an unknown key deep inside a message or a tool is dropped. The ranges
are those of OpenAI's and OpenRouter's API references.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.chat_messages import messages
from gateway.field_checks import (
    INT64,
    Check,
    FieldError,
    choice,
    flag,
    free_object,
    items,
    members,
    number,
    rebuilt,
    text,
    whole,
)

MAX_TOOLS = 128
MAX_OUTPUT_TOKENS = 32768  # what Friday's client asks for; a larger number is reduced to it
_MAX_BIASES = 1024
_EFFORTS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
_FORMATS = frozenset({"text", "json_object", "json_schema"})
_CHOICES = frozenset({"none", "auto", "required"})
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def clean(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known fields of a request, checked and in one form. What is null is missing.

    Applied to its own result it changes nothing. Raises `FieldError`.
    """
    given = {name: value for name, value in body.items() if value is not None}
    if "messages" not in given:
        raise FieldError("messages", "should be a list of messages, one or more (got nothing)")
    cleaned = {name: check(given[name], name) for name, check in PASSED.items() if name in given}
    cleaned = {name: value for name, value in cleaned.items() if value is not None}
    _take_functions(given, cleaned)
    _fit_choice(cleaned)
    if given.get("include_reasoning") is False and "reasoning" not in cleaned:
        cleaned["reasoning"] = {"exclude": True}
    if "effort" in cleaned.get("reasoning", {}):
        cleaned.pop("reasoning_effort", None)  # the same wish twice
    if not cleaned.get("stream"):
        cleaned.pop("stream_options", None)
    return cleaned


def _take_functions(given: Mapping[str, Any], cleaned: dict[str, Any]) -> None:
    """Turn `functions` and `function_call`, which OpenAI replaced in 2023, into what replaced them."""
    if "tools" not in cleaned and given.get("functions"):
        functions = items(_function, MAX_TOOLS)(given["functions"], "functions")
        cleaned["tools"] = [{"type": "function", "function": function} for function in functions]
        _no_name_twice(cleaned["tools"], "functions[{}].name")
        if "tool_choice" not in cleaned and "function_call" in given:
            cleaned["tool_choice"] = _tool_choice(given["function_call"], "function_call")


def _fit_choice(cleaned: dict[str, Any]) -> None:
    """Compare `tool_choice` with the tools that there are."""
    tools, wanted = cleaned.get("tools"), cleaned.get("tool_choice")
    if not tools:
        if wanted not in (None, "none", "auto"):
            raise FieldError("tool_choice", "should be none or auto, or the request should have tools")
        cleaned.pop("tool_choice", None)
        cleaned.pop("parallel_tool_calls", None)
    elif isinstance(wanted, dict) and wanted["function"] not in [{"name": tool["function"]["name"]} for tool in tools]:
        raise FieldError("tool_choice.function.name", "should be the name of one of the tools")


def _tools(value: Any, path: str) -> Any:
    tools = items(_tool, MAX_TOOLS)(value, path)
    _no_name_twice(tools or [], path + "[{}].function.name")
    return tools


def _no_name_twice(tools: list[dict[str, Any]], path: str) -> None:
    names = [tool["function"]["name"] for tool in tools]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise FieldError(path.format(index), "should differ from the names of the other tools")


def _tool(value: Any, path: str) -> dict[str, Any]:
    """Return functions only: other kinds of tool at OpenRouter and LiteLLM are paid services or foreign servers."""
    tool = members(value, path)
    if tool.get("type", "function") != "function":
        raise FieldError(f"{path}.type", "should be function")
    return {"type": "function", "function": _function(tool.get("function"), f"{path}.function")}


def _function(value: Any, path: str) -> dict[str, Any]:
    function = members(value, path)
    further: dict[str, Check] = {"description": text, "parameters": free_object, "strict": flag}
    return {"name": _name(function.get("name"), f"{path}.name"), **rebuilt(function, path, further)}


def _name(value: Any, path: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise FieldError(path, "should be 1 to 64 of the characters a-z, A-Z, 0-9, _ and -")
    return value


def _tool_choice(value: Any, path: str) -> Any:
    """Return a word or a function. Friday's own type has the bare {"name": ...} beside OpenAI's."""
    if isinstance(value, str):
        return choice(_CHOICES)(value, path)
    wanted = value if isinstance(value, dict) else {}
    form = wanted.get("type", "function")
    if isinstance(form, str) and form in _CHOICES:
        return form
    if form != "function" or not ("function" in wanted or "name" in wanted):
        raise FieldError(path, "should be none, auto, required or a function")
    name = members(wanted["function"], f"{path}.function").get("name") if "function" in wanted else wanted["name"]
    where = f"{path}.function.name" if "function" in wanted else f"{path}.name"
    return {"type": "function", "function": {"name": _name(name, where)}}


def _response_format(value: Any, path: str) -> Any:
    wanted = members(value, path)
    form = choice(_FORMATS)(wanted.get("type"), f"{path}.type")
    if form != "json_schema":
        return {"type": form}
    inside = f"{path}.json_schema"
    schema = members(wanted.get("json_schema"), inside)
    kept = {"name": _name(schema.get("name"), f"{inside}.name")}
    kept |= rebuilt(schema, inside, {"description": text, "strict": flag})
    return {"type": form, "json_schema": {**kept, "schema": free_object(schema.get("schema"), f"{inside}.schema")}}


def _reasoning(value: Any, path: str) -> dict[str, Any] | None:
    """Return OpenRouter's `reasoning`: how much a model may think, and whether the thoughts are answered too."""
    fields = rebuilt(
        members(value, path),
        path,
        {"effort": choice(_EFFORTS), "max_tokens": _tokens, "exclude": flag, "enabled": flag},
    )
    if "effort" in fields and "max_tokens" in fields:
        raise FieldError(path, "should hold effort or max_tokens, not both")
    return fields or None


def _stream_options(value: Any, path: str) -> Any:
    return rebuilt(members(value, path), path, {"include_usage": flag}) or None


def _one(value: Any, path: str) -> int:
    if value != 1 or isinstance(value, bool):
        raise FieldError(path, "should be 1: each further answer would cost a request of the quota")
    return 1


def _tokens(value: Any, path: str) -> int:
    return min(int(whole(1)(value, path)), MAX_OUTPUT_TOKENS)


def _stop(value: Any, path: str) -> Any:
    return value if isinstance(value, str) else items(text, 16)(value, path)


def _bias(value: Any, path: str) -> Any:
    biases = members(value, path)
    if len(biases) > _MAX_BIASES:
        raise FieldError(path, f"should hold at most {_MAX_BIASES} tokens")
    return {token: number(-100, 100)(weight, path) for token, weight in biases.items()} or None


PASSED: Mapping[str, Check] = {
    "messages": messages,
    "stream": flag,
    "stream_options": _stream_options,
    "max_tokens": _tokens,
    "max_completion_tokens": _tokens,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "seed": whole(-INT64, INT64 - 1),
    "n": _one,
    "stop": _stop,
    "logit_bias": _bias,
    "logprobs": flag,
    "top_logprobs": whole(0, 20),
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": flag,
    "response_format": _response_format,
    "reasoning": _reasoning,
    "reasoning_effort": choice(_EFFORTS),
}
"""All fields of a chat request that reach a model, besides `model` itself."""
