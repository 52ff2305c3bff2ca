"""The comparison of two shares, against published figures and against what must always hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.rollout.gates.evidence import Calls
from ops.rollout.gates.proportions import difference, wilson


def calls(failed: int, total: int) -> Calls:
    return Calls(total=total, failed=failed)


# Newcombe 1998, table II, method 10, the contrasts (a) to (h); two-sided 95 % is one-sided 97.5 %.
@pytest.mark.parametrize(
    ("ours", "theirs", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_bounds_are_the_published_ones(
    ours: tuple[int, int], theirs: tuple[int, int], low: float, high: float
) -> None:
    assert difference(calls(*ours), calls(*theirs), 0.975) == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_is_not_compared() -> None:
    with pytest.raises(ValueError, match="no calls"):
        difference(calls(0, 0), calls(0, 10), 0.95)


shares = st.integers(1, 10_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@given(ours=shares, theirs=shares, confidence=st.floats(0.8, 0.999))
def test_the_interval_holds_the_difference_and_is_mirrored_by_the_other_order(
    ours: tuple[int, int], theirs: tuple[int, int], confidence: float
) -> None:
    first, second = calls(*ours), calls(*theirs)
    low, high = difference(first, second, confidence)
    assert -1 <= low <= first.rate - second.rate <= high <= 1
    assert difference(second, first, confidence) == pytest.approx((-high, -low))


@given(share=shares, confidence=st.floats(0.8, 0.99))
def test_more_confidence_is_a_wider_interval(share: tuple[int, int], confidence: float) -> None:
    low, high = wilson(calls(*share), confidence)
    wider_low, wider_high = wilson(calls(*share), confidence + 0.009)
    assert 0 <= wider_low <= low <= high <= wider_high <= 1
