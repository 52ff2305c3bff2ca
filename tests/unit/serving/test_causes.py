"""Whose fault an answer is: the answers that people report, each with its cause."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving.causes import BROKEN, EMPTY, ROWS, TIMEOUT, UNREACHABLE, Fault, account_fixes, classify


def body(message: str, **metadata: Any) -> bytes:
    return json.dumps({"error": {"code": 0, "message": message, "metadata": metadata}, "user_id": "user_1"}).encode()


ANSWERS = [
    (401, body("No auth credentials found"), Fault.ACCOUNT, "key_refused"),
    (402, body("Insufficient credits"), Fault.ACCOUNT, "balance"),
    (402, body("Your account has a negative balance"), Fault.ACCOUNT, "balance"),
    (403, body("Key limit exceeded (total limit)"), Fault.ACCOUNT, "key_limit"),
    (404, body("No endpoints found matching your data policy (Free model publication)"), Fault.ACCOUNT, "data_policy"),
    (404, body("No endpoints available matching your guardrail restrictions"), Fault.ACCOUNT, "data_policy"),
    (
        404,
        body("The data policy of this account leaves no endpoint. See the privacy page"),
        Fault.ACCOUNT,
        "data_policy",
    ),
    (429, body("Rate limit exceeded: free-models-per-min. "), Fault.ACCOUNT, "quota"),
    (429, body("Rate limit exceeded", limit_source="free_tier_per_minute", provider_name=None), Fault.ACCOUNT, "quota"),
    (400, body("Provider returned error", raw="bad schema", provider_name="One"), Fault.REQUEST, "invalid"),
    (422, b"", Fault.REQUEST, "invalid"),
    (413, b"<html>", Fault.REQUEST, "invalid"),
    (400, body("This endpoint's maximum context length is 8192 tokens"), Fault.REQUEST, "context_length"),
    (400, body("Provider returned error", raw="input exceeds the context window"), Fault.REQUEST, "context_length"),
    (403, body("Input was flagged", reasons=["x"], flagged_input="data policy"), Fault.REQUEST, "moderation"),
    (404, body("No endpoints found that support image input"), Fault.REQUEST, "unsupported"),
    (404, body("No endpoints found", failed_routing_step="tools"), Fault.REQUEST, "unsupported"),
    (403, body("This model is only available on other sites"), Fault.MODEL, "closed"),
    (404, body("No endpoints found for vendor/model:free."), Fault.MODEL, "gone"),
    (404, b'{"error":"gone"}', Fault.MODEL, "gone"),
    (429, body("Provider returned error", limit_source="upstream_provider_shared_pool"), Fault.PROVIDER, "busy"),
    (429, body("limited", limit_source="openrouter_per_model_minute"), Fault.PROVIDER, "busy"),
    (408, b"", Fault.PROVIDER, "timeout"),
    (504, b"", Fault.PROVIDER, "timeout"),
    (500, b"", Fault.PROVIDER, "broken"),
    (502, b"[]", Fault.PROVIDER, "broken"),
    (302, b"", Fault.PROVIDER, "broken"),
]


@pytest.mark.parametrize(("status", "answer", "fault", "reason"), ANSWERS)
def test_each_answer_has_one_cause(status: int, answer: bytes, fault: Fault, reason: str) -> None:
    cause = classify(status, answer)
    assert (cause.fault, cause.reason) == (fault, reason)


def test_the_table_is_complete_and_each_row_says_where_it_is_from() -> None:
    seen = {classify(status, answer).reason for status, answer, _, _ in ANSWERS}
    assert seen == {row.cause.reason for row in ROWS}
    assert all(row.source for row in ROWS)
    accounts = {row.cause.reason for row in ROWS if row.cause.fault is Fault.ACCOUNT}
    assert account_fixes().keys() == accounts - {"quota"}  # which only time helps


def test_only_models_and_providers_rest() -> None:
    causes = [row.cause for row in ROWS] + [TIMEOUT, EMPTY, BROKEN, UNREACHABLE]
    assert {cause.fault for cause in causes if cause.rests} == {Fault.MODEL, Fault.PROVIDER}


def test_what_a_provider_or_a_user_said_does_not_make_it_the_accounts_fault() -> None:
    quoting = body("Provider returned error", raw="privacy, data policy, free-models-per-day", provider_name="One")
    assert classify(400, quoting).fault is Fault.REQUEST
    assert classify(429, quoting).fault is Fault.PROVIDER


@pytest.mark.parametrize(
    ("answer", "param"),
    [
        (b'{"error":{"message":"x","param":"temperature"}}', "temperature"),
        (b'{"error":{"message":"x","param":"secret words"}}', None),
        (body("Invalid 'tools[0].function.name': string does not match"), "tools[0].function.name"),
        (body("Provider returned error", raw='{"error":{"param":"messages.3.content.0"}}'), "messages[3].content[0]"),
        (body("Provider returned error", raw='{"error":{"param":"response_format"}}'), "response_format"),
        (body("stop talking about the model"), None),
        (b"not json", None),
    ],
)
def test_the_field_is_named_where_it_is_known_and_nothing_else_is(answer: bytes, param: str | None) -> None:
    assert classify(400, answer).param == param
