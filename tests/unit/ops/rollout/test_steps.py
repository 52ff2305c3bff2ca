"""Which step comes next, and whether it may come now."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.settings.rollout import RolloutSettings
from ops.rollout.steps import Objection, RolloutPosition, StepRequest, decide, in_words, next_step, position_of
from tests.unit.ops.evidence import HOUR, NOON, entry

PLAN = RolloutSettings(steps=(10, 50, 100), soak_hours=48)
plans = st.builds(
    RolloutSettings,
    steps=st.sets(st.integers(1, 100), min_size=1, max_size=6).map(lambda found: tuple(sorted(found))),
    soak_hours=st.floats(0, 100),
)
reasons = st.sampled_from(["", "quota"])


def after(hours: float, current: int, plan: RolloutSettings = PLAN) -> RolloutPosition:
    """Return where a rollout stands, `hours` after it came to `current` percent."""
    found = position_of([entry(hours, current)], plan, NOON)
    assert found is not None
    return found


def soaked(current: int, plan: RolloutSettings = PLAN) -> RolloutPosition:
    return after(plan.soak_hours, current, plan)


@pytest.mark.parametrize(
    ("current", "to", "reason", "expected"),
    [
        (0, None, "", 10),
        (10, None, "", 50),
        (50, None, "", 100),
        (30, None, "", 50),
        (0, 10, "", 10),
        (10, 100, "in a hurry", 100),
        (10, 30, "quota", 30),
        (100, None, "", "100 % is the last step"),
        (100, None, "why not", "100 % is the last step"),
        (10, 100, "", "100 % is out of order (the next step is 50 %)"),
        (10, 30, "", "30 % is out of order (the next step is 50 %)"),
        (50, 50, "again", "50 % is not above the present 50 %"),
        (50, 10, "back", "10 % is not above the present 50 %"),
        (50, 101, "more", "--to should be a percentage from 0 to 100 (got 101)"),
    ],
)
def test_the_next_step(current: int, to: int | None, reason: str, expected: int | str) -> None:
    found = decide(soaked(current), StepRequest(to, reason))
    assert (found.what if isinstance(found, Objection) else found) == expected


def test_beyond_the_last_step_a_reason_is_needed() -> None:
    found = decide(soaked(10, RolloutSettings(steps=(10,), soak_hours=1)), StepRequest(20))
    assert isinstance(found, Objection)
    assert found.what == "20 % is out of order (no step is left)"
    assert "--reason" in found.fix


@pytest.mark.parametrize(("hours", "reason", "early"), [(47.9, "", True), (48, "", False), (0.1, "urgent", False)])
def test_a_soak_is_cut_only_with_a_reason(hours: float, reason: str, early: bool) -> None:
    found = decide(after(hours, 10), StepRequest(reason=reason))
    assert isinstance(found, Objection) is early
    if isinstance(found, Objection):
        assert "6 min left" in found.what
        assert "--reason" in found.fix


def test_what_is_out_of_order_is_said_before_what_is_early() -> None:
    found = decide(after(0, 100), StepRequest())
    assert isinstance(found, Objection)
    assert "last step" in found.what
    assert isinstance(decide(after(0, 10), StepRequest()), Objection)
    assert decide(after(0, 10), StepRequest(reason="urgent")) == 50


@given(plan=plans, current=st.integers(0, 100))
def test_steps_followed_one_by_one_lead_upwards_through_all_that_are_left(plan: RolloutSettings, current: int) -> None:
    walked = [current]
    while (step := next_step(walked[-1], plan.steps)) is not None:
        walked.append(step)
    assert walked[1:] == [step for step in plan.steps if step > current]


@given(plan=plans, current=st.integers(0, 100), to=st.none() | st.integers(-5, 105), reason=reasons)
def test_whatever_is_granted_goes_up_and_skips_nothing_unless_told_why(
    plan: RolloutSettings, current: int, to: int | None, reason: str
) -> None:
    position = soaked(current, plan)
    found = decide(position, StepRequest(to, reason))
    if isinstance(found, int):
        assert current < found <= 100
        assert found == position.next_step or reason
    elif "--reason" in found.fix:
        assert not reason
        assert decide(position, StepRequest(to, "because")) == to


@given(plan=plans, lasted=st.floats(0, 200), reason=reasons)
def test_the_soak_left_and_what_has_lasted_make_the_soak(plan: RolloutSettings, lasted: float, reason: str) -> None:
    position = after(lasted, 0, plan)
    left = timedelta(hours=plan.soak_hours) - lasted * HOUR
    assert position.soak_left == max(left, timedelta())
    assert isinstance(decide(position, StepRequest(reason=reason)), int) is (left <= timedelta() or bool(reason))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3600, "1 h"), (47 * 3600 + 12 * 60, "47 h 12 min")],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
