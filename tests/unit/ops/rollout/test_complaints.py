"""The gate on complaints: what users said decides, and somebody signs where too few said anything."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.rollout import feedback, history
from ops.rollout.gates.complaints import Heard
from ops.rollout.gates.gate import Outcome, Verdict
from ops.rollout.gates.registry import judge
from ops.rollout.history import Verb
from tests.unit.ops.evidence import HOUR, NOON, entry, gate_input, sound, verdict


def said(signed_off_by: str = "", *, gates: dict[str, Any] | None = None, **changes: Any) -> Verdict:
    judged = judge(sound(**changes), gate_input(signed_off_by=signed_off_by, gates={"complaints": gates or {}}))
    return verdict(judged, "complaints")


def rated(bad: int, answers: int, up: int = 50) -> Heard:
    return Heard(up=up, down=bad, answers=answers)


QUIET: dict[str, Any] = {"feedback": rated(3, 2000), "feedback_baseline": rated(20, 18_000)}
"""As many bad ratings on both paths."""


def test_enough_feedback_needs_no_signature() -> None:
    found = said(**QUIET)
    assert (found.outcome, found.samples) == (Outcome.PASS, 2000)
    assert "1.5 per 1,000 answers (3 of 2,000) against 1.11 per 1,000 answers (20 of 18,000)" in found.value
    assert found.threshold == "same or fewer, at most 1 % more"


def test_complaints_that_are_no_accident_fail_whoever_signs() -> None:
    worse: dict[str, Any] = {"feedback": rated(30, 2000), "feedback_baseline": rated(20, 18_000)}
    for name in ("", "anna"):
        found = said(name, **worse)
        assert found.outcome is Outcome.FAIL
        assert "no accident" in found.cause
        assert "./fridayctl rollback t" in found.fix


def test_what_cannot_be_told_waits_for_a_signature() -> None:
    few: dict[str, Any] = {"feedback": rated(1, 100), "feedback_baseline": rated(20, 900)}
    found = said(**few)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "too few answers to tell" in found.cause
    assert "more calls will tell" in found.cause
    assert "--no-complaints NAME" in found.fix
    signed = said("anna", **few)
    assert (signed.outcome, signed.value.endswith("; signed by anna")) == (Outcome.PASS, True)
    assert said(gates={"tolerancePercent": 10}, **few).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"feedback": rated(5, 2000, up=14), "feedback_baseline": rated(0, 9000)}, "19 ratings of LiteLLM's users"),
        ({"feedback": rated(5, 2000), "feedback_baseline": None}, "nothing to compare with"),
        ({"feedback": rated(5, 2000), "feedback_baseline": rated(0, 0)}, "nothing to compare with"),
        ({"reported": {"litellm": {"complaint": 30}}}, "nothing to compare with"),
    ],
)
def test_without_enough_feedback_somebody_signs_and_sees_what_there_is(changes: dict[str, Any], cause: str) -> None:
    found = said(**changes)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.value.startswith("nobody has signed; complained of: ")
    assert cause in found.cause
    signed = said("anna", **changes)
    assert (signed.outcome, signed.value.endswith("signed by anna")) == (Outcome.PASS, True)


def test_without_any_feedback_all_is_as_before() -> None:
    found = said()
    assert (found.value, found.cause) == ("nobody has signed", "no metric knows what users said in the last 48 h")
    assert said("anna").value == "none, says anna"
    none_yet: dict[str, Any] = {"feedback": Heard(answers=1000), "feedback_baseline": Heard(answers=9000)}
    assert said(**none_yet).value == "nobody has signed"


def test_what_operators_entered_counts_with_the_rest_a_fallback_for_the_gateway() -> None:
    reported: dict[str, Any] = {"litellm": {"down": 20}, "fallback": {"complaint": 7}, "direct": {"down": 1}}
    found = said(**QUIET, reported=reported)
    assert found.outcome is Outcome.FAIL
    assert "(30 of 2,000) against 1.17 per 1,000 answers (21 of 18,000)" in found.value


def test_beside_nobody_the_step_before_is_compared_with() -> None:
    before: dict[str, Any] = {"baseline_is": "previous step", "reported_before": {"direct": {"down": 100}}}
    found = said(**QUIET, **before, reported={"direct": {"down": 7}})
    assert "(120 of 18,000)" in found.value
    assert "against the previous step" in found.metric


def test_more_ratings_than_answers_are_no_error() -> None:
    assert said(feedback=rated(30, 10), feedback_baseline=rated(0, 100)).outcome is Outcome.FAIL


def test_at_0_percent_nobody_is_asked() -> None:
    judged = judge(sound(**QUIET), gate_input(0, 10, signed_off_by=""))
    assert verdict(judged, "complaints").outcome is Outcome.SKIPPED


# What operators enter.


@given(
    path=st.sampled_from(feedback.PATHS),
    rating=st.sampled_from(feedback.RATINGS),
    count=st.integers(1, feedback.MOST),
    note=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=300),
)
def test_a_message_says_what_was_entered(path: str, rating: str, count: int, note: str) -> None:
    written = feedback.message(path, rating, count, note)
    assert history.verb_of(written) is Verb.FEEDBACK
    assert feedback.of(written, NOON) == feedback.Reported(NOON, path, rating, count, note)


@pytest.mark.parametrize(
    "words", ["feedback: 3 down on mars", "feedback: x down on direct", "feedback: bad", "up: 3 down on direct", ""]
)
def test_other_words_are_no_feedback(words: str) -> None:
    assert feedback.of(words, NOON) is None


def test_feedback_is_counted_by_when_it_was_entered() -> None:
    entries = [
        entry(0, 10, "feedback: 2 complaints on litellm: slow"),
        entry(0.5, 10, "feedback: 1 down on litellm", result="failed"),
        entry(1, 10, "feedback: 1 down on litellm"),
        entry(1, 10, "feedback: 3 up on direct"),
        entry(2, 10, "feedback: 9 down on litellm"),
        entry(3, 10),
    ]
    found = history.ratings_between(entries, NOON - HOUR - dt.timedelta(seconds=1), NOON)
    assert found == {"litellm": {"complaint": 2, "down": 1}, "direct": {"up": 3}}


def test_feedback_deploys_nothing_and_nothing_goes_back_to_it() -> None:
    entries = [
        entry(0, 0, "rollback: level 1, 50 -> 0 %"),
        entry(1, 50, "feedback: 3 down on litellm"),
        entry(2, 50, "promote: 10 -> 50 %"),
        entry(3, 10, "feedback: 1 up on litellm"),
        entry(4, 10, "promote: 0 -> 10 %"),
    ]
    assert history.deployed(entries[1:]) == entries[2]
    assert history.condemned(entries) == [entries[2]]
    assert history.good_targets(entries) == [entries[4]]


def test_what_changed_something_is_a_deployment_whatever_it_says() -> None:
    entries = [entry(0, 50, "feedback: 3 down on litellm", changes=4), entry(1, 10)]
    assert history.deployed(entries) == entries[0]


def test_a_pause_before_a_rollback_does_not_hide_what_it_undid() -> None:
    entries = [
        entry(0, 0, "rollback: level 1, 50 -> 0 %"),
        entry(1, 50, "pause: 50 %: complaints"),
        entry(2, 50, "promote: 10 -> 50 %"),
        entry(3, 10, "promote: 0 -> 10 %"),
    ]
    assert history.good_targets(entries) == [entries[3]]
