"""Verdicts: each gate alone, then all of them together, over tables and over drawn evidence."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.rollout.gates import registry
from ops.rollout.gates.evidence import Calls, Evidence, Load
from ops.rollout.gates.gate import AnalysisResult, Outcome
from ops.rollout.gates.quota import affordable
from ops.rollout.gates.registry import judge
from tests.unit.ops.evidence import NAMES, durations, gate_input, sound, verdict

# What each source leaves unanswered, and the gate that has to hold for it.
SILENT = {
    "coverage": "metrics",
    "gateway_up": "gateway",
    "calls": "errors",
    "baseline": "errors",
    "fallbacks": "fallbacks",
    "latency": "latency",
    "overhead": "overhead",
    "seconds_out": "providers",
    "account_refused": "providers",
    "gateway_spend": "cost",
    "answers_cost": "cost",
    "key_usage": "cost",
    "gateway_load": "quota",
}
# One fault each, and the one gate that has to refuse it.
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("gateway", {"gateway_up": 0.99}),
    ("errors", {"calls": Calls(total=1000, failed=20)}),
    ("errors", {"calls": Calls(total=1000, failed=110), "baseline": Calls(total=9000, failed=1800)}),
    ("fallbacks", {"fallbacks": Calls(total=1000, failed=51)}),
    ("latency", {"latency": durations(*[1.5] * 10)}),
    ("latency", {"latency": durations(*[0.5] * 93, *[4.0] * 7)}),
    ("latency", {"latency": durations(*[0.5] * 98, *[8.0] * 2)}),
    ("overhead", {"overhead": durations(*[0.03] * 10)}),
    ("providers", {"seconds_out": {"a": 60.0, "b": 10_000.0}}),
    ("providers", {"account_refused": {"quota": 3.0, "data_policy": 1.0}}),
    ("cost", {"gateway_spend": 0.0001}),
    ("cost", {"answers_cost": 0.0001}),
    ("cost", {"key_usage": 0.0001}),
    ("quota", {"gateway_load": Load(per_minute=4, per_day=10, samples=1000)}),
    ("quota", {"gateway_load": Load(per_minute=1, per_day=200, samples=1000)}),
    ("quota", {"gateway_load": Load(per_minute=3, per_day=50, samples=1000), "account_limit": 16.0}),
]


def outcomes(judged: AnalysisResult) -> dict[str, Outcome]:
    return {each.gate: each.outcome for each in judged.verdicts}


def test_a_sound_step_passes_every_gate() -> None:
    judged = judge(sound(), gate_input())
    assert outcomes(judged) == dict.fromkeys(NAMES, Outcome.PASS)
    assert judged.outcome is Outcome.PASS


@pytest.mark.parametrize(("gate", "fault"), FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_fault_fails_its_own_gate_and_no_other(gate: str, fault: dict[str, Any]) -> None:
    judged = judge(sound(**fault), gate_input())
    assert [each.gate for each in judged.having(Outcome.FAIL)] == [gate]
    assert judged.outcome is Outcome.FAIL


@pytest.mark.parametrize(("gate", "fault"), FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_halt_names_metric_value_threshold_cause_and_command(gate: str, fault: dict[str, Any]) -> None:
    said = verdict(judge(sound(**fault), gate_input()), gate)
    assert all((said.metric, said.value, said.threshold, said.cause, said.fix))


@pytest.mark.parametrize(("source", "gate"), SILENT.items())
def test_a_silent_source_holds_the_step(source: str, gate: str) -> None:
    judged = judge(sound(**{source: None}), gate_input())
    assert judged.outcome is Outcome.INCONCLUSIVE
    assert [each.gate for each in judged.having(Outcome.INCONCLUSIVE)] == [gate]


def test_no_prometheus_holds_every_gate_and_says_why() -> None:
    nothing = Evidence(windows=sound().windows, silent={"prometheus": "it is down"}, key_usage=0.0)
    judged = judge(nothing, gate_input())
    assert judged.outcome is Outcome.INCONCLUSIVE
    assert {each.cause for each in judged.having(Outcome.INCONCLUSIVE) if each.gate != "cost"} == {"it is down"}


@pytest.mark.parametrize("gate", ["errors", "fallbacks", "latency", "overhead", "quota"])
def test_too_few_calls_hold_the_step_whatever_they_say(gate: str) -> None:
    few: dict[str, dict[str, Any]] = {
        "errors": {"calls": Calls(total=99, failed=99)},
        "fallbacks": {"fallbacks": Calls(total=99, failed=99)},
        "latency": {"latency": durations(60.0, each=99)},
        "overhead": {"overhead": durations(60.0, each=99)},
        "quota": {"gateway_load": Load(per_minute=99, per_day=99, samples=99)},
    }
    said = verdict(judge(sound(**few[gate]), gate_input()), gate)
    assert (said.outcome, said.samples) == (Outcome.INCONCLUSIVE, 99)
    assert "99 calls of the 100" in said.cause
    assert f"gates.{gate}.minimumSamples" in said.fix
    enough = judge(sound(**few[gate]), gate_input(gates={gate: {"minimumSamples": 50}}))
    assert verdict(enough, gate).outcome is Outcome.FAIL


def test_few_errors_in_few_calls_are_not_enough_to_tell() -> None:
    said = verdict(judge(sound(calls=Calls(total=100, failed=1)), gate_input()), "errors")
    assert said.outcome is Outcome.INCONCLUSIVE
    assert "too few calls to tell" in said.cause


def test_errors_are_compared_only_with_a_baseline_of_enough_calls() -> None:
    said = verdict(judge(sound(baseline=Calls(total=99, failed=0)), gate_input()), "errors")
    assert (said.outcome, said.samples) == (Outcome.INCONCLUSIVE, 99)


@pytest.mark.parametrize(
    ("ours", "theirs", "watched"),
    [
        (Calls(total=20, failed=3), Calls(total=180, failed=15), Outcome.INCONCLUSIVE),  # 8 % before and after
        (Calls(total=1000, failed=500), Calls(total=1000, failed=500), Outcome.INCONCLUSIVE),  # an outage
        (Calls(total=1000, failed=500), Calls(total=1000, failed=300), Outcome.FAIL),
        (Calls(total=20, failed=20), Calls(total=19, failed=19), Outcome.FAIL),  # nothing to compare with
    ],
)
def test_errors_that_others_see_as_well_take_no_step_back_and_allow_none(
    ours: Calls, theirs: Calls, watched: Outcome
) -> None:
    evidence = sound(calls=ours, baseline=theirs)
    said = verdict(judge(evidence, gate_input(watching=True)), "errors")
    assert said.outcome is watched
    assert ("the direct path: OpenRouter or Friday fails" in said.cause) is (watched is Outcome.INCONCLUSIVE)
    few = {"errors": {"minimumSamples": 20}}
    assert verdict(judge(evidence, gate_input(gates=few)), "errors").outcome is Outcome.FAIL


def test_a_friday_without_metrics_is_judged_by_two_sources_of_cost() -> None:
    said = verdict(judge(sound(has_friday=False, answers_cost=None), gate_input()), "cost")
    assert (said.outcome, said.value) == (Outcome.PASS, "$0 by 2 sources")


@pytest.mark.parametrize(
    ("silent", "cause"),
    [({"openrouter": "401"}, "401"), ({"prometheus": "down"}, "no such figure"), ({}, "no such figure")],
)
def test_a_silent_openrouter_is_named_as_itself(silent: dict[str, str], cause: str) -> None:
    said = verdict(judge(sound(key_usage=None, silent=silent), gate_input()), "cost")
    assert cause in said.cause


@pytest.mark.parametrize(
    ("billed", "cause"),
    [("key_usage", "used elsewhere"), ("answers_cost", "friday.directModel"), ("gateway_spend", "a model of the list")],
)
def test_the_source_that_saw_the_money_names_the_cause(billed: str, cause: str) -> None:
    assert cause in verdict(judge(sound(**{billed: 0.5}), gate_input()), "cost").cause


def test_at_0_percent_only_what_needs_no_gateway_traffic_is_judged() -> None:
    nothing = Calls(total=0, failed=0)
    empty = durations()
    evidence = sound(calls=nothing, fallbacks=nothing, latency=empty, overhead=empty)
    judged = judge(evidence, gate_input(0, 10, signed_off_by=""))
    assert judged.outcome is Outcome.PASS
    assert {each.gate for each in judged.having(Outcome.SKIPPED)} == {
        gate.name for gate in registry.GATES if gate.needs_gateway_traffic
    }
    assert all("0 %" in each.cause for each in judged.having(Outcome.SKIPPED))


@pytest.mark.parametrize(
    ("baseline", "outcome"),
    [
        (Calls(total=1000, failed=100), Outcome.PASS),
        (Calls(total=1000, failed=101), Outcome.FAIL),
        (Calls(total=99, failed=0), Outcome.INCONCLUSIVE),
        (None, Outcome.INCONCLUSIVE),
    ],
)
def test_at_0_percent_the_direct_path_itself_has_to_be_sound(baseline: Calls | None, outcome: Outcome) -> None:
    assert verdict(judge(sound(baseline=baseline), gate_input(0, 10)), "errors").outcome is outcome


def test_nobody_signing_holds_the_step() -> None:
    judged = judge(sound(), gate_input(signed_off_by=""))
    assert [each.gate for each in judged.having(Outcome.INCONCLUSIVE)] == ["complaints"]
    assert "--no-complaints NAME" in verdict(judged, "complaints").fix


def test_a_window_that_prometheus_has_half_seen_holds_the_step() -> None:
    assert judge(sound(coverage=0.5), gate_input()).outcome is Outcome.INCONCLUSIVE


def test_a_watch_judges_fewer_gates_from_fewer_calls_on() -> None:
    bad = Calls(total=20, failed=20)
    judged = judge(sound(calls=bad, coverage=None, seconds_out={"a": 1e9}), gate_input(watching=True))
    assert [each.gate for each in judged.verdicts] == ["gateway", "effect", "errors", "fallbacks", "latency", "cost"]
    assert [each.gate for each in judged.having(Outcome.FAIL)] == ["errors"]
    early = judge(sound(calls=Calls(total=19, failed=19)), gate_input(watching=True))
    assert early.outcome is Outcome.INCONCLUSIVE


def test_the_refusal_of_a_step_that_cannot_be_afforded_carries_the_arithmetic() -> None:
    load = Load(per_minute=6, per_day=1200, samples=2400)
    said = verdict(judge(sound(gateway_load=load), gate_input()), "quota")
    assert said.value == ("in the busiest minute 6 x 50/10 = 30 of 18; a day 1,200 x 50/10 = 6,000 of 900")
    assert said.cause == "the account cannot afford even the present 10 %"
    cheaper = verdict(judge(sound(gateway_load=Load(per_minute=6, per_day=9, samples=200)), gate_input()), "quota")
    assert cheaper.cause == "the account can afford at most 30 %"
    assert "--to 30" in cheaper.fix


def test_the_quota_gate_says_what_the_cache_saved() -> None:
    sources = {"hit": 150.0, "shared": 50.0, "miss": 780.0, "away": 20.0}
    assert verdict(judge(sound(cache=sources), gate_input()), "quota").value.endswith(
        "; the cache answered 20 % of 1,000 cacheable requests"
    )
    for none in (sound(cache={}), sound(cache=None)):
        assert "cache" not in verdict(judge(none, gate_input()), "quota").value


def test_two_paths_on_one_account_share_its_limits() -> None:
    loads = {"gateway_load": Load(per_minute=1, per_day=10, samples=200), "one_account": True}
    fits = sound(**loads, direct_load=Load(per_minute=9, per_day=90, samples=200))
    said = verdict(judge(fits, gate_input()), "quota")
    assert (said.outcome, said.value.split(";")[0]) == (
        Outcome.PASS,
        "in the busiest minute 1 x 50/10 + 9 x 50/90 = 10 of 18",
    )
    beyond = sound(**loads, direct_load=Load(per_minute=30, per_day=90, samples=200))
    assert verdict(judge(beyond, gate_input()), "quota").outcome is Outcome.FAIL


def test_a_direct_path_that_nobody_counts_is_taken_for_its_share_of_users() -> None:
    evidence = sound(
        gateway_load=Load(per_minute=1, per_day=10, samples=200), direct_load=None, one_account=True, has_friday=False
    )
    said = verdict(judge(evidence, gate_input()), "quota")
    assert "1 x 50/10 + 9 x 50/90 = 10" in said.value


def test_at_0_percent_the_direct_paths_requests_are_scaled() -> None:
    evidence = sound(gateway_load=Load(per_minute=0, per_day=0, samples=0))
    said = verdict(judge(evidence, gate_input(0, 10)), "quota")
    assert said.value.startswith("in the busiest minute 9 x 10/100 = 0.9 of 18")


def test_no_verdict_at_all_is_no_pass() -> None:
    assert AnalysisResult(verdicts=()).outcome is Outcome.INCONCLUSIVE


loads = st.builds(
    Load,
    per_minute=st.floats(0, 1e4, allow_nan=False),
    per_day=st.floats(0, 1e7, allow_nan=False),
    samples=st.just(1000),
)


@settings(deadline=None)
@given(gateway=loads, direct=loads, one=st.booleans(), current=st.integers(0, 100))
def test_the_largest_percentage_named_is_affordable_and_the_next_is_not(
    gateway: Load, direct: Load, one: bool, current: int
) -> None:
    evidence = sound(gateway_load=gateway, direct_load=direct, one_account=one)
    best = affordable(evidence, current, 90)

    def passes(to: int) -> bool:
        return verdict(judge(evidence, gate_input(current, to)), "quota").outcome is Outcome.PASS

    if best is not None:
        assert passes(best)
    assert not any(passes(to) for to in range((-1 if best is None else best) + 1, 101, 7))


@st.composite
def drawn(draw: st.DrawFn) -> Evidence:
    """Return evidence in which any source may be silent, sound, or worse."""
    found: dict[str, Any] = {}
    for source in SILENT:
        if draw(st.booleans()):
            found[source] = None
    for _, fault in draw(st.lists(st.sampled_from(FAULTS), max_size=3)):
        found.update({key: value for key, value in fault.items() if draw(st.booleans())})
    return sound(**found)


@given(evidence=drawn(), watching=st.booleans())
def test_a_step_is_promoted_only_when_every_gate_that_was_asked_passes(evidence: Evidence, watching: bool) -> None:
    judged = judge(evidence, gate_input(watching=watching))
    said = {each.outcome for each in judged.verdicts}
    expected = (
        Outcome.FAIL if Outcome.FAIL in said else Outcome.INCONCLUSIVE if Outcome.INCONCLUSIVE in said else Outcome.PASS
    )
    assert judged.outcome is expected
    missing = {
        gate
        for source, gate in SILENT.items()
        if (evidence.key_usage if source == "key_usage" else evidence.figures[source]) is None
    }
    assert not missing & {each.gate for each in judged.having(Outcome.PASS)}
