"""Shares of calls and their difference, bounded for all looks together, however often one looks and when one stops.

A bound for one look is wrong in 5 % of looks, and who looks thirty times is wrong far more often. Here the bounds of
all looks, taken together, are wrong in at most `alpha` of all watches, for any number of calls, few or many.

It is a confidence sequence by universal inference (L. Wasserman, A. Ramdas, S. Balakrishnan, "Universal inference",
PNAS 117, 2020, section 7) with a mixture: what the calls are worth under a Beta prior, divided by what they are worth
under given true shares, is a martingale that starts at 1. So it reaches 1/alpha in at most `alpha` of all watches (J.
Ville 1939), and the shares for which it has not are those that may be true. The theory of such bounds is in S. R.
Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of
Statistics 49, 2021. Nothing is approximated for many calls, so it holds for the few errors in few calls of a rollout.
It takes calls as independent of each other: errors that come in bursts on one path only are more than they seem.
"""

from collections.abc import Callable
from math import inf, lgamma, log

from ops.rollout.gates.evidence import Calls

Prior = tuple[float, float]
"""The two numbers of a Beta prior. The bounds hold with any; it decides for which shares they are narrow."""

_ANY: Prior = (0.5, 0.5)
_FEW: Prior = (0.5, 3.0)
"""For the errors of a rollout, of which there are a few percent."""

_STEPS = 32
"""Halvings of an interval: to a billionth of what the bound is pulled by."""


def excluded(calls: Calls, share: float, alpha: float) -> bool:
    """Return whether the true share of failed calls is surely not this one. Wrong at any look: at most `alpha`."""
    return _log_likelihood(calls, share) < _worth(calls, _ANY) + log(alpha)


def difference(ours: Calls, theirs: Calls, alpha: float) -> tuple[float, float]:
    """Return the bounds of the difference of the true shares, ours - theirs. Both hold at all looks but for `alpha`.

    Either path may get its calls at any pace, and may have ended before the other began.
    """
    least = _worth(ours, _FEW) + _worth(theirs, _FEW) + log(alpha)

    def gap(pull: float) -> tuple[float, bool]:
        # The likeliest shares of a given difference: each path's are found by the same Lagrange multiplier.
        first, second = _pulled(ours, pull), _pulled(theirs, -pull)
        likely = _log_likelihood(ours, first) + _log_likelihood(theirs, second) >= least
        return first - second, likely

    return _last_likely(gap, 1.0), _last_likely(gap, -1.0)


def _worth(calls: Calls, prior: Prior) -> float:
    """Return the logarithm of the calls' probability, in their order, under a prior."""
    failed, answered = prior
    return _log_beta(failed + calls.failed, answered + calls.total - calls.failed) - _log_beta(failed, answered)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _log_likelihood(calls: Calls, share: float) -> float:
    failed, answered = calls.failed, calls.total - calls.failed
    if (failed and share <= 0) or (answered and share >= 1):
        return -inf
    return (failed * log(share) if failed else 0.0) + (answered * log(1 - share) if answered else 0.0)


def _pulled(calls: Calls, pull: float) -> float:
    """Return the share p that solves failed/p - answered/(1-p) = pull: the observed one without a pull."""
    failed, total = calls.failed, calls.total
    if pull < 0:  # the same with failed and answered exchanged: no two nearly equal numbers are subtracted
        failed = total - failed
    strength = abs(pull)
    root = ((total - strength) ** 2 + 4 * strength * (total - failed)) ** 0.5
    whole = total + strength + root
    found = 2 * failed / whole if whole else 0.0
    return found if pull >= 0 else 1 - found


def _last_likely(gap: Callable[[float], tuple[float, bool]], towards: float) -> float:
    """Return the difference at which the pull in one direction ends the likelihood."""
    inside, outside = 0.0, towards  # of the pull
    while (found := gap(outside))[1]:
        if abs(outside) > 1e12:
            return found[0]
        inside, outside = outside, outside * 2
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        if gap(middle)[1]:
            inside = middle
        else:
            outside = middle
    return gap(outside)[0]
