"""The operator API and what it changes."""

import asyncio
from typing import Any

import httpx
import pytest

from simulator.app import create_app
from simulator.journal import Generation
from simulator.state import Simulator
from tests.unit.simulator.conftest import GEMMA, PAID, START, Api, settings


def listed(api: Api) -> dict[str, dict[str, Any]]:
    return {m["id"]: m for m in api.http.get("/api/v1/models").json()["data"]}


def test_models_are_listed_without_a_key_with_string_prices(api: Api) -> None:
    models = listed(api)
    assert {
        GEMMA,
        "google/gemma-4-26b-a4b-it:free",
        "minimax/minimax-m3:free",
        "nvidia/nemotron-3-ultra-550b-a55b:free",
        "openai/gpt-oss-20b:free",
        "openrouter/free",
        PAID,
    } <= set(models)
    assert "z-ai/glm-4.5-air:free" not in models
    assert "z-ai/glm-4.5-air" in models
    for model in models.values():
        assert all(isinstance(price, str) and float(price) >= -1 for price in model["pricing"].values())
    gemma = models[GEMMA]
    assert set(gemma["pricing"].values()) == {"0"}
    assert gemma["context_length"] == gemma["top_provider"]["context_length"] == 262144
    assert gemma["expiration_date"] is None
    assert gemma["architecture"]["modality"] == "text+image->text"
    assert "tools" in gemma["supported_parameters"]


def test_model_can_be_retired_and_brought_back(api: Api) -> None:
    for reason in ("no_endpoints", "paid_only", "free_ended"):
        api.http.patch("/admin/models", json={"id": GEMMA, "retired": reason}).raise_for_status()
        assert api.chat().status_code == 404
        assert GEMMA not in listed(api)
    api.http.patch("/admin/models", json={"id": GEMMA, "retired": None}).raise_for_status()
    assert api.chat().status_code == 200


def test_model_is_gone_after_its_expiration_date(api: Api) -> None:
    api.http.patch("/admin/models", json={"id": GEMMA, "expiration_date": "2026-11-24"}).raise_for_status()
    assert listed(api)[GEMMA]["expiration_date"] == "2026-11-24"
    assert api.chat().status_code == 200
    moved = api.http.post("/admin/clock", json={"advance_seconds": 86_400}).json()
    assert moved == {"now": START + 86_400, "offset_seconds": 86_400}
    assert api.chat().status_code == 404
    assert GEMMA not in listed(api)


def test_model_can_begin_to_cost(api: Api) -> None:
    api.http.patch("/admin/models", json={"id": GEMMA, "pricing": {"prompt": "0.000001"}}).raise_for_status()
    assert listed(api)[GEMMA]["pricing"]["prompt"] == "0.000001"
    assert api.chat().json()["usage"]["cost"] > 0
    api.http.patch("/admin/models", json={"id": GEMMA, "needs_credits": True}).raise_for_status()
    assert api.chat().status_code == 402
    entry = next(m for m in api.http.get("/admin/models").json() if m["id"] == GEMMA)
    assert entry["needs_credits"] is True


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/admin/models", {"id": "no/such"}, 404),
        ("PATCH", "/admin/models", {"id": GEMMA, "pricing": {"prompt": "cheap"}}, 400),
        ("PATCH", "/admin/models", {"id": GEMMA, "retired": "maybe"}, 400),
        ("PATCH", "/admin/accounts/nobody", {}, 404),
        ("PATCH", "/admin/accounts/first", {"day_used": -1}, 400),
        ("PATCH", "/admin/accounts/first", {"colour": "red"}, 400),
        ("POST", "/admin/clock", {"advance_seconds": -1}, 400),
        ("POST", "/admin/reset", {"seed": "x"}, 400),
        ("GET", "/admin/requests?limit=0", None, 400),
    ],
)
def test_wrong_operator_requests(api: Api, method: str, path: str, body: Any, status: int) -> None:
    response = api.http.request(method, path, json=body)
    assert response.status_code == status
    assert response.json()["error"]["code"] == status


def test_requests_are_recorded_without_keys_or_words(api: Api) -> None:
    api.chat(GEMMA, models=[PAID], temperature=0.3, metadata={"secret": "words"}, user="me")
    api.chat(PAID)
    api.chat(key="wrong")
    found = api.http.get("/admin/requests").json()
    assert found["total"] == 3
    assert found["by_model"] == {GEMMA: 1, PAID: 2}
    first, second, refused = found["requests"]
    assert first == {
        "seq": 1,
        "time": START,
        "method": "POST",
        "path": "/api/v1/chat/completions",
        "account": "first",
        "models": [GEMMA, PAID],
        "served_model": GEMMA,
        "stream": False,
        "body_fields": ["messages", "metadata", "model", "models", "temperature", "user"],
        "outcome": "ok",
        "status": 200,
        "cost_usd": 0.0,
        "duration_ms": 0.0,
    }
    assert second["cost_usd"] > 0
    assert (refused["account"], refused["status"], refused["outcome"]) == (None, 401, "refused")


def test_records_can_be_asked_for_by_time_number_and_count(api: Api) -> None:
    for _ in range(3):
        api.chat()
        api.clock.time += 1

    def seqs(query: str) -> list[int]:
        return [r["seq"] for r in api.http.get(f"/admin/requests?{query}").json()["requests"]]

    assert seqs("") == [1, 2, 3]
    assert seqs(f"since={START}") == [2, 3]
    assert seqs("after_seq=2") == [3]
    assert seqs("limit=2") == [2, 3]


def test_records_and_lines_are_bounded_and_totals_are_not(api: Api) -> None:
    journal = api.sim.journal
    for number in range(6_000):
        journal.name_models(journal.open(START, "POST", "/x"), [f"model-{number}"])
    assert journal.total == 6_000
    assert len(journal.records) == 5_000
    assert len(journal.by_model) == 501
    assert sum(journal.by_model.values()) == 6_000


def test_generations_are_bounded(api: Api) -> None:
    first = api.chat().json()["id"]
    for _ in range(1_000):
        api.sim.generations.append(Generation("first", START, {"id": api.sim.next_generation_id()}))
    api.clock.time += 1
    assert api.get(f"/api/v1/generation?id={first}").status_code == 404


def test_account_can_be_set(api: Api) -> None:
    body = {"credits_bought": 0, "usage": 1, "minute_used": 2, "day_used": 3}
    assert api.http.patch("/admin/accounts/first", json=body).json() == {
        "name": "first",
        "credits_bought": 0.0,
        "usage": 1.0,
        "balance": -1.0,
        "minute_used": 2,
        "minute_limit": 10_000,
        "day_used": 3,
        "day_limit": 10_000,
        "blocked_by": None,
    }
    assert [a["name"] for a in api.http.get("/admin/accounts").json()] == ["first", "second"]


def test_an_account_may_have_limits_of_its_own_until_they_are_taken_back(api: Api) -> None:
    given = api.http.patch("/admin/accounts/first", json={"minute_limit": 16, "day_limit": 50}).json()
    assert (given["minute_limit"], given["day_limit"]) == (16, 50)
    assert api.get("/api/v1/key").json()["data"]["free_model_daily_requests"]["limit"] == 50
    back = api.http.patch("/admin/accounts/first", json={"minute_limit": None, "day_limit": None, "usage": None}).json()
    assert (back["minute_limit"], back["day_limit"], back["usage"]) == (10_000, 10_000, 0.0)


def test_reset_brings_everything_back(api: Api) -> None:
    before = api.http.get("/admin/accounts").json()
    api.chat(PAID)
    api.faults({"kind": "hang"})
    api.http.post("/admin/clock", json={"advance_seconds": 10})
    api.http.patch("/admin/models", json={"id": GEMMA, "retired": "paid_only"})
    assert api.http.post("/admin/reset").json() == {"reset": True}
    assert api.http.get("/admin/accounts").json() == before
    assert api.http.get("/admin/faults").json() == []
    assert api.http.get("/admin/clock").json() == {"now": START, "offset_seconds": 0}
    assert api.http.get("/admin/requests").json() == {"total": 0, "by_model": {}, "requests": []}
    assert api.http.get("/admin/bill").json() == {"total_usd": 0, "requests": []}
    assert api.chat().status_code == 200


def test_operator_api_can_be_left_out() -> None:
    async def status(path: str) -> int:
        app = create_app(Simulator(settings(admin=False)))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return (await client.get(path)).status_code

    assert asyncio.run(status("/admin/faults")) == 404
    assert asyncio.run(status("/healthz")) == 200
