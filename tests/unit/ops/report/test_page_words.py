"""How the page writes numbers: about three figures, a unit, and never 0 for what is not known or merely small."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.report.model import Unit, Window
from ops.report.page_words import UNKNOWN, length, moment, number, quantity, signed, window_words


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0061, Unit.SHARE, "0.61 %"),
        (0, Unit.SHARE, "0 %"),
        (0.123456, Unit.SHARE, "12.3 %"),
        (1, Unit.SHARE, "100 %"),
        (0.00001, Unit.SHARE, "0.001 %"),
        (0.84, Unit.SECONDS, "840 ms"),
        (2.3149, Unit.SECONDS, "2.31 s"),
        (0, Unit.SECONDS, "0 s"),
        (1, Unit.CALLS, "1 call"),
        (12345, Unit.CALLS, "12,345 calls"),
        (0.0, Unit.DOLLARS, "$0.00"),
        (0.004, Unit.DOLLARS, "$0.004"),
        (1.5, Unit.DOLLARS, "$1.50"),
        (3, Unit.VOTES, "3 votes"),
        (None, Unit.CALLS, UNKNOWN),
        (None, Unit.DOLLARS, UNKNOWN),
        (float("nan"), Unit.SHARE, UNKNOWN),
    ],
)
def test_a_quantity_has_its_unit(value: float | None, unit: Unit, expected: str) -> None:
    assert quantity(value, unit) == expected


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_what_is_not_zero_never_looks_like_it(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=0.006)
    for unit in Unit:
        assert any(digit in "123456789" for digit in quantity(value, unit))


def test_a_difference_has_its_sign_and_of_shares_it_is_in_points() -> None:
    assert signed(0.0009, Unit.SHARE) == "+0.09 points"
    assert signed(-0.05, Unit.SECONDS) == "\N{MINUS SIGN}50 ms"
    assert signed(0, Unit.SECONDS) == "0 s"
    assert signed(None, Unit.SHARE) == UNKNOWN


def test_times_are_in_utc_and_lengths_in_words() -> None:
    at = dt.datetime(2026, 11, 30, 18, 40, tzinfo=dt.UTC)
    assert moment(at) == "2026-11-30 18:40 UTC"
    assert [length(seconds) for seconds in (20, 180, 26 * 3600, 7 * 86400, 2.5 * 86400)] == [
        "20 s",
        "3 min",
        "26 h",
        "7 days",
        "2.5 days",
    ]
    assert window_words(Window(began=at - dt.timedelta(days=1), ended=at)) == "24 h to 2026-11-30 18:40 UTC"
