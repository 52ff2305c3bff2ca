"""Plain answers: shape, content, limits on length, tools, structured output, and who may have them."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.unit.simulator.conftest import FIRST, GEMMA, GEMMA_SMALL, PAID, START, Api

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city"],
        },
    },
}


def test_answer_has_openrouters_shape(api: Api) -> None:
    response = api.chat()
    body = response.json()
    assert response.status_code == 200
    assert body["id"].startswith(f"gen-{int(START)}-")
    assert response.headers["X-Generation-Id"] == body["id"]
    assert (body["object"], body["model"], body["provider"]) == (
        "chat.completion",
        GEMMA,
        "Google AI Studio",
    )
    assert body["system_fingerprint"].startswith("fp_")
    choice = body["choices"][0]
    assert (choice["finish_reason"], choice["native_finish_reason"]) == ("stop", "STOP")
    assert choice["message"]["role"] == "assistant"
    assert "What is an edge?" in choice["message"]["content"]
    usage = body["usage"]
    assert usage["cost"] == 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_same_question_same_words_another_question_other_words(api: Api) -> None:
    def said(text: str) -> str:
        answer = api.chat(messages=[{"role": "user", "content": [{"type": "text", "text": text}]}])
        return str(answer.json()["choices"][0]["message"]["content"])

    assert said("one") == said("one") != said("two")
    assert said("zz " * 40).count("zz") == 24


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_answer_is_cut_at_the_token_limit(api: Api, field: str) -> None:
    limit: dict[str, Any] = {field: 4}
    body = api.chat(**limit).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["choices"][0]["native_finish_reason"] == "MAX_TOKENS"
    assert len(body["choices"][0]["message"]["content"].split()) == body["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "weather"}}], ids=["required", "named"]
)
def test_tool_is_called_with_fitting_arguments(api: Api, choice: Any) -> None:
    other = {"type": "function", "function": {"name": "weather"}}
    tools = [WEATHER] if choice == "required" else [other | {"function": {"name": "else"}}, WEATHER]
    body = api.chat(tools=tools, tool_choice=choice).json()
    message = body["choices"][0]["message"]
    assert body["choices"][0]["finish_reason"] == "tool_calls"
    assert message["content"] is None
    call = message["tool_calls"][0]
    assert call["id"].startswith("call_")
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "example", "days": 2}
    assert body["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [WEATHER]},
        {"tools": [WEATHER], "tool_choice": "auto"},
        {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "nothing"}}},
        {
            "tools": [WEATHER],
            "tool_choice": "required",
            "messages": [{"role": "user", "content": "x"}, {"role": "tool", "content": "sunny"}],
        },
    ],
    ids=["no choice", "auto", "unknown name", "after a result"],
)
def test_model_talks_when_no_call_is_due(api: Api, fields: dict[str, Any]) -> None:
    choice = api.chat(**fields).json()["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert "tool_calls" not in choice["message"]


def test_json_modes_answer_valid_json(api: Api) -> None:
    free = api.chat(response_format={"type": "json_object"}).json()
    assert json.loads(free["choices"][0]["message"]["content"])["answer"] == "About: What is an edge?"
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}, "n": {"type": "number"}}}
    shaped = api.chat(response_format={"type": "json_schema", "json_schema": {"schema": schema}}).json()
    assert json.loads(shaped["choices"][0]["message"]["content"]) == {"ok": True, "n": 1}


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "No auth credentials found"),
        ("", "No auth credentials found"),
        ("Basic abc", "No auth credentials found"),
        ("Bearer", "No auth credentials found"),
        ("Bearer sk-wrong", "User not found."),
    ],
)
def test_wrong_credentials(api: Api, authorization: str | None, message: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = api.http.post("/api/v1/chat/completions", json={}, headers=headers)
    assert response.status_code == 401
    assert response.json() == {"error": {"message": message, "code": 401}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{not json", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b'{"model": "openai/gpt-4o"}', "messages: Field required"),
        (b'{"model": "openai/gpt-4o", "messages": []}', "messages: "),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "No models provided"),
        (b'{"model": "gpt", "messages": [{"role": "user"}], "max_tokens": 0}', "max_tokens: "),
        (b'{"models": ["a", "b", "c", "d"], "messages": [{}]}', "'models' array must have 3 items or fewer."),
        (b'{"model": "nope/nope", "messages": [{}]}', "nope/nope is not a valid model ID"),
    ],
)
def test_wrong_bodies_are_400(api: Api, body: bytes, expected: str) -> None:
    response = api.http.post("/api/v1/chat/completions", content=body, headers={"Authorization": f"Bearer {FIRST}"})
    assert response.status_code == 400
    error = response.json()
    assert error["error"]["code"] == 400
    assert expected in error["error"]["message"]
    assert error["user_id"].startswith("user_")


@pytest.mark.parametrize(
    ("model", "fields", "status", "text"),
    [
        ("z-ai/glm-4.5-air:free", {}, 404, "No endpoints found for z-ai/glm-4.5-air:free."),
        ("minimax/minimax-m2:free", {}, 404, "use this slug instead: minimax/minimax-m2"),
        ("qwen/qwen3-coder:free", {}, 404, "no longer available as a free model"),
        ("openai/gpt-4o:free", {}, 404, "No endpoints found for openai/gpt-4o:free."),
        ("deepseek/deepseek-v4-flash:free", {}, 402, "Insufficient credits"),
        (PAID, {"provider": {"max_price": {"prompt": 0, "completion": 0}}}, 404, "No endpoints found"),
        (PAID, {"provider": {"max_price": {"prompt": 2.5, "completion": 9.9}}}, 404, "No endpoints found"),
        (GEMMA, {"provider": {"max_price": "cheap"}}, 400, "provider.max_price"),
        ("simulator/text-only:free", {"tools": [WEATHER]}, 404, "No endpoints found that support tool use"),
        ("simulator/text-only:free", {"max_tokens": 9000}, 400, "maximum context length is 8192 tokens"),
    ],
)
def test_models_that_cannot_answer(api: Api, model: str, fields: dict[str, Any], status: int, text: str) -> None:
    response = api.chat(model, **fields)
    assert response.status_code == status
    assert response.json()["error"]["code"] == status
    assert text in response.json()["error"]["message"]
    assert api.http.get("/admin/bill").json() == {"total_usd": 0.0, "requests": []}


def test_max_price_that_suffices_and_zero_on_a_free_model_pass(api: Api) -> None:
    assert api.chat(PAID, provider={"max_price": {"prompt": 2.5, "completion": "10"}}).status_code == 200
    zero = {"prompt": 0, "completion": 0, "request": 0, "image": 0}
    assert api.chat(provider={"max_price": zero}).status_code == 200


def test_fallback_list_is_tried_in_order(api: Api) -> None:
    gone = "z-ai/glm-4.5-air:free"
    assert api.chat(gone, models=["moonshotai/kimi-k2:free", GEMMA]).json()["model"] == GEMMA
    assert api.chat(None, models=[GEMMA_SMALL, GEMMA]).json()["model"] == GEMMA_SMALL
    assert "kimi-k2:free" in api.chat(gone, models=["moonshotai/kimi-k2:free"]).json()["error"]["message"]
    assert api.requests()[0]["models"] == [gone, "moonshotai/kimi-k2:free", GEMMA]


def test_free_router_picks_a_free_model_that_fits(api: Api) -> None:
    served = {api.chat("openrouter/free", tools=[WEATHER]).json()["model"] for _ in range(30)}
    assert len(served) > 1
    assert all(model.endswith(":free") for model in served)
    assert not served & {
        "simulator/text-only:free",
        "deepseek/deepseek-v4-flash:free",
        "simulator/costly-suffix:free",
    }


def test_routers_without_a_target_are_404(api: Api) -> None:
    for model in api.sim.catalogue.free(api.clock.today()):
        api.http.patch("/admin/models", json={"id": model.id, "retired": "no_endpoints"})
    assert api.chat("openrouter/free").status_code == 404
    assert api.chat("openrouter/auto").json()["model"] == "openai/gpt-4o-mini"


def test_unknown_routes_have_the_error_shape_and_are_recorded(api: Api) -> None:
    response = api.get("/api/v1/keys")
    assert response.status_code == 404
    assert response.json() == {"error": {"message": "Not Found", "code": 404}}
    assert api.http.get("/api/v1/chat/completions").json()["error"]["code"] == 405
    assert [r["path"] for r in api.requests()] == ["/api/v1/keys", "/api/v1/chat/completions"]
    assert api.http.get("/elsewhere").status_code == 404
    assert len(api.requests()) == 2


def test_a_crash_is_a_500_of_the_same_shape(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.sim, "next_generation_id", None)
    # On a connection of its own: the server closes the one that it crashed on, which the shared client might reuse.
    with httpx.Client(base_url=api.http.base_url) as alone:
        response = replace(api, http=alone).chat()
    assert response.status_code == 500
    assert response.json() == {"error": {"message": "Internal Server Error", "code": 500}}
