"""Nobody gets past the gateway to a paid model, a foreign host or another key; nothing is open that should not be."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from indicators import INDICATORS
from testing.record import Record, Recorder, Tally
from tests.integration.gateway_container import (
    CHAT,
    KEYS,
    GatewayContainer,
    error_of,
    gateway,
)
from tests.integration.gateway_upstream import UPSTREAM_WORDS, USER_ID, Upstream

pytestmark = [pytest.mark.engine, pytest.mark.beside]
Locked = tuple[GatewayContainer, Upstream]

# Each stands for a way past an unlocked LiteLLM: to a paid model, a foreign host, another key, or a price. The locks go
# by the name of a field or by what is allowed in it, so a meaningless value shows them as well as one that would lead
# somewhere.
BODY_LEAKS: dict[str, dict[str, Any]] = {
    "paid model": {"model": "openai/gpt-4o"},
    "paid model of the provider": {"model": "openrouter/openai/gpt-4o"},
    "several models in one name": {"model": "one,two"},
    "internal group": {"model": "up-gemma-4-31b"},
    "internal deployment": {"model": "dep-gemma-4-31b"},
    **{name: {name: ["a"]} for name in ("models", "plugins", "fallbacks", "model_list", "guardrails")},
    **{name: {name: "x"} for name in ("api_key", "api_base", "base_url", "custom_llm_provider", "prompt_id")},
    **{name: {name: {"a": 1}} for name in ("extra_body", "extra_headers", "provider", "user_config", "litellm_params")},
    **{name: {name: {"a": 1}} for name in ("web_search_options", "mock_response")},
    "tool of the provider's": {"tools": [{"type": "x"}]},
    "tool on another host": {"tools": [{"type": "mcp"}]},
    "mock fallbacks": {"mock_testing_fallbacks": True},
    "picture by address": {
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": ""}}]}]
    },
    "file": {"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
}

HARMLESS: dict[str, Any] = {
    "metadata": {"session_id": "run-7", "tags": ["app:x"], "model_info": {"id": "x"}, "user_api_key": "x"},
    **{"litellm_session_id": "run-7", "litellm_metadata": {"tags": ["x"]}, "tags": ["x"], "num_retries": 3},
    **{"drop_params": False, "cache": {"no-cache": True}, "disable_fallbacks": True, "user": "7", "store": True},
    **{"thinking": {"budget_tokens": 128}, "api_base": "", "models": [], "extra_body": None},
}

# Documented routes of LiteLLM's that no user of this gateway needs.
ROUTE_LEAKS = [
    *("POST /openrouter/v1/chat/completions", "GET /openrouter/v1/key", "GET /openrouter/v1/credits"),
    *("POST /openai/v1/chat/completions", "POST /anthropic/v1/messages", "POST /vllm/chat/completions"),
    *("POST /gemini/v1beta/models/x:generateContent", "POST /bedrock/model/x/invoke", "GET /azure/x"),
    *("POST /v1/responses", "POST /v1/embeddings", "POST /v1/messages", "POST /v1/completions", "POST /rerank"),
    *("POST /utils/transform_request", "POST /model/new", "POST /key/generate", "POST /health/test_connection"),
    *("POST /config/update", "GET /get/config/callbacks", "GET /ui/", "GET /docs", "GET /openapi.json", "GET /routes"),
    *("GET /model/info", "GET /v1/model/info", "GET /sso/key/generate", "POST /v1/images/generations"),
    *("POST /engines/gemma-4-31b/chat/completions", "POST /openai/deployments/gemma-4-31b/chat/completions"),
    *("POST /mcp", "POST /v1/audio/speech", "POST /queue/chat/completions", "POST /v1/batches", "POST /v1/files"),
]


@pytest.fixture(scope="module")
def locked() -> Iterator[Locked]:
    upstream = Upstream()
    with gateway(upstream) as running:
        yield running, upstream
    upstream.close()


@pytest.fixture(scope="module")
def tally(record: Recorder) -> Iterator[Tally]:
    """Count the inputs of this module's tests."""
    made = Tally("locks")
    yield made
    made.say(record)


@pytest.fixture(autouse=True)
def _nothing_leaves_that_costs(locked: Locked) -> Iterator[None]:
    _, upstream = locked
    upstream.reset()
    yield
    for request in upstream.received:
        assert request.authorization == f"Bearer {KEYS['openrouter_api_key']}"
        assert str(request.body["model"]).endswith(":free")
        assert request.body["provider"] == {"max_price": {"prompt": 0, "completion": 0, "request": 0, "image": 0}}
        assert request.path == "/api/v1/chat/completions"


@pytest.mark.parametrize("leak", BODY_LEAKS)
def test_a_body_that_leads_elsewhere_is_refused(locked: Locked, tally: Tally, leak: str) -> None:
    running, upstream = locked
    with tally.trying("a chat asks for a paid model, a foreign host, another key or a price", refused=True):
        answer = running.chat(**BODY_LEAKS[leak])
        assert answer.status_code in (400, 403)
        assert upstream.received == []


@pytest.mark.parametrize("route", ROUTE_LEAKS)
@pytest.mark.parametrize("key", ["gateway_key", "ops_key", None])
def test_a_route_that_is_not_served_does_not_exist(locked: Locked, tally: Tally, route: str, key: str | None) -> None:
    running, upstream = locked
    method, path = route.split(" ")
    with tally.trying("a route of LiteLLM's that is not served is asked for", refused=True):
        assert running.request(method, path, key, json=CHAT if method == "POST" else None).status_code == 404
        assert upstream.received == []


@pytest.mark.parametrize(
    "headers",
    [
        {"x-litellm-num-retries": "0", "x-litellm-timeout": "60", "x-litellm-tags": "a"},
        {"x-litellm-api-key": "x", "api-key": "x", "x-api-key": "x"},
        {"x-litellm-model": "x", "openai-organization": "x", "x-pass-authorization": "x"},
    ],
)
def test_headers_steer_nothing(locked: Locked, tally: Tally, headers: dict[str, str]) -> None:
    running, upstream = locked
    with tally.trying("headers ask for another model or key; the free model answers"):
        answer = running.request("POST", "/v1/chat/completions?model=x&api_key=x", json=CHAT, headers=headers)
        assert answer.status_code == 200
        assert upstream.models == ["google/gemma-4-31b-it:free"]


def test_a_strangers_key_does_not_stay(locked: Locked, tally: Tally) -> None:
    running, upstream = locked
    for _ in range(5):
        with tally.trying("a chat brings a key of its own", refused=True):
            assert running.chat(api_key="x").status_code == 403
        with tally.trying("the chat after it is sent with the gateway's key"):
            assert running.chat().status_code == 200
    assert len(upstream.received) == 5


def test_harmless_fields_change_nothing_and_do_not_travel(locked: Locked) -> None:
    running, upstream = locked
    assert running.chat(**HARMLESS, max_tokens=10**9).status_code == 200
    assert upstream.received[0].body.keys() == {"model", "messages", "stream", "max_tokens", "usage", "provider"}
    assert upstream.received[0].body["max_tokens"] == 32768


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/metrics", None, 401),
        ("/metrics", "gateway_key", 403),
        ("/metrics/", "gateway_key", 403),
        ("/metrics", "ops_key", 200),
        ("/health/readiness/details", None, 401),
        ("/health/readiness/details", "ops_key", 200),
        ("/health", "gateway_key", 403),
        ("/health", "ops_key", 400),
        ("/health?model=minimax-m2-free", "ops_key", 200),
        ("/health/liveliness", None, 200),
        ("/health/readiness", None, 200),
        ("/v1/models", None, 401),
        ("/v1/models", "gateway_key", 200),
        ("/v1/models", "edge_key", 200),
        ("/metrics", "edge_key", 403),
    ],
)
def test_each_route_opens_for_its_key(locked: Locked, tally: Tally, path: str, key: str | None, status: int) -> None:
    with tally.trying("a route that is served is asked for with each key", refused=status != 200):
        assert locked[0].request("GET", path, key).status_code == status


def test_metrics_hold_what_was_done_and_that_it_cost_nothing(locked: Locked) -> None:
    running, _ = locked
    running.chat()
    assert (running.metric("gateway_upstream_attempts_total") or 0) >= 1
    assert running.metric("gateway_quota_requests_per_minute") == 10000
    assert (running.metric("gateway_chats_total") or 0) >= 1
    assert running.metric("gateway_spend_usd_total") == 0


def test_errors_and_logs_say_nothing_of_the_inside_or_the_user(locked: Locked) -> None:
    running, upstream = locked
    upstream.reset(**{"*": "400"})
    answer = running.chat()
    assert (answer.status_code, error_of(answer)) == (400, "bad_request")
    for secret in (UPSTREAM_WORDS, USER_ID, "PRIVATE", *KEYS.values()):
        assert secret not in answer.text
        assert secret not in running.logs
    assert not [word for word in ("up-", "dep-", "litellm", "127.0.0.1") if word in answer.text]
    assert not [name for name in answer.headers if name.startswith(("x-litellm", "llm_provider"))]


# LiteLLM's router with the guard and the transport, and no request filter in front of it.
WITHOUT_FILTER = """
import asyncio, json, sys
from gateway import environment, router, serve
gateway = environment.current()
serve._prepare_environment(gateway)
from gateway import guard, upstream
asked = router.build(gateway.rendered, guard.guard)
async def ask(fields):
    try:
        await asked.acompletion(**fields)
        return "answered by LiteLLM"
    except upstream.Answered:
        return "answered"
    except Exception as error:
        return type(error).__name__
async def main():
    for name, fields in json.load(open("/etc/friday/asked.json")).items():
        print(name, await asyncio.create_task(ask(fields)), sep=": ", flush=True)  # each has a context of its own
asyncio.run(main())
"""


REFUSED_INSIDE = [
    *("paid model", "paid model of the provider", "several models in one name", "models", "plugins", "model_list"),
    *("api_key", "api_base", "base_url", "custom_llm_provider", "extra_body", "extra_headers", "user_config"),
    *("litellm_params", "web_search_options", "tool of the provider's", "tool on another host"),
]
"""The others do not change a call: LiteLLM knows them only in its proxy, or they choose among the stack's models."""


def test_the_inner_locks_hold_without_the_request_filter(locked: Locked, record: Recorder) -> None:
    _, upstream = locked
    asked = {name: {**CHAT, **body} for name, body in BODY_LEAKS.items()}
    asked["as a client asks"] = CHAT
    began = time.monotonic()
    files = {"asked.json": json.dumps(asked)}
    with gateway(upstream, command=["python3", "-c", WITHOUT_FILTER], further=files, wait=False) as inner:
        assert inner.container.wait(timeout=120)["StatusCode"] == 0, inner.logs
        assert "as a client asks: answered" in inner.logs
        answered = [name for name in REFUSED_INSIDE if f"\n{name}: answered" in f"\n{inner.logs}"]
    record(
        Record(
            group="locks",
            name="the same chats, with the request filter taken away from in front of the inner locks",
            tried=len(REFUSED_INSIDE),
            failed=len(answered),
            refused=len(REFUSED_INSIDE) - len(answered),
            seconds=time.monotonic() - began,
        )
    )
    assert answered == []
    assert upstream.received  # each of them is looked at above


def test_the_self_test_leaves_nothing_behind(locked: Locked) -> None:
    running, _ = locked
    assert "self-test" not in running.request("GET", "/metrics", "ops_key").text
    assert "self-test" not in running.request("GET", "/v1/models").text
    assert "self-test" not in running.logs


def test_the_gateway_has_every_metric_that_indicators_are_made_of(locked: Locked) -> None:
    running, _ = locked
    asked = {
        name
        for each in INDICATORS.values()
        for name in re.findall(r"\bgateway_\w+(?:_total|_bucket)\b", each.expression("5m"))
    }
    shown = set(re.findall(r"^# HELP (\S+)", running.request("GET", "/metrics", "ops_key").text, re.MULTILINE))
    assert len(asked) > 5
    assert {name.removesuffix("_bucket") for name in asked} - shown == set(), "renamed or dropped"
