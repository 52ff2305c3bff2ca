"""The gate on the account's limits: the arithmetic of a step."""

from hypothesis import given
from hypothesis import strategies as st

from ops.rollout.gates.evidence import Load
from ops.rollout.gates.gate import Outcome
from ops.rollout.gates.quota import affordable
from ops.rollout.gates.registry import judge
from tests.unit.ops.evidence import gate_input, sound, verdict


def test_the_refusal_of_a_step_that_cannot_be_afforded_carries_the_arithmetic() -> None:
    load = Load(per_minute=6, per_day=1200, samples=2400)
    said = verdict(judge(sound(gateway_load=load), gate_input()), "quota")
    assert said.value == (
        "in the busiest minute 6 x 50/10 + 9 x 50/90 = 35 of 18; a day 1,200 x 50/10 + 450 x 50/90 = 6,250 of 900"
    )
    assert said.cause == "the account cannot afford even the present 10 %"
    cheaper = verdict(judge(sound(gateway_load=Load(per_minute=3, per_day=9, samples=200)), gate_input()), "quota")
    assert cheaper.cause == "the account can afford at most 40 %"
    assert "--to 40" in cheaper.fix


def test_the_gate_says_what_the_cache_saved() -> None:
    sources = {"hit": 150.0, "shared": 50.0, "miss": 780.0, "away": 20.0}
    assert verdict(judge(sound(cache=sources), gate_input()), "quota").value.endswith(
        "; the cache answered 20 % of 1,000 cacheable requests"
    )
    for none in (sound(cache={}), sound(cache=None)):
        assert "cache" not in verdict(judge(none, gate_input()), "quota").value


def test_two_paths_share_the_limits_with_however_many_keys() -> None:
    loads = {"gateway_load": Load(per_minute=1, per_day=10, samples=200)}
    fits = sound(**loads, direct_load=Load(per_minute=9, per_day=90, samples=200))
    said = verdict(judge(fits, gate_input()), "quota")
    assert (said.outcome, said.value.split(";")[0]) == (
        Outcome.PASS,
        "in the busiest minute 1 x 50/10 + 9 x 50/90 = 10 of 18",
    )
    beyond = sound(**loads, direct_load=Load(per_minute=30, per_day=90, samples=200))
    assert verdict(judge(beyond, gate_input()), "quota").outcome is Outcome.FAIL


def test_a_direct_path_that_nobody_counts_is_taken_for_its_share_of_users() -> None:
    evidence = sound(gateway_load=Load(per_minute=1, per_day=10, samples=200), direct_load=None, has_friday=False)
    said = verdict(judge(evidence, gate_input()), "quota")
    assert "1 x 50/10 + 9 x 50/90 = 10" in said.value


def test_at_0_percent_the_direct_paths_requests_are_scaled() -> None:
    evidence = sound(gateway_load=Load(per_minute=0, per_day=0, samples=0))
    said = verdict(judge(evidence, gate_input(0, 10)), "quota")
    assert said.value.startswith("in the busiest minute 9 x 10/100 + 9 x 90/100 = 9 of 18")


loads = st.builds(
    Load,
    per_minute=st.floats(0, 1e4, allow_nan=False),
    per_day=st.floats(0, 1e7, allow_nan=False),
    samples=st.just(1000),
)


@given(gateway=loads, direct=loads, current=st.integers(0, 100))
def test_the_largest_percentage_named_is_affordable_and_the_next_is_not(
    gateway: Load, direct: Load, current: int
) -> None:
    evidence = sound(gateway_load=gateway, direct_load=direct)
    best = affordable(evidence, current, 90)

    def passes(to: int) -> bool:
        return verdict(judge(evidence, gate_input(current, to)), "quota").outcome is Outcome.PASS

    if best is not None:
        assert passes(best)
    assert not any(passes(to) for to in range((-1 if best is None else best) + 1, 101, 7))
