"""The gate on OpenRouter: a model that is out counts by what users had of it."""

from typing import Any

import pytest

from ops.rollout.gates.evidence import Calls
from ops.rollout.gates.gate import Outcome, Verdict
from ops.rollout.gates.registry import judge
from tests.unit.ops.evidence import durations, gate_input, sound, verdict

LONG_OUT = {"a:free": 20_000.0, "b:free": 60.0}
FELL_BACK = Calls(total=1000, failed=30)


def judged(**changes: Any) -> Verdict:
    again = changes.pop("again", False)
    return verdict(judge(sound(seconds_out=LONG_OUT, **changes), gate_input(again=again)), "providers")


def test_a_model_that_nobody_missed_stops_nothing_and_is_shown() -> None:
    said = judged()
    assert (said.outcome, said.value) == (Outcome.PASS, "a:free 11.6 %, b:free 0.0347 %; no user noticed")


@pytest.mark.parametrize(
    ("noticed", "words"),
    [
        ({"fallbacks": FELL_BACK}, "3 % of calls fell back"),
        ({"latency": durations(0.9)}, "p50, p95, p99 slower than the direct path"),
        ({"fallbacks": FELL_BACK, "latency": durations(0.9)}, "3 % of calls fell back, p50, p95, p99 slower"),
    ],
)
def test_calls_that_fell_back_and_added_time_are_noticed(noticed: dict[str, Any], words: str) -> None:
    said = judged(**noticed)
    assert said.outcome is Outcome.FAIL
    assert words in said.value
    assert said.cause.startswith("a:free: retired")


def test_a_few_calls_that_fell_back_are_shown_again_and_again_only_when_they_are_no_chance() -> None:
    few = Calls(total=100, failed=3)
    assert judged(fallbacks=few).outcome is Outcome.FAIL
    assert judged(fallbacks=few, again=True).outcome is Outcome.PASS


def test_what_nobody_counted_is_not_taken_as_unnoticed() -> None:
    assert judged(fallbacks=None).outcome is Outcome.INCONCLUSIVE
    assert judged(latency=None).outcome is Outcome.PASS  # the gate on time says that it knows nothing
