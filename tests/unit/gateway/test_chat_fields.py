"""What a chat may hold, field by field: the one form that goes on, and the path of what is wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gateway import policy
from gateway.field_checks import MAX_DEPTH
from gateway.policy import RefusedError
from tests.unit.gateway.given import CHAT, MODELS

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
HTTPS_PICTURE = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
TOOL = {"type": "function", "function": {"name": "list_leads", "parameters": {"type": "object"}}}
NAMED = {"type": "function", "function": {"name": "list_leads"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "list_leads", "arguments": '{"a":1}'}}


def clean(**fields: Any) -> dict[str, Any]:
    """Return what is sent on; what is sent on is clean."""
    cleaned = policy.clean_chat(copy.deepcopy({**CHAT, **fields}), MODELS)
    policy.check_clean(cleaned, MODELS)
    return cleaned


def refused(**fields: Any) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        policy.clean_chat({**CHAT, **fields}, MODELS)
    return caught.value


def message(given: dict[str, Any]) -> dict[str, Any]:
    only: dict[str, Any] = clean(messages=[given])["messages"][0]
    return only


def content(given: object, role: str = "user") -> Any:
    return message({"role": role, "content": given})["content"]


def deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("hej", "hej"),
        ({"type": "text", "text": "hej"}, [{"type": "text", "text": "hej"}]),
        (PICTURE, [PICTURE]),
        (["hej", "du"], [{"type": "text", "text": "hej"}, {"type": "text", "text": "du"}]),
        (["see", PICTURE], [{"type": "text", "text": "see"}, PICTURE]),
        ([{"type": "image_url", "image_url": "data:image/png;base64,AAAA"}], [PICTURE]),
        ([{"type": "text", "text": "a", "cache_control": {"type": "x"}}], [{"type": "text", "text": "a"}]),
    ],
)
def test_a_users_words_in_every_form(given: object, sent: object) -> None:
    assert content(given) == sent
    assert content(given, "developer") == sent


def test_the_detail_of_a_picture_goes_along() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
    assert content([part]) == [part]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("done", "done"),
        (None, ""),
        ({"leads": [{"id": 1, "navn": "Å"}]}, '{"leads":[{"id":1,"navn":"Å"}]}'),
        ([{"id": 1}, {"id": 2}], '[{"id":1},{"id":2}]'),
        ([], "[]"),
        (42, "42"),
        (False, "false"),
        ({"type": "text", "text": "done"}, "done"),
        ([{"type": "text", "text": "one"}, "two"], "one\ntwo"),
    ],
)
@pytest.mark.parametrize("role", ["tool", "function"])
def test_a_tools_result_is_text_whatever_it_was(role: str, given: object, sent: str) -> None:
    assert message({"role": role, "tool_call_id": "c1", "name": "f", "content": given}) == {
        "role": "tool",
        "content": sent,
        "name": "f",
        "tool_call_id": "c1",
    }


@pytest.mark.parametrize("empty", [None, []])
def test_an_answer_may_be_a_tool_call_alone(empty: object) -> None:
    given = {"role": "assistant", "content": empty, "tool_calls": [CALL]}
    assert message(given) == {**given, "content": None}
    assert message({"role": "assistant", "content": empty, "tool_calls": []}) == {"role": "assistant", "content": ""}
    assert message({"role": "assistant"}) == {"role": "assistant", "content": ""}


def test_a_refusal_is_text() -> None:
    refusal = {"type": "refusal", "refusal": "I may not."}
    assert content([refusal], "assistant") == [{"type": "text", "text": "I may not."}]
    assert message({"role": "assistant", "content": None, "refusal": "No."})["refusal"] == "No."


def test_arguments_that_are_an_object_become_json() -> None:
    call = {"id": "c1", "function": {"name": "list_leads", "arguments": {"a": 1}}}
    assert message({"role": "assistant", "content": "", "tool_calls": [call]})["tool_calls"] == [CALL]


DETAILS = [
    {"type": "reasoning.text", "text": "hm", "signature": "s", "format": "x", "index": 0, "id": "r1"},
    {"type": "reasoning.encrypted", "data": "AAAA"},
]


def test_earlier_thoughts_go_back_to_the_model() -> None:
    given = {"role": "assistant", "content": "a", "reasoning": "hm", "reasoning_details": DETAILS}
    assert message(given) == given
    # As the gateway answers them.
    answered = {"role": "assistant", "content": "a", "reasoning_content": "hm", "function_call": None}
    inside = {"provider_specific_fields": {"reasoning": "hm", "reasoning_details": DETAILS}}
    assert message({**answered, **inside}) == {
        "role": "assistant",
        "content": "a",
        "reasoning_content": "hm",
        "reasoning_details": DETAILS,
    }


def test_what_only_an_answer_has_is_dropped_elsewhere() -> None:
    user = {"role": "user", "content": "a", "tool_calls": [CALL], "reasoning": "x", "tool_call_id": "1"}
    assert message(user) == {"role": "user", "content": "a"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"name": "list_leads"}, NAMED),
        ({"type": "function", "name": "list_leads"}, NAMED),
        (NAMED, NAMED),
        ("required", "required"),
        ({"type": "auto"}, "auto"),
    ],
)
def test_a_choice_of_tool_in_every_form(given: object, sent: object) -> None:
    assert clean(tools=[TOOL], tool_choice=given)["tool_choice"] == sent


@pytest.mark.parametrize("choice", ["none", "auto", None])
@pytest.mark.parametrize("tools", [[], None])
def test_without_tools_there_is_nothing_to_choose(tools: object, choice: object) -> None:
    assert clean(tools=tools, tool_choice=choice, parallel_tool_calls=True) == CHAT


@pytest.mark.parametrize("choice", ["required", {"name": "list_leads"}])
def test_a_tool_that_is_not_there_cannot_be_chosen(choice: object) -> None:
    assert refused(tools=[], tool_choice=choice).param == "tool_choice"


def test_functions_are_tools() -> None:
    sent = clean(functions=[TOOL["function"]], function_call={"name": "list_leads"})
    assert (sent["tools"], sent["tool_choice"]) == ([TOOL], NAMED)
    assert "functions" not in sent
    assert clean(functions=[TOOL["function"]], function_call="auto")["tool_choice"] == "auto"
    assert clean(functions=[TOOL["function"]], tools=[TOOL]) == clean(tools=[TOOL])


def test_a_conversation_with_functions_is_one_with_tools() -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    user = {"role": "user", "content": "Hi"}
    sent = clean(messages=[user, called, {"role": "function", "name": "f", "content": "1"}])["messages"]
    assert sent[1]["tool_calls"] == [{"id": "call_f", "type": "function", "function": called["function_call"]}]
    assert sent[2] == {"role": "tool", "name": "f", "tool_call_id": "call_f", "content": "1"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning": {"effort": "low"}}),
        ({"reasoning": {"max_tokens": 10**9, "exclude": True}}, {"reasoning": {"max_tokens": 32768, "exclude": True}}),
        ({"reasoning": {}}, {}),
        ({"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "high"}, {"reasoning": {"effort": "low"}}),
        ({"include_reasoning": False}, {"reasoning": {"exclude": True}}),
        ({"include_reasoning": True}, {}),
    ],
)
def test_how_much_to_think_goes_along(given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert clean(**given) == {**CHAT, **sent}


@pytest.mark.parametrize(("wish", "given_"), [(1, 1), (32768, 32768), (10**9, 32768), (10**400, 32768)])
def test_a_wish_for_tokens_is_cut(wish: int, given_: int) -> None:
    cleaned = clean(max_tokens=wish, max_completion_tokens=wish)
    assert (cleaned["max_tokens"], cleaned["max_completion_tokens"]) == (given_, given_)


def test_what_only_a_stream_has_is_dropped_elsewhere() -> None:
    assert clean(stream_options={"include_usage": True}) == CHAT
    assert clean(stream=True, stream_options={"include_usage": True})["stream_options"] == {"include_usage": True}


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
