"""The request filter with an application of the test's own behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.environment import Gateway, StartError
from gateway.quota import Quota
from gateway.request_context import RequestContext
from gateway.request_filter import Life
from gateway.rests import Rest
from serving.causes import EMPTY, TIMEOUT, UNREACHABLE, Cause, classify
from serving.drain import Message
from tests.unit.gateway.given import (
    CHAT,
    EDGE_KEY,
    GATEWAY_KEY,
    MODELS,
    OPS_KEY,
    WHOLE,
    CallError,
    Client,
    Inner,
    at_work,
    calling,
    failing,
    gateway,
)


def test_a_chat_reaches_litellm_clean_and_rebuilt() -> None:
    client = Client()
    answer = client.request(
        "POST",
        "/chat/completions?model=openai/gpt-4o",
        json={**CHAT, "thinking": {}},
        headers={"x-litellm-timeout": "1", "x-forwarded-for": "1.2.3.4", "api-key": "x"},
    )
    assert answer.status_code == 200
    assert client.inner.chat == CHAT


def test_a_response_says_who_answered_and_nothing_else_about_the_inside() -> None:
    answer = Client().chat()
    assert set(answer.headers) == {"content-type", "content-length", "x-request-id", "x-gateway-model"}
    assert len(answer.headers["x-request-id"]) == 16


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_of_the_first_model_has_the_name_that_was_asked(name: str) -> None:
    client = Client()
    assert client.chat(model=name).json()["model"] == name
    assert client.counted("gateway_chats_total", status="200") == 1
    assert client.counted("gateway_chat_seconds_count") == client.counted("gateway_overhead_seconds_count") == 1


@pytest.mark.parametrize(("given", "kept"), [("edge-id.1", True), ("x" * 65, False), ("a b", False), ('"\\', False)])
def test_one_request_id_runs_through_unless_it_is_not_fit_to_be_logged(given: str, kept: bool) -> None:
    answer = Client().request("POST", "/v1/chat/completions", json=CHAT, headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is kept


def test_another_model_that_answered_is_named_and_counted() -> None:
    async def fall_back(inner: Inner) -> None:
        context = at_work()
        context.model, context.plain = "minimax/minimax-m3:free", WHOLE

    client = Client(fall_back)
    answer = client.chat()
    assert answer.headers["x-gateway-model"] == "minimax/minimax-m3:free"
    assert answer.json()["model"] == "openrouter/minimax/minimax-m3:free"
    assert client.counted("gateway_fallbacks_total", model="minimax/minimax-m3:free") == 1


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("POST", "/v1/chat/completions", None, 401),
        ("POST", "/v1/chat/completions", "wrong-key-0123456789", 401),
        ("POST", "/v1/chat/completions", OPS_KEY, 403),
        ("GET", "/metrics", None, 401),
        ("GET", "/metrics", GATEWAY_KEY, 403),
        ("GET", "/health/readiness/details", GATEWAY_KEY, 403),
        ("GET", "/health", GATEWAY_KEY, 403),
        ("GET", "/health/summary", None, 401),
        ("GET", "/health/summary", OPS_KEY, 403),
        ("GET", "/metrics", EDGE_KEY, 403),
        ("GET", "/openrouter/v1/key", GATEWAY_KEY, 404),
        ("DELETE", "/v1/models", GATEWAY_KEY, 405),
    ],
)
def test_refusals_never_reach_litellm(method: str, path: str, key: str | None, status: int) -> None:
    client = Client()
    answer = client.request(method, path, key=key)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert client.inner.bodies == []
    assert client.refusals(answer.json()["error"]["code"]) == 1
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_spent_quota_is_429_at_once_and_no_model_is_asked() -> None:
    quota = Quota(1)
    client = Client(calling(quota), quota=quota)
    assert client.chat().status_code == 200
    for _ in range(3):
        answer = client.chat()
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "62")
        assert answer.json()["error"]["code"] == "quota_spent"
    assert len(client.inner.bodies) == 2  # the second one found out
    assert client.refusals("quota_spent") == 3
    assert client.counted("gateway_chats_total", status="429") == 3


def test_a_quota_spent_by_fallbacks_is_429_too() -> None:
    async def spent(inner: Inner) -> None:
        context = at_work()
        context.attempts, context.quota_wait = 1, 7
        raise CallError(500)

    answer = Client(spent).chat()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"]["code"] == "quota_spent"


def test_a_refused_request_costs_no_quota() -> None:
    quota = Quota(1)
    client = Client(calling(quota), quota=quota)
    assert client.chat(api_key="x").status_code == 403
    assert client.chat(model="openai/gpt-4o").status_code == 400
    assert client.chat().status_code == 200


@pytest.mark.parametrize(
    ("inside", "outside", "code"),
    [
        (400, 400, "bad_request"),
        (401, 502, "upstream_failed"),
        (404, 502, "upstream_failed"),
        (408, 504, "upstream_timeout"),
        (429, 429, "models_busy"),
        (500, 502, "upstream_failed"),
        (503, 503, "overloaded"),
        (520, 502, "upstream_failed"),
    ],
)
def test_litellms_errors_are_replaced(inside: int, outside: int, code: str) -> None:
    client = Client(failing(inside))
    answer = client.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (outside, code)
    assert client.counted("gateway_chats_total", status=str(outside)) == 1
    assert not any(word in answer.text for word in ("litellm", "secret", "SECRET", "up-x"))


def quota_is_spent(context: RequestContext) -> None:
    context.quota_wait = 7


def failed(*causes: Cause, rests: float | None = None) -> Callable[[RequestContext], None]:
    def happen(context: RequestContext) -> None:
        context.failures.extend(causes)
        context.new_rests.extend([] if rests is None else [rests])

    return happen


def account(context: RequestContext) -> None:
    context.account = classify(401, b"")


def doubted(context: RequestContext) -> None:
    context.doubt = ("m", classify(402, b""))


def all_rest(context: RequestContext) -> None:
    context.resting = {"m": Rest(30.2, "busy"), "n": Rest(12.4, "gone")}


TOO_LONG = classify(400, b'{"error":{"message":"the maximum context length is 8192 tokens"}}')
WRONG_NAME = classify(400, b'{"error":{"message":"bad","param":"tools[2].function.name"}}')
BUSY = classify(429, b"")


@pytest.mark.parametrize(
    ("happens", "status", "code", "more"),
    [
        (quota_is_spent, 429, "quota_spent", "7"),
        (account, 502, "account_key_refused", None),
        (doubted, 502, "account_balance", None),
        (all_rest, 429, "models_busy", "13"),
        (failed(BUSY, TIMEOUT, rests=20), 429, "models_busy", "20"),
        (failed(TIMEOUT, BUSY, rests=20), 504, "upstream_timeout", None),
        (failed(EMPTY), 502, "upstream_failed", None),
        (failed(UNREACHABLE), 502, "upstream_unreachable", None),
        (failed(classify(403, b"")), 503, "models_unavailable", None),
        (failed(BUSY, TOO_LONG), 400, "context_length_exceeded", None),
        (failed(WRONG_NAME), 400, "bad_request", None),
    ],
)
def test_what_happened_to_the_calls_decides_what_a_client_is_told(
    happens: Callable[[RequestContext], None], status: int, code: str, more: str | None
) -> None:
    async def answer(inner: Inner) -> None:
        happens(at_work())
        raise CallError(400)

    answer_ = Client(answer).chat()
    assert (answer_.status_code, answer_.json()["error"]["code"]) == (status, code)
    assert answer_.headers.get("retry-after") == more
    assert answer_.json()["error"]["param"] == ("tools[2].function.name" if code == "bad_request" else None)


def test_a_key_is_not_shown_with_the_settings() -> None:
    shown = repr(gateway())
    assert isinstance(gateway(), Gateway)
    assert not any(key in shown for key in (GATEWAY_KEY, OPS_KEY, "sk-or-0123456789"))


def test_a_mistake_of_ours_is_an_error_without_details(caplog: pytest.LogCaptureFixture) -> None:
    async def answers_by_itself(inner: Inner) -> None:
        """LiteLLM answers, and has not asked the transport."""

    answer = Client(answers_by_itself).chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")

    async def half(inner: Inner) -> None:
        at_work().plain = {}

    answer = Client(half).chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")
    assert "KeyError" in caplog.text


def life_of(client: Client) -> list[Message]:
    """Start and end the gateway as a server does; return what it is told."""
    asked: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return asked.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(client.filter({"type": "lifespan"}, receive, send))
    return sent


def test_it_serves_when_the_start_has_proved_itself_and_says_goodbye_to_the_quota() -> None:
    quota = Quota(5)
    client = Client(quota=quota)
    assert [message["type"] for message in life_of(client)] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert client.started == ["started", "ended"]
    assert asyncio.run(quota.take()) > 0, "no more calls"


def test_a_start_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails() -> None:
        raise StartError("this LiteLLM does not ask the guard")

    client = Client()
    monkeypatch.setattr(client.filter, "_life", Life(fails, fails))
    assert life_of(client) == [{"type": "lifespan.startup.failed", "message": "this LiteLLM does not ask the guard"}]
