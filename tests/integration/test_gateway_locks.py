"""Nobody gets past the gateway to a paid model, a foreign host or another key; nothing is open that should not be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.free_models import RouterTuning
from tests.integration.gateway_container import (
    CHAT,
    KEYS,
    ROOT,
    GatewayContainer,
    base_url,
    config_text,
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
def test_a_body_that_leads_elsewhere_is_refused(locked: Locked, leak: str) -> None:
    running, upstream = locked
    answer = running.chat(**BODY_LEAKS[leak])
    assert answer.status_code in (400, 403)
    assert upstream.received == []


@pytest.mark.parametrize("route", ROUTE_LEAKS)
@pytest.mark.parametrize("key", ["gateway_key", "ops_key", None])
def test_a_route_that_is_not_served_does_not_exist(locked: Locked, route: str, key: str | None) -> None:
    running, upstream = locked
    method, path = route.split(" ")
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
def test_headers_steer_nothing(locked: Locked, headers: dict[str, str]) -> None:
    running, upstream = locked
    answer = running.request("POST", "/v1/chat/completions?model=x&api_key=x", json=CHAT, headers=headers)
    assert answer.status_code == 200
    assert upstream.models == ["google/gemma-4-31b-it:free"]


def test_a_strangers_key_does_not_stay(locked: Locked) -> None:
    running, upstream = locked
    for _ in range(5):
        assert running.chat(api_key="x").status_code == 403
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
def test_each_route_opens_for_its_key(locked: Locked, path: str, key: str | None, status: int) -> None:
    assert locked[0].request("GET", path, key).status_code == status


def test_metrics_hold_litellms_figures_and_ours(locked: Locked) -> None:
    running, _ = locked
    running.chat()
    assert (running.metric("gateway_upstream_attempts_total") or 0) >= 1
    assert running.metric("gateway_quota_requests_per_minute") == 10000
    assert (running.metric("litellm_proxy_total_requests_metric_total") or 0) >= 1
    assert running.metric("litellm_spend_metric_total") == 0


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


WITHOUT_WALL = """
import uvicorn
from gateway import environment, serve
gateway = environment.current()
serve._prepare_environment(gateway)
from litellm.proxy.proxy_server import app
uvicorn.run(app, host=gateway.host, port=gateway.port, log_level="error")
"""


def test_the_inner_locks_hold_without_the_request_filter(locked: Locked) -> None:
    _, upstream = locked
    with gateway(upstream, command=["python3", "-c", WITHOUT_WALL]) as inner:
        for leak, body in BODY_LEAKS.items():
            assert inner.chat(**body).status_code in (400, 401, 403), leak
        for name, value in HARMLESS.items():
            assert inner.chat(**{name: value}).status_code in (401, 403), name
        assert inner.chat(thinking={}).status_code == 403
        assert inner.request("POST", "/openrouter/v1/chat/completions", json=CHAT).status_code in (401, 403, 404)
        assert inner.request("POST", "/v1/embeddings", json={"model": "gemma-4-31b"}).status_code == 404
        assert inner.request("POST", "/v1/chat/completions", None, json=CHAT).status_code == 401
        assert inner.request("GET", "/metrics/", "gateway_key").status_code in (401, 403)
        assert upstream.received == []
        assert inner.chat().status_code == 200


@pytest.mark.parametrize(
    ("right", "wrong", "code", "said"),
    [
        ("stream_timeout:", "strem_timeout:", 3, "does not know router_settings.strem_timeout"),
        ("openrouter/minimax/", "minimax-nobody/", 1, "LiteLLM did not accept its configuration"),
    ],
    ids=["misspelt router setting", "model without provider"],
)
def test_a_config_that_litellm_does_not_take_as_a_whole_ends_the_start(
    right: str, wrong: str, code: int, said: str
) -> None:
    upstream = Upstream()
    config = config_text(upstream, RouterTuning(), shared=False)
    assert base_url(upstream) in config
    with gateway(upstream, config=config.replace(right, wrong, 1), wait=False) as running:
        assert running.container.wait(timeout=90)["StatusCode"] == code
        assert said in running.logs
    upstream.close()


# A LiteLLM with other names for a setting that it declares, one that it looks up, and an error's status.
RENAMED = """
import gateway.serve, gateway.known_names as names, gateway.litellm_internals as internals
load, texts = internals.load, names.texts_in
def renamed():
    app = load()
    import litellm
    from litellm.proxy._types import ConfigGeneralSettings
    del ConfigGeneralSettings.model_fields["cancel_on_disconnect"]
    class RateLimitError(litellm.RateLimitError):
        status_code = property(lambda self: None, lambda self, value: None)
    litellm.RateLimitError = RateLimitError
    names.texts_in = lambda code: texts(code) - {"health_check_details"}
    return app
internals.load = renamed
gateway.serve.main()
"""


def test_a_litellm_that_has_renamed_what_we_use_is_not_started_and_names_it() -> None:
    upstream = Upstream()
    with gateway(upstream, wait=False, command=("python3", "-c", RENAMED)) as running:
        assert running.container.wait(timeout=90)["StatusCode"] == 3
        names = ["general_settings.health_check_details", "general_settings.cancel_on_disconnect"]
        expected = ", ".join([*names, "RateLimitError with status_code 429 (found None)"])
        assert f"this LiteLLM does not know {expected}: renamed or dropped?" in running.logs
    upstream.close()


# A LiteLLM whose router sends a call without asking the callbacks first.
DEAF = """
import gateway.serve, gateway.litellm_internals as internals
load = internals.load
async def unasked(kwargs, call_type):
    return kwargs
def deaf():
    app = load()
    import litellm.utils
    litellm.utils.async_pre_call_deployment_hook = unasked
    return app
internals.load = deaf
gateway.serve.main()
"""


def test_the_self_test_leaves_nothing_behind(locked: Locked) -> None:
    running, _ = locked
    assert "self-test" not in running.request("GET", "/metrics", "ops_key").text
    assert "self-test" not in running.request("GET", "/v1/models").text
    assert "self-test" not in running.logs


def test_a_litellm_that_does_not_ask_the_guard_is_not_started() -> None:
    upstream = Upstream()
    with gateway(upstream, wait=False, command=("python3", "-c", DEAF)) as running:
        assert running.container.wait(timeout=90)["StatusCode"] == 3
        assert "does not ask gateway.guard before a call: openrouter/self-test/paid was not stopped" in running.logs
    assert upstream.received == []
    upstream.close()


# A LiteLLM that asks the callbacks, and then makes its calls with a client of its own.
OWN_CLIENT = """
import gateway.serve, gateway.litellm_internals as internals
load = internals.load
def own():
    app = load()
    import litellm.utils
    asked = litellm.utils.async_pre_call_deployment_hook
    async def without_client(kwargs, call_type):
        return {**await asked(kwargs, call_type), "client": None}
    litellm.utils.async_pre_call_deployment_hook = without_client
    return app
internals.load = own
gateway.serve.main()
"""


def test_a_litellm_that_calls_the_upstream_itself_is_not_started() -> None:
    upstream = Upstream()
    with gateway(upstream, wait=False, command=("python3", "-c", OWN_CLIENT)) as running:
        assert running.container.wait(timeout=90)["StatusCode"] == 3
        assert "does not ask gateway.upstream to send a call: openrouter/self-test/model:free" in running.logs
    assert upstream.models == ["self-test/model:free"]
    upstream.close()


def test_litellm_has_every_metric_that_gates_and_pages_ask_for(locked: Locked) -> None:
    running, _ = locked
    askers = [*(ROOT / "ops/rollout/gates").glob("*.py"), ROOT / "docs/MONITORING.md"]
    asked = {name for path in askers for name in re.findall(r"\blitellm_\w+(?:_total|_bucket)\b", path.read_text())}
    shown = set(re.findall(r"^# HELP (\S+)", running.request("GET", "/metrics", "ops_key").text, re.MULTILINE))
    assert len(asked) > 5
    assert {name.removesuffix("_bucket") for name in asked} - shown == set(), "LiteLLM has renamed or dropped these"
