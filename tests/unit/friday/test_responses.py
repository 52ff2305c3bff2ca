"""Every answer that is none, and every error status, becomes one typed error."""

import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friday.llm import errors
from friday.llm.errors import LlmError
from friday.llm.failures import error_for_status, retry_after
from friday.llm.responses import parse_result
from serving.causes import classify
from simulator.faults import RefusalKind
from simulator.refusals import ROWS, refused
from tests.unit.friday.upstream import good_answer

GOOD = good_answer("m/x:free")


def changed(**more: Any) -> bytes:
    return json.dumps(good_answer("m/x:free", **more)).encode()


def test_a_good_answer() -> None:
    result = parse_result(json.dumps(GOOD | {"news": 1}).encode())
    assert (result.text, result.model, result.id) == ("Hello", "m/x:free", "gen-1")
    assert result.usage is not None
    assert result.usage.total_tokens == 5
    assert result.choices[0].finish_reason == "stop"


def test_tool_calls_need_no_text() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    result = parse_result(changed(message={"role": "assistant", "content": None, "tool_calls": [call]}))
    assert result.text == ""
    assert result.choices[0].message.tool_calls is not None
    assert result.choices[0].message.tool_calls[0].function.name == "f"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", errors.BadResponse),
        (b"{", errors.BadResponse),
        (b"<html>", errors.BadResponse),
        (b"[]", errors.BadResponse),
        (b"[" * 100_000, errors.BadResponse),
        (b"null", errors.BadResponse),
        (b"{}", errors.EmptyAnswer),
        (json.dumps(GOOD | {"choices": []}).encode(), errors.EmptyAnswer),
        (json.dumps(GOOD | {"choices": None}).encode(), errors.EmptyAnswer),
        (json.dumps(GOOD | {"choices": "no"}).encode(), errors.BadResponse),
        (json.dumps(GOOD | {"choices": [7]}).encode(), errors.BadResponse),
        (json.dumps(GOOD | {"model": None}).encode(), errors.BadResponse),
        (json.dumps(GOOD | {"usage": {"prompt_tokens": -1}}).encode(), errors.BadResponse),
        (changed(text=""), errors.EmptyAnswer),
        (changed(text=" \n\t"), errors.EmptyAnswer),
        (changed(message={"content": None}), errors.EmptyAnswer),
        (changed(message="hi"), errors.BadResponse),
        (changed(finish_reason="error"), errors.BadResponse),
        (changed(error={"code": 502, "message": "x"}), errors.Unavailable),
        (b'{"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-day"}}', errors.QuotaSpent),
        (b'{"error": {"code": "429"}}', errors.RateLimited),
        (b'{"error": {"code": "overloaded"}}', errors.Unavailable),
        (b'{"error": "broken"}', errors.Unavailable),
        (b'{"error": {"code": 402}}', errors.PaymentRequired),
    ],
)
def test_an_answer_that_is_none(body: bytes, error: type[LlmError]) -> None:
    with pytest.raises(LlmError) as caught:
        parse_result(body)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("status", "error", "repeatable"),
    [
        (204, errors.BadResponse, False),
        (302, errors.BadResponse, False),
        (400, errors.RequestRefused, False),
        (401, errors.AuthenticationFailed, False),
        (402, errors.PaymentRequired, False),
        (403, errors.ModelNotFound, False),
        (404, errors.ModelNotFound, False),
        (408, errors.LlmTimeout, False),
        (413, errors.RequestRefused, False),
        (429, errors.RateLimited, True),
        (500, errors.Unavailable, False),
        (502, errors.Unavailable, True),
        (503, errors.Unavailable, True),
        (504, errors.LlmTimeout, False),
        (529, errors.Unavailable, False),
    ],
)
def test_each_status_has_its_error(status: int, error: type[LlmError], repeatable: bool) -> None:
    found = error_for_status(status, b"secret of user_1", {"retry-after": "3"})
    assert type(found) is error
    assert found.repeatable is repeatable
    assert found.status == status
    assert "user_1" not in str(found)


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (503, "gateway_closed", errors.GatewayClosed),
        (503, "server_error", errors.Unavailable),
        (500, "gateway_closed", errors.Unavailable),
    ],
)
def test_a_closed_gateway_differs_from_one_that_fails(status: int, kind: str, error: type[LlmError]) -> None:
    body = json.dumps({"error": {"message": "m", "type": kind, "param": None, "code": "503"}}).encode()
    assert type(error_for_status(status, body, {})) is error


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ("data_policy", errors.DataPolicyRefused),
        ("guardrail", errors.DataPolicyRefused),
        ("key_refused", errors.AuthenticationFailed),
        ("key_limit", errors.KeyLimitReached),
        ("negative_balance", errors.PaymentRequired),
        ("retired", errors.ModelNotFound),
        ("closed", errors.ModelNotFound),
        ("region", errors.ModelNotFound),
        ("model_minute", errors.RateLimited),
        ("shared_pool", errors.RateLimited),
        ("overloaded", errors.Unavailable),
        ("tools", errors.RequestRefused),
        ("image", errors.RequestRefused),
        ("audio", errors.RequestRefused),
        ("parameters", errors.RequestRefused),
        ("context", errors.RequestRefused),
        ("tool_name", errors.RequestRefused),
        ("schema", errors.RequestRefused),
        ("moderation", errors.RequestRefused),
        ("reasoning", errors.RequestRefused),
    ],
)
def test_what_openrouter_says_decides_and_not_the_status_alone(refusal: RefusalKind, error: type[LlmError]) -> None:
    said = refused(refusal, "m/x:free", "Acme")
    body = bytes(said.response("user_1").body)
    found = error_for_status(said.status, body, {})
    assert type(found) is error
    assert classify(said.status, body).fault is ROWS[refusal].cause
    assert "Acme" not in str(found)
    if isinstance(found, errors.AccountRefused):
        assert "openrouter.ai/settings/" in str(found)
        assert not found.repeatable
    with pytest.raises(error):
        parse_result(body)


def test_a_refused_request_names_the_field() -> None:
    said = refused("tool_name", "m/x:free", "Acme", index="2", pattern="^[a-z]+$")
    found = error_for_status(said.status, bytes(said.response().body), {})
    assert found.field == "tools[2].function.name"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("account_data_policy", errors.DataPolicyRefused),
        ("account_key_refused", errors.AuthenticationFailed),
        ("account_balance", errors.PaymentRequired),
        ("account_news", errors.AccountRefused),
        ("upstream_failed", errors.Unavailable),
    ],
)
def test_the_gateways_words_for_an_account_are_understood(code: str, error: type[LlmError]) -> None:
    body = json.dumps({"error": {"message": "m", "type": "api_error", "param": None, "code": code}}).encode()
    found = error_for_status(502, body, {})
    assert type(found) is error
    assert found.repeatable is (error is errors.Unavailable)


@pytest.mark.parametrize("kind", ["permission_error", "invalid_request_error"])
def test_a_403_of_the_gateway_or_the_edge_is_no_models(kind: str) -> None:
    body = json.dumps({"error": {"message": "m", "type": kind, "param": None, "code": "forbidden"}}).encode()
    assert type(error_for_status(403, body, {})) is errors.AuthenticationFailed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda x: st.lists(x, max_size=4) | st.dictionaries(st.sampled_from(["error", "code", "type", "metadata"]), x),
)


@given(status=st.integers(201, 599), body=json_values.map(lambda v: json.dumps(v).encode()) | st.binary(max_size=60))
def test_any_error_body_is_a_typed_error_without_its_words(status: int, body: bytes) -> None:
    found = error_for_status(status, body, {})
    assert found.status == status
    assert isinstance(found, errors.BadResponse) is (status < 400)


@pytest.mark.parametrize("mark", ["free-models-per-day", "free-models-per-min"])
def test_a_spent_quota_is_not_a_busy_model(mark: str) -> None:
    body = json.dumps({"error": {"message": f"Rate limit exceeded: {mark}. Add 10 credits"}}).encode()
    found = error_for_status(429, body, {})
    assert type(found) is errors.QuotaSpent
    assert not found.repeatable


def test_the_gateways_word_for_a_spent_quota_is_understood() -> None:
    body = b'{"error": {"message": "spent", "type": "rate_limit_error", "param": null, "code": "quota_spent"}}'
    assert type(error_for_status(429, body, {})) is errors.QuotaSpent


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("0", 0.0), ("1.5", 1.5), ("", None), ("soon", None), ("-1", None), ("inf", None), ("nan", None)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}) == seconds


def test_retry_after_a_date() -> None:
    soon = formatdate(time.time() + 30, usegmt=True)
    assert retry_after({"retry-after": soon}) == pytest.approx(30, abs=5)
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}) is None


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_json_is_an_answer_or_a_typed_error(data: object) -> None:
    with pytest.raises(LlmError):
        parse_result(json.dumps(data).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_typed_error(data: bytes) -> None:
    with pytest.raises(LlmError):
        parse_result(data)


def test_every_error_says_what_to_do() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LlmError)]
    assert len({kind.kind for kind in kinds}) == len(kinds) == 19
    for kind in kinds:
        assert kind.advice.endswith(".")
        assert 400 <= kind.http_status < 600
        assert kind.__name__ in (errors.__doc__ or "")
