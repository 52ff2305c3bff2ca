"""Bounds for all looks together: what must always hold, and how often they are wrong by exact enumeration."""

from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.rollout.gates.certainty import Certainty
from ops.rollout.gates.evidence import Calls, Distribution
from ops.rollout.gates.proportions import difference as in_one_look
from ops.rollout.gates.sequences import difference, excluded

ALPHA = 0.05


def calls(failed: int, total: int) -> Calls:
    return Calls(total=total, failed=failed)


counted = st.integers(0, 100_000).flatmap(lambda total: st.builds(calls, st.integers(0, total), st.just(total)))
alphas = st.floats(0.0001, 0.2)


@given(ours=counted, theirs=counted, alpha=alphas)
def test_the_bounds_hold_the_difference_and_are_mirrored_by_the_other_order(
    ours: Calls, theirs: Calls, alpha: float
) -> None:
    low, high = difference(ours, theirs, alpha)
    assert -1 <= low <= high <= 1
    if ours.total and theirs.total:
        assert low <= ours.rate - theirs.rate <= high
    assert difference(theirs, ours, alpha) == pytest.approx((-high, -low), abs=1e-9)


@given(ours=counted, theirs=counted, alpha=alphas)
def test_more_certainty_is_a_wider_interval(ours: Calls, theirs: Calls, alpha: float) -> None:
    low, high = difference(ours, theirs, alpha)
    wider_low, wider_high = difference(ours, theirs, alpha / 2)
    assert wider_low <= low + 1e-9
    assert wider_high >= high - 1e-9


@given(ours=counted, theirs=counted)
def test_what_all_looks_show_a_single_look_shows_too(ours: Calls, theirs: Calls) -> None:
    if ours.total and theirs.total and difference(ours, theirs, ALPHA)[0] > 0.001:
        assert in_one_look(ours, theirs, 1 - ALPHA)[0] > 0


def test_no_call_says_nothing() -> None:
    assert difference(calls(0, 0), calls(0, 0), ALPHA) == pytest.approx((-1, 1), abs=1e-6)
    assert not excluded(calls(0, 0), 0.5, ALPHA)


def test_many_calls_leave_next_to_nothing_open() -> None:
    low, high = difference(calls(60_000, 2_000_000), calls(20_000, 2_000_000), ALPHA)
    assert 0.019 < low < 0.02 < high < 0.021


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_a_true_share_is_excluded_at_any_of_all_looks_as_rarely_as_said(share: float) -> None:
    """Follow every course of 400 calls by its number of failures, a look after each call: no chance is drawn."""
    still: dict[int, float] = {0: 1.0}
    wrong = 0.0
    for total in range(1, 401):
        following: dict[int, float] = {}
        for failed, chance in still.items():
            for more, likely in ((1, share), (0, 1 - share)):
                following[failed + more] = following.get(failed + more, 0.0) + chance * likely
        out = {failed for failed in following if excluded(calls(failed, total), share, ALPHA)}
        wrong += sum(following.pop(failed) for failed in out)
        still = following
    assert 0 < wrong <= ALPHA


def test_equal_paths_are_told_apart_at_any_of_all_looks_as_rarely_as_said() -> None:
    """The same for pairs of calls of two equal paths, where the bounds of a single look are wrong far more often."""
    share, pairs, wrong = 0.2, 60, {True: 0.0, False: 0.0}
    for one_look in wrong:
        certainty, still = Certainty(ALPHA, one_look), {(0, 0): 1.0}
        for total in range(1, pairs + 1):
            following: dict[tuple[int, int], float] = {}
            for (ours, theirs), chance in still.items():
                for more in ((1, 0), (0, 1), (1, 1), (0, 0)):
                    likely = share ** sum(more) * (1 - share) ** (2 - sum(more))
                    place = (ours + more[0], theirs + more[1])
                    following[place] = following.get(place, 0.0) + chance * likely
            if total % 10 == 0:
                out = {
                    (ours, theirs)
                    for ours, theirs in following
                    if ours > theirs and certainty.difference(calls(ours, total), calls(theirs, total))[0] > 0
                }
                wrong[one_look] += sum(following.pop(place) for place in out)
            still = following
    assert 0 < wrong[False] <= ALPHA
    assert wrong[True] > 2 * ALPHA


@pytest.mark.parametrize("one_look", [True, False])
def test_a_quantile_lies_between_bounds_of_buckets(one_look: bool) -> None:
    found = Distribution(buckets=((1.0, 0.0), (2.0, 0.0), (3.0, 1000.0), (float("inf"), 1000.0)))
    certainty = Certainty(ALPHA, one_look)
    assert certainty.quantile(found, 0.5) == (2.0, 3.0)
    assert certainty.quantile(found.times(0.002), 0.99) == (2.0, float("inf"))
    assert certainty.quantile(Distribution(buckets=()), 0.5) == (0.0, float("inf"))


@given(counts=st.lists(st.integers(0, 5000), min_size=2, max_size=8), share=st.floats(0.05, 0.99))
def test_the_quantile_of_what_was_seen_is_between_its_bounds(counts: list[int], share: float) -> None:
    rising = [sum(counts[: place + 1]) for place in range(len(counts))]
    bounds = [*map(float, range(1, len(counts))), float("inf")]
    found = Distribution(buckets=tuple(zip(bounds, map(float, rising), strict=True)))
    if not found.samples:
        return
    for certainty in (Certainty(0.05, one_look=True), Certainty(0.05, one_look=False)):
        low, high = certainty.quantile(found, share)
        assert low <= found.quantile(share) <= high
        closer = certainty.quantile(found.times(100), share)
        assert low <= closer[0] <= closer[1] <= high


def test_bounds_of_several_comparisons_share_the_chance_but_for_a_single_look() -> None:
    assert Certainty(0.01, one_look=False).among(4).alpha == 0.0025
    assert Certainty(0.05, one_look=True).among(4).alpha == 0.05
    assert str(Certainty(0.05, one_look=True)) == "95 % sure"
    assert str(Certainty(0.01 / 3, one_look=False)) == "99.7 % sure at every look"


def test_the_exact_chance_of_the_first_look_is_below_the_one_said() -> None:
    out = [failed for failed in range(51) if excluded(calls(failed, 50), 0.1, ALPHA)]
    chance = sum(comb(50, failed) * 0.1**failed * 0.9 ** (50 - failed) for failed in out)
    assert 0 < chance <= ALPHA
    assert all(later == earlier + 1 for earlier, later in pairwise(out) if earlier > 5)
