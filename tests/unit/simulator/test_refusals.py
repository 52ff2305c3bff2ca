"""Refusals by cause: the table, an account's settings, and requests that a model cannot take."""

from typing import Any, get_args

import pytest

from simulator.accounts import Block
from simulator.faults import RefusalKind
from simulator.refusals import ROWS
from tests.unit.simulator.conftest import GEMMA, GEMMA_SMALL, Api
from tests.unit.simulator.test_chat import WEATHER

TEXT_ONLY = "simulator/text-only:free"
NEMOTRON = "nvidia/nemotron-3-ultra-550b-a55b:free"
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}]
SOUND = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
ACCOUNT_STEP = {"data_policy": "Filter by Data Policy", "guardrail": "Filter by Guardrails"}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


def step(error: dict[str, Any]) -> str | None:
    found: str | None = (error.get("metadata") or {}).get("failed_routing_step")
    return found


def test_every_refusal_has_a_row() -> None:
    assert set(ROWS) == set(get_args(RefusalKind))


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("kind", get_args(RefusalKind))
def test_refusal_by_a_fault(api: Api, kind: RefusalKind, stream: bool) -> None:
    api.faults({"kind": "refusal", "refusal": kind, "model": GEMMA})
    response = api.chat(stream=stream)
    error = response.json()["error"]
    assert response.status_code == error["code"] == ROWS[kind].status
    assert "{model}" not in response.text
    assert "{provider}" not in response.text
    assert "{pattern}" not in response.text
    assert api.chat(GEMMA_SMALL).status_code == 200


def test_a_rate_limit_says_whose_it_is(api: Api) -> None:
    api.faults({"kind": "refusal", "refusal": "shared_pool"})
    pool = api.chat().json()["error"]["metadata"]
    assert pool["limit_source"] == "upstream_provider_shared_pool"
    assert pool["provider_name"] == pool["previous_errors"][0]["provider_name"] == "Google AI Studio"
    assert f"{GEMMA} is temporarily rate-limited upstream" in pool["raw"]
    api.faults({"kind": "refusal", "refusal": "model_minute"})
    model = api.chat().json()["error"]["metadata"]
    assert (model["limit_source"], model["provider_name"]) == ("openrouter_per_model_minute", None)
    api.faults()
    api.http.patch("/admin/accounts/first", json={"minute_limit": 16, "minute_used": 16})
    response = api.chat()
    account = response.json()["error"]["metadata"]
    assert response.headers["X-RateLimit-Limit"] == account["headers"]["X-RateLimit-Limit"] == "16"
    assert (account["limit_source"], account["provider_name"]) == ("openrouter_free_tier_per_minute", None)
    api.http.patch("/admin/accounts/first", json={"day_limit": 50, "day_used": 50})
    assert api.chat().json()["error"]["metadata"]["limit_source"] == "openrouter_free_tier_daily"


@pytest.mark.parametrize("block", get_args(Block))
def test_a_setting_of_the_account_refuses_every_model(api: Api, block: Block) -> None:
    api.http.patch("/admin/accounts/first", json={"blocked_by": block})
    for model in (GEMMA, NEMOTRON):
        response = api.chat(model)
        assert response.status_code == ROWS[block].status
        assert step(response.json()["error"]) == ACCOUNT_STEP.get(block)
    assert api.chat(key="key-two").status_code == 200
    api.http.patch("/admin/accounts/first", json={"blocked_by": None})
    assert api.chat().status_code == 200


@pytest.mark.parametrize(
    ("model", "fields", "status", "text", "failed_step"),
    [
        (TEXT_ONLY, {"tools": [WEATHER]}, 404, 'Try disabling "weather"', "Filter by Tool Compatibility"),
        (TEXT_ONLY, {"messages": PICTURE}, 404, "support image input", "Filter by Image Support"),
        (GEMMA, {"messages": SOUND}, 404, "support input audio", "Filter by Audio Support"),
        (TEXT_ONLY, {"response_format": SCHEMA}, 404, "requested parameters", "Filter by Parameters"),
        (
            TEXT_ONLY,
            {"response_format": {"type": "json_object"}, "provider": {"require_parameters": True}},
            404,
            "requested parameters",
            "Filter by Parameters",
        ),
        (NEMOTRON, {"provider": {"data_collection": "deny"}}, 404, "(Free model training)", "Filter by Data Policy"),
        (GEMMA, {"provider": {"zdr": True}}, 404, "(Zero data retention)", "Filter by Data Policy"),
        ("simulator/closed:free", {}, 403, "agentic harnesses", "Gate Free Endpoints by Agentic Harness"),
        (TEXT_ONLY, {"max_tokens": 9000}, 400, "maximum context length is 8192 tokens", None),
    ],
)
def test_a_request_that_a_model_cannot_take(
    api: Api, model: str, fields: dict[str, Any], status: int, text: str, failed_step: str | None
) -> None:
    response = api.chat(model, **fields)
    assert response.status_code == status
    error = response.json()["error"]
    assert text in error["message"]
    assert step(error) == failed_step


def test_the_same_requests_are_taken_by_models_that_can(api: Api) -> None:
    assert api.chat(messages=PICTURE).status_code == 200
    assert api.chat(NEMOTRON, response_format=SCHEMA).status_code == 200
    assert api.chat(provider={"data_collection": "deny", "require_parameters": True}, temperature=1).status_code == 200
    assert api.chat("openai/gpt-oss-20b:free", provider={"zdr": True}).status_code == 200


def test_a_model_without_json_answers_in_words(api: Api) -> None:
    wanted: dict[str, Any] = {"response_format": {"type": "json_object"}}
    assert api.chat(**wanted).json()["choices"][0]["message"]["content"].startswith("{")
    assert api.chat(TEXT_ONLY, **wanted).json()["choices"][0]["message"]["content"].startswith("Simulated")


@pytest.mark.parametrize(
    ("model", "name", "taken"),
    [
        (GEMMA, "orders.list", True),
        (GEMMA, "orders.list all", False),
        (NEMOTRON, "orders_list", True),
        (NEMOTRON, "orders.list", False),
        (NEMOTRON, "a" * 65, False),
        (TEXT_ONLY.replace("text-only", "costly-suffix"), "orders list", False),
    ],
)
def test_names_of_tools_follow_the_provider_of_the_model(api: Api, model: str, name: str, taken: bool) -> None:
    response = api.chat(model, tools=[named("fine"), named(name)])
    if taken:
        assert response.status_code == 200
        return
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["message"] == "Provider returned error"
    assert "tools[1].function.name" in error["metadata"]["raw"]
    assert "pattern" in error["metadata"]["raw"]


def test_the_pattern_of_a_model_can_be_set_and_taken_back(api: Api) -> None:
    for pattern, status in (("^[A-Z]+$", 400), (None, 200)):
        api.http.patch("/admin/models", json={"id": GEMMA, "tool_name_pattern": pattern}).raise_for_status()
        assert api.chat(tools=[WEATHER]).status_code == status


def test_the_free_router_leaves_out_what_does_not_fit(api: Api) -> None:
    for _ in range(20):
        served = api.chat("openrouter/free", messages=PICTURE, provider={"data_collection": "deny"})
        assert served.json()["model"] in {GEMMA, GEMMA_SMALL}
    assert api.chat("openrouter/free", messages=SOUND).status_code == 404


def test_endpoints_of_a_model_and_those_without_retention(api: Api) -> None:
    author, slug = GEMMA.split("/")
    data = api.http.get(f"/api/v1/models/{author}/{slug}/endpoints").json()["data"]
    assert data["id"] == GEMMA
    assert data["architecture"]["input_modalities"] == ["text", "image"]
    (endpoint,) = data["endpoints"]
    assert "tools" in endpoint["supported_parameters"]
    assert endpoint["provider_name"] == "Google AI Studio"
    assert api.http.get("/api/v1/models/z-ai/glm-4.5-air:free/endpoints").status_code == 404
    kept_nowhere = {each["model_id"] for each in api.http.get("/api/v1/endpoints/zdr").json()["data"]}
    assert "openai/gpt-oss-20b:free" in kept_nowhere
    assert NEMOTRON not in kept_nowhere
