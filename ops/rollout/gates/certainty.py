"""How sure a gate is of what it says: by the bounds of a single look, or of all looks together."""

from dataclasses import dataclass, replace

from ops.rollout.gates import proportions, sequences
from ops.rollout.gates.evidence import Calls, Distribution

ALL_WATCHED = 0.01
"""The share of sound steps that all watched gates together may take back by chance, each watch as long as it likes."""

COMPARING = 3
"""The watched gates that judge by chance: errors, fallbacks, latency."""


@dataclass(frozen=True)
class Certainty:
    """Bounds that are wrong by chance in a share `alpha` of cases: of looks when there is one, else of all watches.

    For one look each bound by itself has that chance. For many looks all bounds of them have it together.
    """

    alpha: float
    one_look: bool

    def among(self, comparisons: int) -> "Certainty":
        """Return the bounds for one of several comparisons, so that all of them have the chance together.

        A single look is left as it is: nothing is taken back for it.
        """
        return self if self.one_look else replace(self, alpha=self.alpha / comparisons)

    def above(self, calls: Calls, share: float) -> bool:
        """Return whether the true share of failed calls is surely above this one."""
        if not calls.total or calls.rate <= share:
            return False
        if self.one_look:
            return proportions.wilson(calls, 1 - self.alpha)[0] > share
        return sequences.excluded(calls, share, self.alpha)

    def below(self, calls: Calls, share: float) -> bool:
        """Return whether the true share of failed calls is surely below this one."""
        if not calls.total or calls.rate >= share:
            return False
        if self.one_look:
            return proportions.wilson(calls, 1 - self.alpha)[1] < share
        return sequences.excluded(calls, share, self.alpha)

    def difference(self, ours: Calls, theirs: Calls) -> tuple[float, float]:
        """Return the bounds of the difference of the true shares, ours - theirs. ValueError without calls."""
        if self.one_look:
            return proportions.difference(ours, theirs, 1 - self.alpha)
        return sequences.difference(ours, theirs, self.alpha)

    def quantile(self, found: Distribution, share: float) -> tuple[float, float]:
        """Return between which durations in seconds the quantile of all such calls is; without an upper end: infinite.

        The ends are bounds of the histogram's buckets: where inside of one a call was is not known. A quantile is above
        a bound when surely fewer than `share` of all calls stay below that, and one comparison is enough for all
        bounds, as S. R. Howard and A. Ramdas, "Sequential estimation of quantiles", Bernoulli 28, 2022, show.
        """
        least, total = 0.0, found.samples
        for bound, counted in found.buckets:
            within = Calls(total=total, failed=min(total, round(counted)))
            if self.below(within, share):
                least = bound
            elif self.above(within, share):
                return least, bound
        return least, float("inf")

    def __str__(self) -> str:
        sure = f"{100 * (1 - self.alpha):.3g} % sure"
        return sure if self.one_look else f"{sure} at every look"
