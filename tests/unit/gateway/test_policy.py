"""Routes, keys and fields: what passes and what does not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gateway import policy
from gateway.chat_fields import PASSED
from gateway.policy import Access, Keys, RefusedError

KEYS = Keys("gateway-key-0123456789", "edge-key-0123456789", "ops-key-0123456789abcd")
MODELS = ("gemma-4-31b", "openrouter/google/gemma-4-31b-it:free")
CHAT: dict[str, Any] = {"model": "gemma-4-31b", "messages": [{"role": "user", "content": "Hi"}]}

# The request of Friday's stock client, with everything that it may send.
STOCK: dict[str, Any] = {
    "model": "gemma-4-31b",
    "messages": [
        {"role": "system", "content": "You are Friday."},
        {"role": "user", "name": "jonas", "content": [{"type": "text", "text": "Book it"}]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "book", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "name": "book", "content": "done"},
    ],
    "tools": [{"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "book"}},
    "max_tokens": 32768,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True},
    },
}


def refused(body: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        policy.clean_chat(body, MODELS)
    return caught.value


@pytest.mark.parametrize("path", ["/health/liveliness", "/health/liveness", "/health/readiness"])
def test_health_needs_no_key(path: str) -> None:
    access = policy.access_of("GET", path)
    policy.authorize(access, None, KEYS)
    assert path in policy.HEALTH_PATHS


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/openrouter/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages"),
        *("/utils/transform_request", "/config/update", "/model/new", "/key/generate", "/ui/", "/sso/key/generate"),
        *("/v1/chat/completions/", "//v1/chat/completions", "/V1/chat/completions", "/health/services", "/metrics/x"),
        *("/openrouter/v1/key", "/engines/x/chat/completions", "/openai/deployments/x/chat/completions"),
    ],
)
def test_what_is_not_listed_does_not_exist(path: str) -> None:
    with pytest.raises(RefusedError) as caught:
        policy.access_of("POST", path)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/chat/completions"), ("POST", "/health"), ("PUT", "/metrics")]
)
def test_another_method_is_refused(method: str, path: str) -> None:
    with pytest.raises(RefusedError) as caught:
        policy.access_of(method, path)
    assert caught.value.status == 405


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {KEYS.gateway}", KEYS.gateway, "Bearer ké"]
)
@pytest.mark.parametrize("access", [Access.CHAT, Access.OPS])
def test_no_key_or_a_wrong_one_is_401(header: str | None, access: Access) -> None:
    with pytest.raises(RefusedError) as caught:
        policy.authorize(access, header, KEYS)
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("access", "key"), [(Access.CHAT, KEYS.ops), (Access.OPS, KEYS.gateway), (Access.OPS, KEYS.edge)]
)
def test_the_key_for_the_other_purpose_is_403(access: Access, key: str) -> None:
    with pytest.raises(RefusedError) as caught:
        policy.authorize(access, f"Bearer {key}", KEYS)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("access", "key"), [(Access.CHAT, KEYS.gateway), (Access.CHAT, KEYS.edge), (Access.OPS, KEYS.ops)]
)
def test_each_key_opens_its_own_routes(access: Access, key: str) -> None:
    policy.authorize(access, f"bearer {key}", KEYS)


def test_keys_are_not_shown() -> None:
    assert not any(key in repr(KEYS) for key in (KEYS.gateway, KEYS.edge, KEYS.ops))


def test_the_stock_clients_request_passes_as_it_is() -> None:
    assert policy.clean_chat(copy.deepcopy(STOCK), MODELS) == STOCK


@pytest.mark.parametrize(
    "extra",
    [
        {"thinking": {"budget_tokens": 128}, "store": True, "user": "7", "timeout": 1, "temperature": None},
        {"metadata": {"session_id": "run-7", "tags": ["app:x"]}, "litellm_session_id": "run-7", "tags": ["a"]},
        {
            "litellm_trace_id": "t",
            "litellm_metadata": {"model_group": "x"},
            "service_tier": "flex",
            "cache": {"ttl": 1},
        },
        {"drop_params": True, "num_retries": 9, "max_retries": 2, "disable_fallbacks": True, "callbacks": ["x"]},
        {"metadata": {"api_base": "http://elsewhere", "user_api_key": "k", "model_info": {"id": "paid"}}},
        {"transforms": ["middle-out"], "modalities": ["text"], "prediction": {"type": "content", "content": "x"}},
    ],
)
def test_harmless_unknown_fields_are_dropped(extra: dict[str, Any]) -> None:
    assert policy.clean_chat({**CHAT, **extra}, MODELS) == CHAT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, ["openai/gpt-4o"]) for name in ("models", "fallbacks", "model_list", "plugins", "mcp_servers")),
        *((name, "https://elsewhere") for name in ("api_base", "base_url", "aws_bedrock_runtime_endpoint")),
        *((name, "key") for name in ("api_key", "azure_ad_token", "vertex_credentials", "user_api_key_alias")),
        *((name, {"a": 1}) for name in ("provider", "extra_body", "extra_headers", "headers", "user_config")),
        *((name, {"a": 1}) for name in ("web_search_options", "max_price", "litellm_params", "mock_response")),
        *((name, "x") for name in ("custom_llm_provider", "deployment_id", "prompt_id", "route", "preset")),
        ("mock_testing_fallbacks", True),
        ("input_cost_per_token", 0.1),
    ],
)
def test_a_field_that_would_choose_is_refused_by_name_while_it_holds_a_value(name: str, value: object) -> None:
    error = refused({**CHAT, name: value})
    assert (error.status, error.code, error.param) == (403, "field_not_allowed", name)
    assert error.message.startswith(f"the field {name} is not allowed here: ")
    empty: tuple[object, ...] = (None, "", [], {}, False)
    for nothing in empty:
        assert policy.clean_chat({**CHAT, name: nothing}, MODELS) == CHAT


def test_no_field_both_passes_and_is_refused() -> None:
    assert [name for name in PASSED if policy.steering(name, "x")] == []


@pytest.mark.parametrize(
    "model",
    [
        *("openai/gpt-4o", "gemma-4-31b,gemma-4-31b", "gemma-4-31b, openai/gpt-4o", "up-gemma-4-31b", "", "*"),
        *(None, 7, ["gemma-4-31b"], {"a": 1}, "GEMMA-4-31b", " gemma-4-31b", "openrouter/google/gemma-4-31b-it"),
    ],
)
def test_only_served_names_pass_to_the_letter(model: object) -> None:
    error = refused({**CHAT, "model": model})
    assert (error.status, error.code) == (400, "model_not_found")


@pytest.mark.parametrize("body", [None, [], "x", 7, {"model": "gemma-4-31b"}])
def test_a_body_without_a_chat_is_400(body: object) -> None:
    assert refused(body).status == 400


def test_nothing_rides_along_inside_known_fields() -> None:
    body = {
        **CHAT,
        "messages": [{"role": "user", "content": "Hi", "cache_control": {"type": "x"}, "provider": "openai"}],
        "tools": [{"type": "function", "function": {"name": "f", "mcp": 1}, "api_key": "k"}],
        "stream": True,
        "stream_options": {"include_usage": True, "models": ["openai/gpt-4o"]},
        "response_format": {"type": "json_object", "plugins": []},
    }
    cleaned = policy.clean_chat(body, MODELS)
    assert cleaned["messages"] == [{"role": "user", "content": "Hi"}]
    assert cleaned["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert cleaned["stream_options"] == {"include_usage": True}
    assert cleaned["response_format"] == {"type": "json_object"}


ZERO = {"prompt": 0, "completion": 0, "request": 0, "image": 0}


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("openai/gpt-4o", "http://up/v1"),
        ("openrouter/google/gemma", "http://up/v1"),
        ("one,two:free", "http://up/v1"),
        (None, "http://up/v1"),
        ("openrouter/free", "http://up/v1"),
        ("openrouter/openrouter/auto", "http://up/v1"),
        ("openrouter/openrouter/free:online", "http://up/v1"),
        ("openrouter/openrouter/free\n", "http://up/v1"),
        ("openrouter/openrouter/free,openrouter/openai/gpt-4o", "http://up/v1"),
        ("OpenRouter/openrouter/free", "http://up/v1"),
        ("openrouter/openrouter/free", "https://api.openai.com/v1"),
        ("openrouter/a/b:free", "https://api.openai.com/v1"),
        ("openrouter/a/b:free", "http://up/v1/"),
        ("openrouter/a/b:free", None),
    ],
)
def test_no_call_leaves_for_a_paid_model_or_another_host(model: object, base: object) -> None:
    with pytest.raises(RefusedError):
        policy.check_deployment(model, base, "http://up/v1", {"provider": {"max_price": ZERO}})


@pytest.mark.parametrize(
    "extra_body",
    [
        None,
        {},
        {"provider": None},
        {"provider": {}},
        {"provider": {"max_price": {}}},
        {"provider": {"max_price": {**ZERO, "prompt": 1e-9}}},
        {"provider": {"max_price": {**ZERO, "audio": 1}}},
        {"provider": {"max_price": {**ZERO, "image": False}}},
        {"provider": {"max_price": {**ZERO, "image": "0"}}},
        {"provider": {"max_price": {"prompt": 0, "completion": 0}}},
        {"provider": {"max_price": ZERO, "order": ["x"]}},
        {"provider": {"max_price": ZERO}, "models": ["openai/gpt-4o"]},
        {"provider": {"max_price": ZERO}, "plugins": [{"id": "web"}]},
    ],
)
@pytest.mark.parametrize("model", ["openrouter/a/b:free", policy.FREE_ROUTER])
def test_no_call_leaves_that_does_not_ask_for_a_price_of_0(model: str, extra_body: object) -> None:
    with pytest.raises(RefusedError, match="price of 0"):
        policy.check_deployment(model, "http://up/v1", "http://up/v1", extra_body)


CALL: dict[str, Any] = {
    **{"model": "openrouter/a/b:free", "api_base": "http://up/v1", "api_key": "k", "extra_body": {"a": 1}},
    **{"client": None, "metadata": {"a": 1}, "litellm_call_id": "c", "tools": [{"type": "function"}], "timeout": 4.0},
}
"""As LiteLLM's router makes it of a stack's model and of a client's chat."""


@pytest.mark.parametrize(
    "name",
    [
        *("base_url", "web_search_options", "custom_llm_provider", "extra_headers", "deployment_id", "mock_response"),
        *("fallbacks", "model_list", "aws_region_name", "user_config", "plugins"),
    ],
)
def test_no_call_is_made_with_a_field_that_the_stack_does_not_set(name: str) -> None:
    policy.check_steering({**CALL, name: None})
    with pytest.raises(RefusedError, match=f"no call is made with {name}: "):
        policy.check_steering({**CALL, name: {"a": 1}})


@pytest.mark.parametrize("model", ["openrouter/a/b:free", policy.FREE_ROUTER])
def test_a_free_call_to_the_upstream_leaves(model: str) -> None:
    provider = {"max_price": ZERO, "data_collection": "deny", "zdr": True}
    policy.check_deployment(model, "http://up/v1", "http://up/v1", {"provider": provider})


def test_a_field_name_is_shown_without_control_characters() -> None:
    assert policy.shown("api_\x1b[31m" + "x" * 100) == "api_[31m" + "x" * 55
