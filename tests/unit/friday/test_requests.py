"""What callers may ask for, and what goes over the wire."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friday.llm import Caller, InvokeParams
from friday.llm.constants import MAX_PROMPT_CHARS, MAX_TOKENS, STOCK_MODELS
from friday.llm.errors import InvalidRequest, PaidModelRefused
from friday.llm.requests import encode_body, gateway_model, parse_params
from tests.unit.friday.given import HI

TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


def body(params: dict[str, Any], *, stream: bool = False, direct: bool = False) -> dict[str, Any]:
    encoded = encode_body(parse_params(params), "m/x:free", stream=stream, direct=direct)
    decoded: dict[str, Any] = json.loads(encoded)
    return decoded


def message(**fields: object) -> dict[str, Any]:
    return {"messages": [fields]}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        (message(role="robot", content="x"), "messages.0.role"),
        (message(role="user"), "messages.0"),
        (message(role="user", content="x", colour="red"), "messages.0.colour"),
        (message(role="user", content=[{"type": "sound"}]), "messages.0.content"),
        (HI | {"max_tokens": 0}, "max_tokens"),
        (HI | {"max_tokens": -1}, "max_tokens"),
        (HI | {"max_tokens": MAX_TOKENS + 1}, "max_tokens"),
        (HI | {"max_tokens": "12"}, "max_tokens"),
        (HI | {"temperature": 2.1}, "temperature"),
        (HI | {"temperature": float("nan")}, "temperature"),
        (HI | {"model": "x" * 129}, "model"),
        (HI | {"model": "a b"}, "model"),
        (HI | {"api_key": "mine"}, "api_key"),
        (HI | {"tool_choice": "required"}, "tool_choice"),
        (HI | {"tools": [{"type": "function", "function": {"name": "no spaces"}}]}, "tools.0.function.name"),
        (message(role="user", content="x" * (MAX_PROMPT_CHARS + 1)), "messages"),
        ({"messages": [HI["messages"][0]] * 257}, "messages"),
    ],
)
def test_a_wrong_request_names_its_field(params: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_params(params)
    assert caught.value.field is not None
    assert caught.value.field.startswith(field)
    assert len(str(caught.value)) < 300, "the input is never repeated"


@pytest.mark.parametrize("model", ["openai/gpt-4o", "openrouter/openai/gpt-4o", "x/y:free/z", "x/y:FREE"])
def test_a_paid_model_is_refused(model: str) -> None:
    with pytest.raises(PaidModelRefused) as caught:
        parse_params(HI | {"model": model})
    assert caught.value.field == "model"


@given(st.text("abc/:.-", min_size=1, max_size=20))
def test_no_full_id_passes_without_the_free_mark(model: str) -> None:
    try:
        accepted = parse_params(HI | {"model": model})
    except InvalidRequest:
        return
    assert accepted.model is not None
    assert "/" not in model or model.endswith(":free")


def test_the_gateway_is_asked_for_long_names() -> None:
    assert gateway_model(InvokeParams.model_validate(HI)) == "openrouter/z-ai/glm-4.5-air:free"
    for short, long in STOCK_MODELS.items():
        assert gateway_model(parse_params(HI | {"model": short})) == long
        assert gateway_model(parse_params(HI | {"model": long})) == long
    assert gateway_model(parse_params(HI | {"model": "gemma-4-31b"})) == "gemma-4-31b"


def test_a_plain_body_is_fridays() -> None:
    assert body(HI) == {"model": "m/x:free", "messages": HI["messages"], "max_tokens": 32768}


def test_a_stream_asks_for_usage_and_the_direct_path_for_cost() -> None:
    sent = body(HI, stream=True, direct=True)
    assert sent["stream"] is True
    assert sent["stream_options"] == {"include_usage": True}
    assert sent["usage"] == {"include": True}


def test_the_direct_path_lets_openrouter_charge_nothing() -> None:
    asked: dict[str, str | bool] = {"data_collection": "deny", "zdr": True}
    sent = json.loads(encode_body(parse_params(HI), "m/x:free", stream=False, direct=True, demands=asked))["provider"]
    assert {name: sent[name] for name in asked} == asked
    assert body(HI, direct=True)["provider"].keys() == {"max_price"}
    prices = body(HI, direct=True)["provider"]["max_price"]
    assert set(prices) == {"prompt", "completion", "request", "image"}
    assert set(prices.values()) == {0}


def test_tools_schema_and_parts_go_through() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}
    parts = [{"type": "text", "text": "What is it?"}, image]
    schema = {"type": "json_schema", "json_schema": {"name": "out", "schema": {"type": "object"}, "strict": True}}
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": parts},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
    ]
    sent = body({"messages": messages, "tools": [TOOL], "response_format": schema, "temperature": 0.5})
    assert sent["messages"] == messages
    assert sent["tools"] == [TOOL]
    assert sent["response_format"] == schema
    assert sent["temperature"] == 0.5


def test_required_becomes_the_name_of_the_only_tool() -> None:
    named = {"type": "function", "function": {"name": "look_up"}}
    assert body(HI | {"tools": [TOOL], "tool_choice": "required"})["tool_choice"] == named
    assert body(HI | {"tools": [TOOL], "tool_choice": named})["tool_choice"] == named
    assert body(HI | {"tools": [TOOL, TOOL], "tool_choice": "required"})["tool_choice"] == "required"
    assert body(HI | {"tools": [TOOL], "tool_choice": "auto"})["tool_choice"] == "auto"


def test_half_characters_do_not_break_the_encoding() -> None:
    params = InvokeParams.model_construct(messages=[], model=None, max_tokens=1)
    assert encode_body(params, "\ud800", stream=False, direct=False).isascii()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"user_id": -1}, "user_id"),
        ({"user_id": 2**53}, "user_id"),
        ({"user_id": True}, "user_id"),
        ({"user_id": "7"}, "user_id"),
        ({"feature": "mining"}, "feature"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 601}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
    ],
)
def test_a_wrong_caller_names_its_field(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Caller(**arguments)
    assert caught.value.field == field
