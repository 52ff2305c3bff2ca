"""The plots: what is seen at each place is the model's number, a gap is a gap, and each step has its line."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.report.model import Line, Mark, Series, Unit
from ops.report.page_plot import hours, interval, limit_beyond, plot, unlabelled
from tests.unit.ops.report.drawn import Drawn, read
from tests.unit.ops.report.reports import MARKS, report
from tests.unit.ops.report.week import GAP, STEPS, WEEK, line, series


def agrees(drawn: Drawn, made: Series) -> None:
    """Compare every point of every line with the model's value, and where lines break."""
    for stretches, expected in zip(drawn.lines, made.lines, strict=True):
        seen = {round(x * len(expected.values)) - 1: y for stretch in stretches for x, y in stretch}
        known = {step: value for step, value in enumerate(expected.values) if value is not None}
        assert seen.keys() == known.keys()
        highest = max([*known.values(), 0])
        for step, value in known.items():
            assert seen[step] == pytest.approx(value, abs=highest * 1e-3 + 1e-9)


@pytest.mark.parametrize("made", report().series, ids=lambda made: made.name)
def test_what_is_seen_is_what_was_measured(made: Series) -> None:
    agrees(read(plot(made, WEEK, MARKS)), made)


def test_where_nothing_was_measured_the_line_breaks() -> None:
    [[before, after]] = read(plot(series("x", "X", Unit.SHARE, line("direct", 0.5)), WEEK)).lines
    assert (len(before), len(after)) == (GAP.start, STEPS - GAP.stop)
    assert before[-1][0] == pytest.approx(GAP.start / STEPS, abs=1e-4)
    assert after[0][0] == pytest.approx((GAP.stop + 1) / STEPS, abs=1e-4)


@settings(max_examples=25)
@given(
    st.sampled_from(Unit),
    st.lists(
        st.lists(st.none() | st.floats(min_value=0, max_value=1e5), min_size=5, max_size=5), min_size=1, max_size=4
    ),
)
def test_any_numbers_can_be_drawn(unit: Unit, values: list[list[float | None]]) -> None:
    lines = tuple(Line(name=f"n{index}", values=tuple(each)) for index, each in enumerate(values))
    step = WEEK.seconds / 5
    made = Series(name="x", title="X", unit=unit, began=WEEK.began, step_seconds=step, lines=lines, limit=3.0)
    drawn = plot(made, WEEK, MARKS)
    known = [value for each in values for value in each if value is not None]
    assert bool(drawn) == bool(known)
    assert "NaN" not in drawn
    assert "style=" not in drawn  # the page's policy forbids it


def test_a_single_value_between_gaps_is_seen_as_a_point() -> None:
    one = Line(name="direct", values=(None, 0.5, None, None, 0.7))
    step = WEEK.seconds / 5
    made = Series(name="x", title="X", unit=Unit.SHARE, began=WEEK.began, step_seconds=step, lines=(one,))
    points = plot(made, WEEK).split("mark-symbol role-mark")[1].split("</g>")[0]
    assert points.count("<path") == 2  # both stand alone


def test_each_step_of_the_rollout_has_a_line_where_it_was_and_a_label() -> None:
    drawn = read(plot(report().series[0], WEEK, MARKS))
    expected = [(mark.at - WEEK.began) / dt.timedelta(seconds=WEEK.seconds) for mark in MARKS]
    assert drawn.rules == pytest.approx(expected, abs=2e-3)
    assert [text for text in drawn.texts if text in ("5 %", "10 %", "back to 5 %", "25 %")][-4:] == [
        "5 %",
        "10 %",
        "back to 5 %",
        "25 %",
    ]
    assert unlabelled(MARKS, WEEK) == 0


def test_labels_that_would_cover_others_are_left_out_and_counted() -> None:
    at = [WEEK.began + dt.timedelta(days=1, minutes=minute) for minute in range(5)]
    near = [Mark(at=moment, before=0, percentage=5, verb="up", message="") for moment in at]
    drawn = read(plot(report().series[4], WEEK, near))
    assert len(drawn.rules) == 5
    assert drawn.texts.count("5 %") == 2
    assert unlabelled(near, WEEK) == 3


def test_a_limit_is_drawn_unless_it_would_press_the_lines_flat() -> None:
    errors, fallbacks = report().series[0], report().series[4]
    peak = series("x", "X", Unit.SHARE, line("direct", 0.05), limit=0.1)
    assert "limit 10 %" in read(plot(peak, WEEK)).texts
    assert limit_beyond(peak) == ""
    for far, words in ((errors, "10 %"), (fallbacks, "50 %")):
        assert not [text for text in read(plot(far, WEEK)).texts if text.startswith("limit")]
        assert limit_beyond(far) == words


def test_each_line_has_its_name_and_is_told_from_the_others_without_colour() -> None:
    drawn = read(plot(report().series[5], WEEK))
    assert {"litellm", "fallback", "direct"} <= set(drawn.texts)
    assert len(set(drawn.dashes)) == 3


def test_nothing_known_is_no_plot() -> None:
    assert plot(series("x", "X", Unit.CALLS), WEEK, MARKS) == ""
    assert plot(series("x", "X", Unit.CALLS, Line(name="direct", values=(None,) * STEPS)), WEEK) == ""
    assert hours(()) == hours((None,) * 24) == ""
    assert interval(report().comparisons[1]) == ""


def test_an_hour_without_data_has_no_bar_and_one_without_calls_is_none_too_high() -> None:
    drawn = hours((None, 0.0, 4.0, *[1.0] * 21))
    bars = drawn.split("mark-rect role-mark")[1].split("</g>")[0]
    assert bars.count("<path") == 23


def test_a_difference_is_drawn_between_its_bounds() -> None:
    drawn = interval(report().comparisons[0])
    assert "mark-rule" in drawn
    assert "mark-symbol" in drawn
