"""Bodies that nobody wrote: whatever is sent, the gateway answers 200 or says what is wrong, and never fails itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import chat_fields, policy
from gateway.quota import Quota
from tests.unit.gateway.given import CHAT, MODELS, Client

# Half surrogates and numbers that are none are what a JSON parser lets pass.
words = st.text(max_size=12) | st.characters(categories=["Cs"]) | st.sampled_from(["user", "tool", "text", "function"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words
keys = st.sampled_from(
    [
        *("role", "content", "type", "text", "image_url", "url", "name", "tool_calls", "function", "arguments", "id"),
        *("tool_call_id", "reasoning_details", "parameters", "json_schema", "schema", "effort", "provider"),
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | words, inner, max_size=4),
    max_leaves=12,
)
parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "refusal", "file", "input_audio"]) | values},
    optional={"text": values, "refusal": values, "image_url": values},
)
calls = st.fixed_dictionaries({}, optional={"id": values, "type": values, "function": values})
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"]) | values},
    optional={
        "content": values | parts | st.lists(parts | words, max_size=3),
        "name": words,
        "tool_calls": values | st.lists(calls, max_size=2),
        "tool_call_id": words,
        "function_call": values,
        "reasoning_details": values,
        "provider_specific_fields": values,
    },
)
fields = st.sampled_from([*chat_fields.PASSED, "functions", "function_call", "include_reasoning", "metadata", "models"])
bodies = st.builds(
    lambda body, said: {**body, "model": MODELS[0], **said},
    st.dictionaries(fields | words, values, max_size=4),
    st.just({}) | st.fixed_dictionaries({"messages": st.lists(messages, min_size=1, max_size=3)}),
)
# Most of these pass: what is inside them goes on to LiteLLM, and to the model.
text_parts = st.one_of(words, st.fixed_dictionaries({"type": st.just("text"), "text": words}))
likely_messages = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["system", "user", "assistant", "tool"]),
        "content": words | st.lists(text_parts, min_size=1),
    },
    optional={"name": words, "reasoning": words, "tool_call_id": words},
)
tools = st.fixed_dictionaries(
    {"name": st.sampled_from(["f", "list_leads", "a b"])},
    optional={"description": words, "parameters": st.dictionaries(keys | words, values, max_size=2)},
).map(lambda function: {"type": "function", "function": function})
likely = st.fixed_dictionaries(
    {"model": st.just(MODELS[0]), "messages": st.lists(likely_messages, min_size=1, max_size=3)},
    optional={
        "stream": st.booleans(),
        "temperature": st.floats(0, 2),
        "max_tokens": st.integers(1),
        "seed": st.integers(-(2**64), 2**64),
        "stop": words | st.lists(words, max_size=3),
        "tools": st.lists(tools, max_size=2),
        "tool_choice": st.sampled_from(["auto", "none", "required", {"name": "f"}, None]),
        "response_format": st.sampled_from([{"type": "text"}, {"type": "json_object"}]),
        "reasoning": st.sampled_from([{"effort": "low"}, {"max_tokens": 10}, {}, None]),
        "metadata": values,
        "logit_bias": st.dictionaries(words, st.floats(-100, 100), max_size=2),
    },
)
any_body = likely | bodies | values | st.dictionaries(fields, values).map(lambda body: {**CHAT, **body})
quick = settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(quota=Quota(10**9))


def check(client: Client, body: object) -> None:
    """Send a body: only known fields reach LiteLLM, in a form that is clean already, or the answer says why not."""
    reached = len(client.inner.bodies)
    answer = client.request("POST", "/v1/chat/completions", content=json.dumps(body))
    if answer.status_code == 200:
        sent = client.inner.chat
        assert sent.keys() <= {"model", *chat_fields.PASSED}
        assert policy.clean_chat(sent, MODELS) == sent
    else:
        assert answer.status_code in (400, 403)
        error = answer.json()["error"]
        assert error["code"] in ("invalid_json", "invalid_request", "field_not_allowed", "model_not_found")
        assert error["message"]
        assert len(client.inner.bodies) == reached


@quick
@given(body=any_body)
def test_every_body_is_answered(client: Client, body: object) -> None:
    check(client, body)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(quick, max_examples=10_000)
@given(body=any_body)
def test_ten_thousand_bodies_are_answered(client: Client, body: object) -> None:
    check(client, body)


@quick
@given(content=st.binary(max_size=64) | st.text(alphabet='{}[]":,\\ud8-9aeE.+ntruefls', max_size=40).map(str.encode))
def test_no_bytes_make_the_gateway_fail(client: Client, content: bytes) -> None:
    answer = client.request("POST", "/v1/chat/completions", content=content)
    assert (answer.status_code, answer.json()["error"]["code"].isidentifier()) == (400, True)
