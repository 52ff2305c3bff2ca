"""The bill, balances, keys and lookups of earlier answers."""

from typing import Any

import pytest

from tests.unit.simulator.conftest import FIRST, GEMMA, PAID, START, Api


def bill(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.http.get("/admin/bill").json()
    return found


def test_paid_model_is_billed_to_the_token(api: Api) -> None:
    answer = api.chat(PAID).json()
    usage = answer["usage"]
    expected = usage["prompt_tokens"] * 2.5e-6 + usage["completion_tokens"] * 1e-5
    assert usage["cost"] == pytest.approx(expected)
    assert bill(api) == {
        "total_usd": usage["cost"],
        "requests": [
            {
                "time": START,
                "account": "first",
                "model": PAID,
                "generation": answer["id"],
                "cost_usd": usage["cost"],
            }
        ],
    }
    assert api.requests()[0]["cost_usd"] == usage["cost"]
    assert api.get("/api/v1/key").json()["data"]["usage"] == usage["cost"]
    assert api.get("/api/v1/credits", key="key-boss").json()["data"] == {
        "total_credits": 10,
        "total_usage": usage["cost"],
    }


@pytest.mark.parametrize(
    ("model", "fields", "cost"),
    [
        (GEMMA, {}, 0),
        (GEMMA + ":online", {}, 0.02),
        (GEMMA, {"plugins": [{"id": "web"}]}, 0.02),
        (GEMMA, {"plugins": [{"id": "web", "max_results": 2}]}, 0.008),
        (GEMMA, {"web_search_options": {"search_context_size": "low"}}, 0.02),
        (GEMMA, {"plugins": [{"id": "file-parser"}]}, 0),
        (GEMMA, {"provider": {"max_price": {"prompt": 0}}, "plugins": [{"id": "web"}]}, 0.02),
        (GEMMA + ":nitro", {}, 0),
    ],
)
def test_web_search_costs_on_free_models_too(api: Api, model: str, fields: dict[str, Any], cost: float) -> None:
    body = api.chat(model, **fields).json()
    assert body["usage"]["cost"] == pytest.approx(cost)
    assert ("annotations" in body["choices"][0]["message"]) == (cost > 0)
    assert bill(api)["total_usd"] == pytest.approx(cost)


def test_free_suffix_is_not_a_free_price(api: Api) -> None:
    assert api.chat("simulator/costly-suffix:free").json()["usage"]["cost"] > 0
    assert bill(api)["total_usd"] > 0


def test_an_answer_may_cost_what_no_price_names(api: Api) -> None:
    free: dict[str, Any] = {"provider": {"max_price": {"prompt": 0, "completion": 0, "request": 0}}}
    api.http.patch("/admin/models", json={"id": GEMMA, "charges": "0.001"}).raise_for_status()
    assert api.chat(GEMMA, **free).json()["usage"]["cost"] == bill(api)["total_usd"] == 0.001
    api.http.patch("/admin/models", json={"id": GEMMA, "charges": "0"}).raise_for_status()
    assert api.chat(GEMMA, **free).json()["usage"]["cost"] == 0
    assert api.http.patch("/admin/models", json={"id": GEMMA, "charges": "-1"}).status_code == 400


def test_streams_are_billed(api: Api) -> None:
    api.chat(PAID, stream=True)
    assert bill(api)["total_usd"] > 0


@pytest.mark.parametrize(
    ("account", "model", "fields", "status", "text"),
    [
        ({"credits_bought": 0}, GEMMA, {}, 200, ""),
        ({"credits_bought": 0}, PAID, {}, 402, "never purchased credits"),
        ({"credits_bought": 0}, GEMMA + ":online", {}, 402, "never purchased credits"),
        ({"credits_bought": 5, "usage": 5}, PAID, {}, 402, "Add more using"),
        ({"credits_bought": 5, "usage": 5.01}, GEMMA, {}, 402, "Add more using"),
        ({"credits_bought": 5, "usage": 4.99}, PAID, {"max_tokens": 5000}, 402, "can only afford 9"),
        ({"credits_bought": 5, "usage": 4.99}, PAID, {"max_tokens": 500}, 200, ""),
    ],
)
def test_balance(api: Api, account: dict[str, Any], model: str, fields: dict[str, Any], status: int, text: str) -> None:
    api.http.patch("/admin/accounts/first", json=account).raise_for_status()
    response = api.chat(model, **fields)
    assert response.status_code == status
    assert text in response.text


def test_key_of_a_fresh_account(api: Api) -> None:
    data = api.get("/api/v1/key").json()["data"]
    assert data["label"] == "sk-or-v1-...aaa"
    assert FIRST not in str(data)
    assert (data["usage"], data["is_free_tier"], data["is_management_key"]) == (0, False, False)
    assert api.get("/api/v1/auth/key", key="key-two").json()["data"]["label"] == "second"
    api.http.patch("/admin/accounts/second", json={"credits_bought": 0})
    assert api.get("/api/v1/key", key="key-two").json()["data"]["is_free_tier"] is True
    assert api.get("/api/v1/key", key="nobody").status_code == 401


def test_usage_is_counted_by_day_week_and_month(api: Api) -> None:
    def used() -> list[float]:
        data = api.get("/api/v1/key").json()["data"]
        return [round(data[f"usage{p}"] / 0.02, 6) for p in ("_daily", "_weekly", "_monthly", "")]  # 0.02 a search

    api.chat(GEMMA + ":online")
    assert used() == [1, 1, 1, 1]
    api.clock.time += 86_400  # Tuesday to Wednesday
    assert used() == [0, 1, 1, 1]
    api.clock.time += 5 * 86_400  # Monday the 30th
    assert used() == [0, 0, 1, 1]
    api.clock.time += 86_400  # December
    assert used() == [0, 0, 0, 1]


def test_management_keys_see_credits_and_cannot_chat(api: Api) -> None:
    assert api.get("/api/v1/credits").status_code == 403
    assert api.get("/api/v1/key", key="key-boss").json()["data"]["is_management_key"] is True
    assert api.chat(key="key-boss").status_code == 403


def test_generation_is_found_after_a_moment_by_its_owner_only(api: Api) -> None:
    answer = api.chat(PAID).json()
    path = f"/api/v1/generation?id={answer['id']}"
    assert api.get(path).status_code == 404
    api.clock.time += 1
    data = api.get(path).json()["data"]
    assert (data["id"], data["model"], data["total_cost"]) == (answer["id"], PAID, answer["usage"]["cost"])
    assert data["tokens_completion"] == answer["usage"]["completion_tokens"]
    assert api.get(path, key="key-two").status_code == 404
    assert api.get("/api/v1/generation").status_code == 400
    assert api.get("/api/v1/generation?id=gen-none").json()["error"]["message"] == ("Generation gen-none not found")


def test_keys_never_show_in_records(api: Api) -> None:
    api.chat()
    for path in ("/admin/requests", "/admin/accounts", "/admin/bill", "/api/v1/models"):
        text = api.http.get(path).text
        assert FIRST not in text
        assert "key-two" not in text
