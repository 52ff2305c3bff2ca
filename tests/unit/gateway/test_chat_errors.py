"""What is wrong in a chat is named by its path, with what was expected there."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.field_checks import MAX_DEPTH
from tests.unit.gateway.test_chat_fields import CALL, PICTURE, TOOL, refused

HTTPS_PICTURE = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}


def deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def at(part: object) -> dict[str, Any]:
    """Return a chat with the part in the third message, the second part of it."""
    before = {"role": "user", "content": "Hi"}
    return {"messages": [before, before, {"role": "user", "content": ["see", part]}]}


def schema(**changed: Any) -> dict[str, Any]:
    described = {"name": "lead", "schema": {"type": "object"}, **changed}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def tool(**changed: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": "f", **changed}}]}


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": None}, "messages", "a list of messages"),
    ({"messages": []}, "messages", "one or more"),
    ({"messages": "Hi"}, "messages", "(got text)"),
    ({"messages": ["Hi"]}, "messages[0]", "an object (got text)"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "assistant, developer"),
    ({"messages": [{"role": "root", "content": "x"}]}, "messages[0].role", "assistant, developer"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "(got a number)"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "one or more"),
    ({"messages": [{"role": "user", "content": []}]}, "messages[0].content", "one or more"),
    ({"messages": [{"role": "user", "content": "x", "name": 7}]}, "messages[0].name", "text (got a number)"),
    ({"messages": [{"role": "user", "content": "x"}] * 1001}, "messages", "at most 1000"),
    ({"messages": [{"role": "tool", "content": [PICTURE]}]}, "messages[0].content", "should be text"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]},
        "messages[0].tool_calls[0].function",
        "object",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"id": 1, "function": CALL["function"]}]}]},
        "messages[0].tool_calls[0].id",
        "text",
    ),
    (
        {"messages": [{"role": "assistant", "reasoning_details": [{"type": "x"}]}]},
        "messages[0].reasoning_details[0].type",
        "reasoning.text",
    ),
    (at(HTTPS_PICTURE), "messages[2].content[1].image_url", "data:image/"),
    (at({"type": "image_url", "image_url": {"url": ""}}), "messages[2].content[1].image_url", "data:image/"),
    (at({"type": "file", "file": {}}), "messages[2].content[1]", "neither files, audio nor video"),
    (at({"type": "file_url", "file_url": {}}), "messages[2].content[1]", "neither files, audio nor video"),
    (at({"type": "input_audio", "input_audio": {}}), "messages[2].content[1]", "neither files, audio nor video"),
    (at({"type": "text"}), "messages[2].content[1].text", "(got nothing)"),
    (at(7), "messages[2].content[1]", "an object (got a number)"),
    (tool(name="orders.list all"), "tools[0].function.name", "a-z, A-Z, 0-9, _ and -"),
    (tool(name="f\n"), "tools[0].function.name", "a-z, A-Z, 0-9, _ and -"),
    (tool(name="x" * 65), "tools[0].function.name", "1 to 64"),
    (tool(name=1), "tools[0].function.name", "1 to 64"),
    (tool(parameters="{}"), "tools[0].function.parameters", "an object (got text)"),
    (tool(parameters=deep(MAX_DEPTH + 1)), "tools[0].function.parameters", f"at most {MAX_DEPTH} deep"),
    (tool(parameters={"default": float("inf")}), "tools[0].function.parameters", "finite"),
    ({"tools": [TOOL, TOOL]}, "tools[1].function.name", "differ"),
    ({"tools": [{"type": "openrouter:web_search"}]}, "tools[0].type", "function"),
    ({"tools": [{"type": "mcp"}]}, "tools[0].type", "function"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "an object (got nothing)"),
    ({"tools": [TOOL] * 129}, "tools", "at most 128"),
    ({"functions": [{"name": "a b"}]}, "functions[0].name", "1 to 64"),
    ({"functions": [{"name": "a"}], "function_call": 1}, "function_call", "none, auto, required"),
    ({"tools": [TOOL], "tool_choice": "list_leads"}, "tool_choice", "auto, none, required"),
    ({"tools": [TOOL], "tool_choice": {"type": "web_search"}}, "tool_choice", "a function"),
    ({"tools": [TOOL], "tool_choice": {"type": []}}, "tool_choice", "a function"),
    ({"tools": [TOOL], "tool_choice": {"name": "other"}}, "tool_choice.function.name", "one of the tools"),
    ({"response_format": {"type": "grammar"}}, "response_format.type", "json_schema"),
    ({"response_format": "json"}, "response_format", "an object (got text)"),
    (schema(name=None), "response_format.json_schema.name", "1 to 64"),
    (schema(schema=None), "response_format.json_schema.schema", "an object (got nothing)"),
    (schema(strict=1), "response_format.json_schema.strict", "true or false"),
    ({"n": 2}, "n", "should be 1"),
    ({"n": True}, "n", "should be 1"),
    ({"stream": "yes"}, "stream", "true or false (got text)"),
    ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage", "true or false"),
    ({"max_tokens": 0}, "max_tokens", "1 or more"),
    ({"max_tokens": 1.5}, "max_tokens", "a whole number"),
    ({"max_tokens": True}, "max_tokens", "a whole number"),
    ({"temperature": "hot"}, "temperature", "from 0 to 2 (got text)"),
    ({"temperature": 2.1}, "temperature", "from 0 to 2"),
    ({"temperature": float("inf")}, "temperature", "from 0 to 2"),
    ({"temperature": float("nan")}, "temperature", "from 0 to 2"),
    ({"top_p": -0.1}, "top_p", "from 0 to 1"),
    ({"frequency_penalty": 3}, "frequency_penalty", "from -2 to 2"),
    ({"presence_penalty": -3}, "presence_penalty", "from -2 to 2"),
    ({"seed": 2**63}, "seed", "a whole number from"),
    ({"top_logprobs": 21}, "top_logprobs", "from 0 to 20"),
    ({"stop": [1]}, "stop[0]", "text"),
    ({"stop": ["x"] * 17}, "stop", "at most 16"),
    ({"logit_bias": {"1": "x"}}, "logit_bias", "from -100 to 100"),
    ({"logit_bias": dict.fromkeys(map(str, range(1025)), 1)}, "logit_bias", "at most 1024"),
    ({"reasoning": {"effort": "extreme"}}, "reasoning.effort", "one of high"),
    ({"reasoning": {"effort": "low", "max_tokens": 9}}, "reasoning", "not both"),
    ({"reasoning_effort": "extreme"}, "reasoning_effort", "one of high"),
]


@pytest.mark.parametrize(("fields", "path", "said"), WRONG)
def test_what_is_wrong_is_named_with_its_path(fields: dict[str, Any], path: str, said: str) -> None:
    error = refused(**fields)
    assert (error.status, error.code, error.param) == (400, "invalid_request", path)
    assert error.message.startswith(f"{path} should")
    assert said in error.message
