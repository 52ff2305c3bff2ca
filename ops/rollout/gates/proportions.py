"""Two shares compared: how much larger the one may be than the other, given how few calls were seen.

The interval is R. G. Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, p. 873, method 10), built from
E. B. Wilson's score intervals (Journal of the American Statistical Association 22, 1927, p. 209). Both hold for the few
errors in few calls that a rollout sees, where the usual normal approximation gives an interval of no width.
"""

from math import sqrt
from statistics import NormalDist

from ops.rollout.gates.evidence import Calls


def wilson(calls: Calls, confidence: float) -> tuple[float, float]:
    """Return the lower and upper bound of a share; each holds by itself with `confidence` (0.5 to 1)."""
    z = NormalDist().inv_cdf(confidence)
    n, p = calls.total, calls.rate
    middle = p + z * z / (2 * n)
    spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Exact at the ends, where the floats would be a hair beside them.
    low = (middle - spread) / scale if calls.failed else 0.0
    return low, (middle + spread) / scale if calls.failed < n else 1.0


def difference(ours: Calls, theirs: Calls, confidence: float) -> tuple[float, float]:
    """Return the bounds of `ours.rate - theirs.rate`, each one-sided with `confidence`. ValueError without calls."""
    if not ours.total or not theirs.total:
        raise ValueError("a share of no calls cannot be compared")
    gap = ours.rate - theirs.rate
    low, high = wilson(ours, confidence)
    low_other, high_other = wilson(theirs, confidence)
    below = sqrt((ours.rate - low) ** 2 + (high_other - theirs.rate) ** 2)
    above = sqrt((high - ours.rate) ** 2 + (theirs.rate - low_other) ** 2)
    return max(-1.0, gap - below), min(1.0, gap + above)
