"""Free-model limits and money: tables, and properties that hold for any sequence of requests."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.accounts import DAY, MINUTE, Account, FreeQuota, Limits
from simulator.errors import ApiError
from tests.unit.simulator.conftest import GEMMA, GEMMA_SMALL, PAID, START, Api

steps = st.lists(st.floats(min_value=0, max_value=200_000), max_size=120)


@given(gaps=steps, rpm=st.integers(0, 5), rpd=st.integers(0, 12))
def test_no_window_ever_admits_more_than_its_limit(gaps: list[float], rpm: int, rpd: int) -> None:
    quota, now = FreeQuota(), 0.0
    admitted: list[float] = []
    for gap in gaps:
        now += gap
        try:
            quota.take(now, rpm, rpd)
        except ApiError as refused:
            window, limit = (DAY, rpd) if "per-day" in refused.message else (MINUTE, rpm)
            inside = [t for t in admitted if t // window == now // window]
            assert len(inside) == limit, "refused although the window had room"
            assert int(refused.headers["X-RateLimit-Reset"]) > now * 1000
        else:
            admitted.append(now)
    for window, limit in ((MINUTE, rpm), (DAY, rpd)):
        for start in {t // window for t in admitted}:
            assert sum(t // window == start for t in admitted) <= limit


@given(costs=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 90)), max_size=50))
def test_usage_is_the_sum_of_all_charges(costs: list[tuple[int, int]]) -> None:
    account = Account("a")
    for micro, day in costs:
        account.charge(Decimal(micro) / 10**6, day * DAY)
    assert account.usage == sum((Decimal(m) / 10**6 for m, _ in costs), Decimal(0))
    assert account.used_since(0) <= account.usage
    assert len(account.daily_usage) <= 40


@pytest.mark.parametrize(
    ("bought", "override", "expected"),
    [("0", None, 50), ("9.99", None, 50), ("10", None, 1000), ("10", 7, 7), ("0", 0, 0)],
)
def test_daily_limit_follows_what_was_ever_bought(bought: str, override: int | None, expected: int) -> None:
    assert Limits(rpd=override).per_day(Decimal(bought)) == expected


def test_minute_limit_is_shared_by_all_free_models_of_an_account(limited: Api) -> None:
    for number in range(20):
        assert limited.chat(GEMMA if number % 2 else GEMMA_SMALL).status_code == 200
    refused = limited.chat()
    assert refused.status_code == 429
    error = refused.json()["error"]
    assert error["message"] == "Rate limit exceeded: free-models-per-min."
    reset = str((int(START) // 60 + 1) * 60 * 1000)
    expected = {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    assert error["metadata"]["headers"] == expected
    assert {name: refused.headers[name] for name in expected} == expected
    assert limited.chat("openrouter/free").status_code == 429, "the router is no way around"
    assert limited.chat(PAID).status_code == 200, "paid models have no such limit"
    assert limited.chat(key="key-two").status_code == 200, "another account has its own"
    limited.clock.time += 30
    assert limited.chat().status_code == 200


@pytest.mark.parametrize(
    ("bought", "limit", "text"),
    [(0, 50, "free-models-per-day. Add 10 credits"), (10, 1000, "free-models-per-day-high-balance")],
)
def test_day_limit_ends_at_utc_midnight(limited: Api, bought: int, limit: int, text: str) -> None:
    account = {"credits_bought": bought, "day_used": limit - 1}
    limited.http.patch("/admin/accounts/first", json=account).raise_for_status()
    assert limited.chat().status_code == 200
    refused = limited.chat()
    assert refused.status_code == 429
    assert text in refused.json()["error"]["message"]
    assert refused.headers["X-RateLimit-Limit"] == str(limit)
    quota = limited.get("/api/v1/key").json()["data"]["free_model_daily_requests"]
    assert quota == {"limit": limit, "used": limit, "remaining": 0}
    midnight = limited.clock.time = (START // DAY + 1) * DAY
    assert int(refused.headers["X-RateLimit-Reset"]) == midnight * 1000
    assert limited.chat().status_code == 200
    assert limited.get("/api/v1/key").json()["data"]["free_model_daily_requests"]["used"] == 1


def test_failed_tries_count_and_requests_without_an_endpoint_do_not(limited: Api) -> None:
    limited.faults({"kind": "status", "status": 502, "model": GEMMA})
    assert limited.chat().status_code == 502
    assert limited.chat("z-ai/glm-4.5-air:free").status_code == 404
    assert limited.chat("nope/nope").status_code == 400
    assert limited.get("/api/v1/key").json()["data"]["free_model_daily_requests"]["used"] == 1


def test_a_spent_quota_with_a_paid_fallback_is_billed(limited: Api) -> None:
    limited.http.patch("/admin/accounts/first", json={"minute_used": 20})
    assert limited.chat(models=[PAID]).json()["model"] == PAID
    assert limited.http.get("/admin/bill").json()["total_usd"] > 0


def test_environment_limits_override(api: Api) -> None:
    assert api.http.get("/admin/accounts").json()[0]["day_limit"] == 10_000
