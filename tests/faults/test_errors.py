"""The simulator's own errors on both paths: spent accounts, unpaid ones, models that went or got a price."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from simulator.catalogue import Retirement
from tests.faults.stage import Stage
from tests.faults.users import CATALOGUE, DIRECT_MODEL, DIRECT_USER, GATEWAY_USER, IDS, Ask, models_asked

pytestmark = pytest.mark.engine
STREAM = pytest.mark.parametrize(
    "stream", [pytest.param(False, marks=pytest.mark.slow), True], ids=["plain", "streamed"]
)
FIRST, SECOND = CATALOGUE.models[0].name, CATALOGUE.fallbacks_of(CATALOGUE.models[0].name)[0]
ACCOUNTS = ("gateway", "friday-direct")
SPENT = {"minute": {"minute_used": 100_000}, "day": {"day_used": 10_000_000}}
"""The most that the settings allow as a limit."""
UNSUITABLE = [
    *(pytest.param({"retired": reason}, "model_not_found", marks=pytest.mark.slow) for reason in get_args(Retirement)),
    pytest.param({"expiration_date": "2020-01-01"}, "model_not_found", marks=pytest.mark.slow),
    ({"needs_credits": True}, "payment_required"),
    ({"pricing": {"prompt": "0.000001", "completion": "0.000002"}}, "model_not_found"),
]


@pytest.fixture(autouse=True)
def as_before(stage: Stage) -> Iterator[None]:
    """Check what it cost, put the simulator back, and see that users are served again."""
    yield
    stage.check_free(stage.calls_after(0))
    stage.admin("POST", "reset")
    stage.rest()
    by_path = {reply.path for reply in stage.ask(Ask(GATEWAY_USER, stream=True), Ask(DIRECT_USER, stream=True))}
    assert by_path == {"litellm", "direct"}


def begin_a_minute(stage: Stage) -> None:
    """Move the simulator's clock on when its minute is about to end: counts begin anew then."""
    left = 60 - stage.admin("GET", "clock")["now"] % 60
    if left < 10:
        stage.admin("POST", "clock", {"advance_seconds": left})


def check_both_fail(stage: Stage, kind: str, stream: bool) -> None:
    """Fail unless a gateway user and a direct one get this error, both from the direct path."""
    gateway, direct = stage.ask(Ask(GATEWAY_USER, stream), Ask(DIRECT_USER, stream))
    for reply, path in ((gateway, "fallback"), (direct, "direct")):
        reply.check_error(kind)
        assert reply.path == path


@STREAM
@pytest.mark.parametrize("used", SPENT.values(), ids=SPENT)
def test_the_gateways_account_is_spent(stage: Stage, used: dict[str, int], stream: bool) -> None:
    begin_a_minute(stage)
    stage.admin("PATCH", "accounts/gateway", used)
    mark = stage.mark
    [reply] = stage.ask(Ask(GATEWAY_USER, stream, FIRST))
    assert reply.answered == (200, "fallback", DIRECT_MODEL)
    assert stage.logged(reply)["reason"] == "quota_spent"
    calls = stage.calls_after(mark)
    # The first of them that is not cooling down from the test before.
    assert len(models_asked(calls, "gateway")) == 1, "no other model helps"
    assert models_asked(calls, "friday-direct") == [DIRECT_MODEL]


@STREAM
@pytest.mark.parametrize("used", SPENT.values(), ids=SPENT)
def test_both_accounts_are_spent(stage: Stage, used: dict[str, int], stream: bool) -> None:
    begin_a_minute(stage)
    for account in ACCOUNTS:
        stage.admin("PATCH", f"accounts/{account}", used)
    for user, path in ((GATEWAY_USER, "fallback"), (DIRECT_USER, "direct")):
        mark = stage.mark
        [reply] = stage.ask(Ask(user, stream))
        reply.check_error("quota_spent")
        assert (reply.status, reply.path) == (429, path)
        assert models_asked(stage.calls_after(mark), "friday-direct") == [DIRECT_MODEL], "not asked again"


@STREAM
def test_an_account_in_debt_is_not_used(stage: Stage, stream: bool) -> None:
    stage.admin("PATCH", "accounts/gateway", {"usage": 1_000})
    [reply] = stage.ask(Ask(GATEWAY_USER, stream))
    assert reply.answered == (200, "fallback", DIRECT_MODEL)
    stage.admin("PATCH", "accounts/friday-direct", {"usage": 1_000})
    check_both_fail(stage, "payment_required", stream)


@STREAM
@pytest.mark.parametrize(("change", "kind"), UNSUITABLE, ids=str)
def test_a_model_that_is_free_no_more(stage: Stage, change: dict[str, Any], kind: str, stream: bool) -> None:
    stage.admin("PATCH", "models", {"id": IDS[FIRST], **change})
    [reply] = stage.ask(Ask(GATEWAY_USER, stream, FIRST))
    assert reply.answered == (200, "litellm", IDS[SECOND])
    for model in IDS.values():
        stage.admin("PATCH", "models", {"id": model, **change})
    check_both_fail(stage, kind, stream)


@STREAM
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        *(
            pytest.param(fault, marks=pytest.mark.slow)
            for fault in ({"kind": "status", "status": 429}, {"kind": "close"})
        ),
    ],
)
def test_a_fault_that_is_over_at_the_second_try(stage: Stage, fault: dict[str, Any], stream: bool) -> None:
    stage.admin("PUT", "faults", [{**fault, "model": DIRECT_MODEL, "count": 1}])
    mark = stage.mark
    [reply] = stage.ask(Ask(DIRECT_USER, stream))
    assert reply.answered == (200, "direct", DIRECT_MODEL)
    assert models_asked(stage.calls_after(mark), "friday-direct") == [DIRECT_MODEL] * 2


@STREAM
def test_nobody_waits_for_a_model_that_is_busy_beyond_the_deadline(stage: Stage, stream: bool) -> None:
    stage.admin("PUT", "faults", [{"kind": "status", "status": 429, "retry_after": 60, "model": DIRECT_MODEL}])
    mark = stage.mark
    [reply] = stage.ask(Ask(DIRECT_USER, stream))
    reply.check_error("rate_limited")
    assert reply.headers["retry-after"] == "60"
    assert models_asked(stage.calls_after(mark), "friday-direct") == [DIRECT_MODEL]
