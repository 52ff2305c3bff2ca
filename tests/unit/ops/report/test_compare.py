"""Both paths side by side: the bounds hold what is shown, and without calls there is nothing."""

import pytest

from ops.report.compare import comparisons
from ops.report.model import Comparison
from ops.rollout.gates.evidence import Calls, Distribution
from tests.unit.ops.evidence import durations, entry, sound
from tests.unit.ops.report.reported import known


def named(found: tuple[Comparison, ...], name: str) -> Comparison:
    return next(each for each in found if each.name == name)


def test_equal_paths_show_no_difference() -> None:
    errors = named(comparisons(known()), "error_rate")
    assert errors.difference
    assert errors.difference.low is not None
    assert errors.difference.high is not None
    assert errors.difference.low < 0 < errors.difference.high
    assert errors.says.startswith("no difference is shown")
    assert errors.ours.value == 0.002
    assert errors.ours.low is not None
    assert errors.ours.high is not None
    assert errors.ours.low < 0.002 < errors.ours.high < 0.02
    assert "at every look" in errors.method


@pytest.mark.parametrize(("failed", "says"), [(300, "surely see more errors"), (0, "surely see fewer errors")])
def test_a_difference_that_is_sure_is_said(failed: int, says: str) -> None:
    evidence = sound(calls=Calls(total=1000, failed=failed), baseline=Calls(total=1000, failed=150))
    assert says in named(comparisons(known(evidence=evidence)), "error_rate").says


@pytest.mark.parametrize(("seconds", "says"), [(5.0, "surely slower"), (0.1, "surely quicker"), (1.0, "no difference")])
def test_times(seconds: float, says: str) -> None:
    evidence = sound(latency=durations(*[seconds] * 10), direct_latency=durations(*[1.0] * 10))
    found = named(comparisons(known(evidence=evidence)), "latency_p50")
    assert says in found.says
    assert found.ours.samples == 1000


def test_beyond_the_last_bucket_the_bound_is_not_known() -> None:
    slow = Distribution(buckets=((1.0, 0.0), (float("inf"), 1000.0)))
    found = named(comparisons(known(evidence=sound(latency=slow))), "latency_p99")
    assert found.ours.high is None
    assert found.difference
    assert found.difference.high is None


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (sound(calls=None), "one of the two has no calls"),
        (sound(baseline=Calls(total=0, failed=0)), "one of the two has no calls"),
        (sound(calls=None, silent={"prometheus": "it is away"}), "it is away"),
    ],
)
def test_without_calls_there_is_nothing_to_compare(evidence: object, why: str) -> None:
    found = named(comparisons(known(evidence=evidence)), "error_rate")  # type: ignore[arg-type]
    assert found.difference is None
    assert why in found.why


def test_at_zero_percent_and_without_a_stack() -> None:
    nobody = known(entries=[entry(480, 0)], evidence=sound(calls=None, latency=None))
    assert "at 0 %" in named(comparisons(nobody), "error_rate").why
    assert comparisons(known(entries=[])) == ()
