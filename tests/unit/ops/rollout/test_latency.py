"""The gate on time: targets, and the direct path beside them."""

import pytest

from ops.rollout.gates.evidence import Distribution
from ops.rollout.gates.gate import Outcome, Verdict
from ops.rollout.gates.registry import judge
from tests.unit.ops.evidence import durations, gate_input, sound, verdict


@pytest.mark.parametrize("watching", [True, False])
@pytest.mark.parametrize(
    ("ours", "direct", "outcome"),
    [
        (2.63, 2.5, Outcome.PASS),  # both slow, equally
        (1.04, 0.99, Outcome.PASS),  # one on either side of the target
        (0.9, 0.1, Outcome.PASS),  # within the target it does not matter by how much
        (3.6, 2.5, Outcome.PASS),
        (3.9, 2.5, Outcome.FAIL),
        (10.0, 2.5, Outcome.FAIL),
        (1.2, 0.5, Outcome.FAIL),
    ],
)
def test_users_of_slow_models_are_held_against_the_direct_path(
    ours: float, direct: float, outcome: Outcome, watching: bool
) -> None:
    evidence = sound(latency=durations(ours), direct_latency=durations(direct, each=900))
    said = verdict(judge(evidence, gate_input(watching=watching)), "latency")
    assert said.outcome is outcome
    assert f"(direct path: p50 {direct:.2f} s" in said.value
    assert said.threshold == "p50 1 s, p95 3 s, p99 5 s, or up to 50 % above the direct path"


@pytest.mark.parametrize(
    ("percent", "outcome"), [(0, Outcome.FAIL), (39, Outcome.FAIL), (41, Outcome.PASS), (100, Outcome.PASS)]
)
def test_how_much_slower_is_a_setting(percent: float, outcome: Outcome) -> None:
    evidence = sound(latency=durations(3.5), direct_latency=durations(2.5))
    said = verdict(judge(evidence, gate_input(gates={"latency": {"tolerancePercent": percent}})), "latency")
    assert said.outcome is outcome


@pytest.mark.parametrize("direct", [None, durations()])
def test_without_a_direct_path_the_targets_decide_and_are_named(direct: Distribution | None) -> None:
    said = verdict(judge(sound(latency=durations(2.5), direct_latency=direct), gate_input()), "latency")
    assert (said.outcome, said.threshold) == (Outcome.FAIL, "p50 1 s, p95 3 s, p99 5 s")
    assert "no direct path was measured" in said.cause
    assert "raise gates.latency.p50Seconds (1)" in said.fix


def test_a_few_slow_calls_of_few_may_be_chance() -> None:
    def watched(*seconds: float) -> Verdict:
        evidence = sound(latency=durations(*seconds, each=1), direct_latency=durations(2.5, each=400))
        return verdict(judge(evidence, gate_input(watching=True)), "latency")

    said = watched(*[2.5] * 22, 9.0, 9.0)
    assert (said.outcome, said.samples) == (Outcome.INCONCLUSIVE, 24)
    assert "p95 missed, and that may be chance" in said.cause
    assert watched(*[2.5] * 220, *[9.0] * 60).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("few", "watching", "outcome"),
    [
        (2, False, Outcome.INCONCLUSIVE),
        (3, False, Outcome.FAIL),
        (3, True, Outcome.INCONCLUSIVE),
        (19, True, Outcome.FAIL),
    ],
)
def test_a_few_calls_of_the_direct_path_are_enough_to_compare_with(few: int, watching: bool, outcome: Outcome) -> None:
    def judged(ours: float) -> Outcome:
        evidence = sound(latency=durations(ours), direct_latency=durations(2.5, each=few))
        return verdict(judge(evidence, gate_input(90, 100, watching=watching)), "latency").outcome

    assert (judged(2.6), judged(20.0)) == (Outcome.PASS, outcome)


def test_at_0_percent_targets_that_the_direct_path_misses_are_named() -> None:
    slow = sound(direct_latency=durations(2.5))
    said = verdict(judge(slow, gate_input(0, 10)), "latency")
    assert (said.outcome, said.samples, said.seconds) == (Outcome.SKIPPED, 100, 48 * 3600)
    assert said.value.startswith("direct path: p50 2.50 s")
    assert "the direct path misses p50 itself" in said.cause
    assert "gates.latency.p50Seconds (1) in Pulumi.t.yaml" in said.fix
    assert judge(slow, gate_input(0, 10)).outcome is Outcome.PASS
    quick = verdict(judge(sound(), gate_input(0, 10)), "latency")
    assert (quick.outcome, quick.value[:23], quick.fix) == (Outcome.SKIPPED, "direct path: p50 0.50 s", "")


def test_at_0_percent_a_friday_without_metrics_is_told_which_targets_will_decide() -> None:
    said = verdict(judge(sound(direct_latency=None, has_friday=False), gate_input(0, 10)), "latency")
    assert (said.outcome, said.value) == (Outcome.SKIPPED, "not measured")
    assert "by these targets alone" in said.cause
    assert all(f"gates.latency.p{name}Seconds" in said.fix for name in (50, 95, 99))
    unknown = verdict(judge(sound(direct_latency=None), gate_input(0, 10)), "latency")
    assert (unknown.outcome, unknown.fix, unknown.seconds) == (Outcome.SKIPPED, "", None)


def test_a_percentile_is_judged_from_the_calls_on_that_can_show_it() -> None:
    few = {"latency": {"minimumSamples": 10}}
    late = durations(*[0.5] * 18, 9.0, each=1)
    said = verdict(judge(sound(latency=late), gate_input(gates=few)), "latency")
    assert said.outcome is Outcome.PASS
    assert "p95 not judged, p99 not judged" in said.value
    later = sound(latency=durations(*[0.5] * 18, 9.0, 9.0, each=1), direct_latency=None)
    said = verdict(judge(later, gate_input(gates=few)), "latency")
    assert (said.outcome, said.cause[:10]) == (Outcome.INCONCLUSIVE, "p95 missed")
    much = sound(latency=durations(*[0.5] * 15, *[9.0] * 5, each=1), direct_latency=None)
    assert verdict(judge(much, gate_input(gates=few)), "latency").outcome is Outcome.FAIL


@pytest.mark.parametrize(("before", "outcome"), [(2.5, Outcome.PASS), (0.5, Outcome.FAIL), (None, Outcome.FAIL)])
def test_at_100_percent_a_step_is_not_blamed_for_what_its_users_had_before(
    before: float | None, outcome: Outcome
) -> None:
    earlier = None if before is None else durations(before)
    evidence = sound(
        latency=durations(2.6), direct_latency=durations(0.5), earlier_latency=earlier, baseline_is="previous step"
    )
    said = verdict(judge(evidence, gate_input(100, None, watching=True)), "latency")
    assert said.outcome is outcome


def buckets(*counted: float) -> Distribution:
    """Return a histogram with Friday's own bounds around 3 s."""
    return Distribution(buckets=tuple(zip((2.0, 3.0, 4.0, 5.0, float("inf")), counted, strict=True)))


def test_the_width_of_the_buckets_is_part_of_what_is_not_known() -> None:
    ours, direct = buckets(0, 0, 0, 5000, 5000), buckets(0, 1000, 5000, 5000, 5000)
    said = verdict(judge(sound(latency=ours, direct_latency=direct), gate_input(gates=TIGHT)), "latency")
    assert said.outcome is Outcome.INCONCLUSIVE
    assert "p50 +1.12 s (+0 to +2 s)" in said.value
    assert "counted in steps too wide" in said.cause
    assert "gates.latency.p50Seconds (1)" in said.fix
    assert "gates.latency.tolerancePercent (20)" in said.fix


TIGHT = {"latency": {"tolerancePercent": 20}}


def test_what_calls_alone_can_tell_says_how_many() -> None:
    ours, direct = buckets(0, 0, 4, 30, 30), buckets(30, 30, 30, 30, 30)
    said = verdict(judge(sound(latency=ours, direct_latency=direct), gate_input(again=True, gates=SOON)), "latency")
    assert said.outcome is Outcome.INCONCLUSIVE
    assert "more calls will tell" in said.cause


SOON = {"latency": {"minimumSamples": 20}}


def test_a_limit_alone_is_missed_only_by_calls_that_are_surely_above_it() -> None:
    said = verdict(judge(sound(latency=durations(*[2.6] * 10), direct_latency=None), gate_input(again=True)), "latency")
    assert said.outcome is Outcome.FAIL
    near = Distribution(buckets=((1.0, 400.0), (2.0, 1000.0), (float("inf"), 1000.0)))
    wide = {"latency": {"p50Seconds": 1.1}}
    said = verdict(judge(sound(latency=near, direct_latency=None), gate_input(gates=wide)), "latency")
    assert (said.outcome, "tolerancePercent" in said.fix) == (Outcome.INCONCLUSIVE, False)
