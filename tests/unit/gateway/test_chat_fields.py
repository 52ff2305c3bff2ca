"""What a chat may hold, field by field: the one form that goes on, and the path of what is wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gateway import policy
from gateway.policy import RefusedError
from tests.unit.gateway.given import CHAT, MODELS

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TOOL = {"type": "function", "function": {"name": "list_leads", "parameters": {"type": "object"}}}
NAMED = {"type": "function", "function": {"name": "list_leads"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "list_leads", "arguments": '{"a":1}'}}


def clean(**fields: Any) -> dict[str, Any]:
    """Return what is sent on; what is sent on is clean."""
    cleaned = policy.clean_chat(copy.deepcopy({**CHAT, **fields}), MODELS)
    assert policy.clean_chat(cleaned, MODELS) == cleaned
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
