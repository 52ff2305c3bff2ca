"""When today's free requests end: arithmetic over what was measured and what OpenRouter says."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.rollout.gates.forecast import end_of_today, forecast
from ops.rollout.gates.quota import Recent
from tests.unit.ops.evidence import NOON, sound

HOURLY = Recent(seconds=3600, gateway=20, direct=180)


def ahead(to: int = 50, now: dt.datetime = NOON, **changes: Any) -> Any:
    return forecast(sound(**{"recent_requests": HOURLY, "requests_left": 412, **changes}), 10, to, now)


def test_the_rest_of_the_day_is_what_openrouter_says_at_the_pace_of_the_last_hour() -> None:
    found = ahead()
    assert (found.left, found.limit, found.per_hour) == (412, 1000, 200)
    assert found.ends == NOON + dt.timedelta(hours=2.06)
    assert found.words == (
        "412 of 1,000 free requests left today; at 50 % today's quota ends about 14:03 UTC "
        "(200 an hour, as in the last 60 minutes)"
    )
    assert found.document()["ends"] == "2026-11-24T14:03:36+00:00"


def test_a_day_that_is_shorter_is_said_to_last() -> None:
    found = ahead(now=NOON + dt.timedelta(hours=10))
    assert found.ends is None
    assert "at 50 % they last until 00:00 UTC" in found.words
    assert found.document()["ends"] is None


def test_a_percentage_moves_requests_from_one_path_to_the_other() -> None:
    # Users of the gateway ask twice as often here.
    uneven = Recent(seconds=3600, gateway=40, direct=180)
    assert [ahead(to, recent_requests=uneven).per_hour for to in (10, 50, 100)] == [220, 300, 400]


def test_without_openrouters_word_nothing_is_told() -> None:
    assert ahead(requests_left=None) is None


def test_a_day_that_is_over_says_when_the_next_begins() -> None:
    assert ahead(requests_left=0).words == "all 1,000 free requests of today are used; the next are there at 00:00 UTC"


@pytest.mark.parametrize(
    "changes",
    [
        {"recent_requests": None},
        {"recent_requests": Recent(seconds=3600, gateway=4, direct=5)},
        {"recent_requests": Recent(seconds=599, gateway=400, direct=500)},
    ],
)
def test_of_too_little_nothing_is_told(changes: dict[str, Any]) -> None:
    assert ahead(**changes) is None


def test_a_direct_path_that_nobody_counts_is_taken_for_its_share() -> None:
    alone = Recent(seconds=3600, gateway=20, direct=0)
    assert ahead(recent_requests=alone, has_friday=False).per_hour == 200
    assert forecast(sound(recent_requests=alone, requests_left=9, has_friday=False), 0, 10, NOON) is None


@given(
    left=st.integers(0, 5000),
    gateway=st.floats(0, 1e5),
    direct=st.floats(0, 1e5),
    current=st.integers(0, 100),
    to=st.integers(0, 100),
)
def test_an_end_is_within_the_day_and_what_lasts_is_no_more_than_is_left(
    left: int, gateway: float, direct: float, current: int, to: int
) -> None:
    evidence = sound(recent_requests=Recent(1800, gateway, direct), requests_left=left)
    found = forecast(evidence, current, to, NOON)
    if found is None:
        assert gateway + direct < 10
    elif found.ends is None:
        assert found.per_hour * 12 <= left * 1.001
    else:
        assert NOON <= found.ends < NOON + dt.timedelta(hours=12)


def test_the_day_so_far_tells_when_its_requests_end() -> None:
    assert end_of_today(400, 1000, NOON) == NOON + dt.timedelta(hours=8)
    assert end_of_today(500, 1000, NOON) is None
    assert end_of_today(991, 1000, NOON) is None, "too few to tell"
    assert end_of_today(100, 1000, NOON - dt.timedelta(hours=11.5)) is None, "too early to tell"
