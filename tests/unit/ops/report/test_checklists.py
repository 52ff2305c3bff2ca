"""The daily and weekly checklists: what is found, and that what is not known is never 0."""

import pytest

from ops.report.grid import Grid, Row, Rows
from ops.report.make import make
from ops.report.model import Feedback, Figure, Level, Unit
from ops.report.questions import EARLIER, STEPS, TOTALS
from tests.unit.ops.evidence import NOON, sound
from tests.unit.ops.report.reported import (
    COUNT,
    STEP,
    answers,
    changed,
    check,
    histogram,
    known,
    measured,
    report,
    somewhere,
    steady,
)

DAY = 48
"""Steps."""


def numbers(figures: tuple[Figure, ...]) -> dict[str, float | None]:
    return {each.name: each.value for each in figures}


def test_a_sound_week_is_healthy_and_says_its_numbers() -> None:
    made = report()
    assert {each.name: each.level for each in (*made.daily, *made.weekly)} == {
        "errors": Level.HEALTHY,
        "latency": Level.HEALTHY,
        "fallbacks": Level.HEALTHY,
        "providers": Level.HEALTHY,
        "feedback": Level.UNKNOWN,
        "cost": Level.HEALTHY,
        "usage": Level.HEALTHY,
        "trends": Level.HEALTHY,
        "cache": Level.HEALTHY,
    }
    assert numbers(check(made, "errors").figures) == {
        "error_rate": 0.0,
        "direct_error_rate": 0.0,
        "calls_by_path.all": 19.0 * DAY,
    }
    assert check(made, "usage").figures[0].value == 19.0 * COUNT
    assert made.day.seconds == DAY * STEP


def test_errors_of_one_day_do_not_hide_in_a_week() -> None:
    usual: Row = {("litellm", "ok"): 9.0, ("fallback", "ok"): 0.0, ("direct", "ok"): 10.0}
    bad: Row = {
        ("litellm", "ok"): 6.0,
        ("litellm", "timeout"): 3.0,
        ("litellm", "cancelled"): 5.0,
        ("direct", "ok"): 10.0,
    }
    made = report(changed(STEPS, "calls", somewhere(range(COUNT - DAY, COUNT), bad, usual)))
    found = check(made, "errors")
    assert found.level is Level.ACT
    assert numbers(found.figures)["error_rate"] == pytest.approx(1 / 3)
    assert found.figures[0].before == 0.0
    assert found.command == "./fridayctl logs t litellm"
    assert made.verdict.level is Level.ACT
    assert "Error rate" in made.verdict.headline


def test_a_rate_of_no_calls_is_unknown() -> None:
    made = report(changed(STEPS, "calls", steady({})))
    found = check(made, "errors")
    assert found.level is Level.UNKNOWN
    assert numbers(found.figures) == {"error_rate": None, "direct_error_rate": None, "calls_by_path.all": 0.0}
    assert found.figures[0].why == "no calls in this time"


def test_what_nobody_scraped_is_unknown_and_never_zero() -> None:
    made = make(known(), measured({}, silent="Prometheus at http://p does not answer (refused)"))
    for each in (*made.daily, *made.weekly):
        assert each.level is Level.UNKNOWN or each.name == "cache"
        assert all(one.value is None and one.why for one in each.figures if one.source == "Prometheus")
    assert all(value is None for each in made.series for line in each.lines for value in line.values)
    assert made.sources[1].says == "Prometheus at http://p does not answer (refused)"
    assert made.verdict.level is Level.LOOK
    assert made.marks
    assert made.incidents == ()


def test_slow_calls_count_when_the_direct_path_is_quicker() -> None:
    made = report(answers(seconds=5.0))
    found = check(made, "latency")
    assert found.level is Level.LOOK
    assert "slower than the direct path" in found.says
    both = answers(seconds=5.0)
    both[STEPS]["direct_seconds"] = both[STEPS]["gateway_seconds"]
    found = check(report(both), "latency")
    assert found.level is Level.HEALTHY
    assert "as on the direct path" in found.says


@pytest.mark.parametrize(("fallen", "level"), [(1.0, Level.LOOK), (8.0, Level.ACT)])
def test_fallbacks(fallen: float, level: Level) -> None:
    calls: Row = {("litellm", "ok"): 9.0 - fallen, ("fallback", "ok"): fallen, ("direct", "ok"): 10.0}
    found = check(report(answers(calls, reasons={("timeout",): fallen * COUNT})), "fallbacks")
    assert found.level is level
    assert "timeout" in found.says
    assert found.figures[0].value == pytest.approx(fallen / 9)


def test_a_model_that_was_left_out_for_long_is_named() -> None:
    out: Row = {("a/b:free", "gone"): 0.2 * COUNT * STEP, ("c/d:free", "busy"): 60.0}
    made = report(answers(rests=out))
    found = check(made, "providers")
    assert found.level is Level.LOOK
    assert "a/b:free 20 % of the time" in found.says
    assert made.usage.models[0].out_seconds == {"gone": 0.2 * COUNT * STEP}
    assert made.usage.models[0].share == 0.9


def test_an_account_that_is_refused_is_to_act_on() -> None:
    made = report(evidence=sound(account_refused={"data_policy": 9.0}))
    assert "privacy settings" in check(made, "providers").says
    assert check(made, "providers").level is Level.ACT


def test_feedback_is_told_by_path() -> None:
    votes = (
        Feedback(path="litellm", up=10, down=2, complaints=1, answers=100.0),
        Feedback(path="direct", up=0, down=0, complaints=0, answers=9.0),
    )
    found = check(make(known(), measured(feedback=votes)), "feedback")
    assert found.level is Level.LOOK
    assert found.says == "litellm: 10 up, 2 down, 1 complaint of 100 answers"
    thumbs = (Feedback(path="litellm", up=10, down=2, complaints=0),)
    found = check(make(known(), measured(feedback=thumbs, unheard="an old image")), "feedback")
    assert found.level is Level.HEALTHY
    assert found.says.endswith("0 complaints (operators' entries alone: an old image)")
    assert check(make(known(), measured(unheard="an old image")), "feedback").says == "unknown: an old image"


@pytest.mark.parametrize(
    ("found", "evidence", "level", "says"),
    [
        (answers(spend={("gateway",): 0.002, ("friday",): 0.0}), sound(), Level.ACT, "gateway $0.002000"),
        (answers(), sound(key_usage=0.01), Level.ACT, "openrouter $0.010000"),
        (answers(), sound(key_usage=None), Level.UNKNOWN, "it does not say it"),
        (changed(TOTALS, "spend", Rows.unknown(2, "no metrics")), sound(), Level.UNKNOWN, "no metrics"),
        (answers(), sound(), Level.HEALTHY, "$0 by 3 sources"),
    ],
)
def test_money(found: dict[str, dict[str, Rows]], evidence: object, level: Level, says: str) -> None:
    made = report(found, evidence=evidence)
    assert check(made, "cost").level is level
    assert says in check(made, "cost").says


def test_a_window_that_is_worse_than_the_one_before_is_a_trend() -> None:
    found = answers(seconds=3.0)
    found[EARLIER]["gateway_seconds"] = Rows((histogram(0.5, 1000.0),))
    made = report(found)
    assert check(made, "trends").level is Level.LOOK
    assert "Worse: " in check(made, "trends").says


def test_without_a_window_before_there_is_no_trend() -> None:
    found = answers()
    found[EARLIER] = {name: Rows((None,)) for name in found[EARLIER]}
    trends = check(report(found), "trends")
    assert trends.level is Level.UNKNOWN
    assert all(each.before is None for each in trends.figures)


def test_the_cache() -> None:
    assert "off" in check(report(), "cache").says
    on = {"router": {"cacheTtlSeconds": 600}}
    assert check(report(to=on), "cache").says == "20 % of 100 requests"
    assert check(report(answers(cache={}), to=on), "cache").says == "no cacheable request came"
    unknown = changed(TOTALS, "cache", Rows.unknown(2, "gone"))
    assert check(report(unknown, to=on), "cache").level is Level.UNKNOWN


def test_hours_of_the_day() -> None:
    usage = report().usage
    assert usage.hours == (38.0,) * 24
    young = answers()
    young[STEPS]["calls"] = Rows((*[None] * (COUNT - 1), young[STEPS]["calls"].steps[-1]))
    assert [each for each in report(young).usage.hours if each is not None] == [19.0], "half an hour is no whole one"
    long = make(known(), measured(grid=Grid(NOON.timestamp(), 7200.0, COUNT))).usage
    assert long.hours == ()
    assert "too long" in long.why


def test_a_friday_without_metrics_is_seen_at_the_edge() -> None:
    found = answers()
    codes: Row = {("2xx",): 90.0, ("4xx",): 5.0, ("5xx",): 10.0}
    for batch in (STEPS, EARLIER):
        count = len(found[batch]["calls"].steps)
        found[batch] |= {"users": steady(codes, count), "gateway": steady({("2xx",): 40.0, ("5xx",): 10.0}, count)}
        del found[batch]["calls"]
        del found[batch]["direct_seconds"]
    made = make(known(evidence=sound(has_friday=False)), measured(found, has_friday=False))
    assert numbers(check(made, "errors").figures) == {"edge_error_rate": 0.1, "calls_by_path.all": 100.0 * DAY}
    assert check(made, "fallbacks").figures[0].value == 0.2
    assert next(each.name for each in check(made, "latency").figures) == "gateway_latency_p50"
    assert {line.name for each in made.series for line in each.lines} == {"users", "gateway"}
    assert any("no metrics of its own" in note for note in made.notes)
    assert next(each for each in made.series if each.name == "calls").unit is Unit.CALLS
