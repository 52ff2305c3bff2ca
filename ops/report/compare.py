"""A against B: LiteLLM's users and those of the direct path in the present step, with bounds for every look.

The numbers are those that the gates were handed, over the gates' own windows. A report is looked at again and again,
so its bounds hold for all looks together: the confidence sequences of `gates.sequences`, never a single look's.
"""

import datetime as dt
from functools import partial

from indicators import INDICATORS
from ops.report.figures import in_percent, in_seconds
from ops.report.known import Known
from ops.report.model import Comparison, Estimate, Unit, Window
from ops.rollout.gates import errors, latency
from ops.rollout.gates.certainty import ALL_WATCHED, COMPARING, Certainty
from ops.rollout.gates.evidence import PROMETHEUS, Calls, Distribution, Evidence

_STEPS = 40
"""Halvings of an interval: the bound is exact to far more digits than are shown."""

METHOD = "always-valid confidence sequence (universal inference)"


def comparisons(known: Known) -> tuple[Comparison, ...]:
    """Return the two paths side by side: the error rate, then the percentiles of the time; none when nothing runs."""
    if known.judged is None:
        return ()
    evidence = known.judged.evidence
    alpha = min(1 - known.settings.gates.errors.confidence_percent / 100, ALL_WATCHED / COMPARING)
    certainty = Certainty(alpha, one_look=False)
    ours, theirs = errors.CALLS.of(evidence), errors.BASELINE.of(evidence)
    mine, others = latency.OURS.of(evidence), latency.DIRECT.of(evidence)
    targets = known.settings.gates.latency.targets
    each = partial(_percentile, known, evidence, certainty.among(2 * len(targets)), mine, others)
    return (_errors(known, evidence, certainty, ours, theirs), *(each(share) for share in targets))


def _errors(
    known: Known, evidence: Evidence, certainty: Certainty, ours: Calls | None, theirs: Calls | None
) -> Comparison:
    difference = None
    says = "nothing to compare yet"
    if ours and theirs and ours.total and theirs.total:
        low, high = certainty.difference(ours, theirs)
        difference = Estimate(value=ours.rate - theirs.rate, low=low, high=high, samples=ours.total + theirs.total)
        says = _in_words("errors", low, high)
    return Comparison(
        name="error_rate",
        title=INDICATORS["error_rate"].title,
        unit=Unit.SHARE,
        window=_window(known, evidence, errors.GATE.name),
        baseline=evidence.baseline_is,
        ours=_share(ours, certainty),
        theirs=_share(theirs, certainty),
        difference=difference,
        method=f"{METHOD}, {certainty}",
        says=says,
        why="" if difference else _why(known, evidence, errors.GATE.name),
    )


def _percentile(
    known: Known,
    evidence: Evidence,
    certainty: Certainty,
    ours: Distribution | None,
    theirs: Distribution | None,
    share: float,
) -> Comparison:
    name = f"latency_p{share * 100:.0f}"
    mine, others = _quantile(ours, share, certainty), _quantile(theirs, share, certainty)
    difference = None
    says = "nothing to compare yet"
    if mine.value is not None and others.value is not None:
        low = None if others.high is None or mine.low is None else mine.low - others.high
        high = None if mine.high is None or others.low is None else mine.high - others.low
        difference = Estimate(value=mine.value - others.value, low=low, high=high)
        says = f"{in_seconds(mine.value)} against {in_seconds(others.value)}"
        says += _slower(low, high)
    return Comparison(
        name=name,
        title=INDICATORS[name].title,
        unit=Unit.SECONDS,
        window=_window(known, evidence, latency.GATE.name),
        baseline=evidence.baseline_is,
        ours=mine,
        theirs=others,
        difference=difference,
        method=f"{METHOD} of quantiles, {certainty}; bounds are those of the histogram",
        says=says,
        why="" if difference else _why(known, evidence, latency.GATE.name),
    )


def _in_words(what: str, low: float, high: float) -> str:
    bounds = f"between {in_percent(low)} and {in_percent(high)} more {what}"
    if low > 0:
        return f"LiteLLM's users surely see more {what}: {bounds}"
    if high < 0:
        return f"LiteLLM's users surely see fewer {what}: {bounds}"
    return f"no difference is shown: {bounds}"


def _slower(low: float | None, high: float | None) -> str:
    if low is not None and low > 0:
        return ", surely slower"
    if high is not None and high < 0:
        return ", surely quicker"
    return ", no difference is shown"


def _share(calls: Calls | None, certainty: Certainty) -> Estimate:
    """Return a share with the bounds outside of which it surely is not."""
    if not calls or not calls.total:
        return Estimate(value=None, samples=calls.total if calls else None)
    low, high = 0.0, calls.rate
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if certainty.above(calls, middle) else (low, middle)
    least = low
    low, high = calls.rate, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if certainty.below(calls, middle) else (middle, high)
    return Estimate(value=calls.rate, low=least, high=high, samples=calls.total)


def _quantile(found: Distribution | None, share: float, certainty: Certainty) -> Estimate:
    if not found or not found.samples:
        return Estimate(value=None, samples=found.samples if found else None)
    low, high = certainty.quantile(found, share)
    bound = None if high == float("inf") else high
    return Estimate(value=found.quantile(share), low=low, high=bound, samples=found.samples)


def _window(known: Known, evidence: Evidence, gate: str) -> Window:
    seconds = evidence.windows.get(gate, 0.0)
    return Window(began=known.now - dt.timedelta(seconds=seconds), ended=known.now)


def _why(known: Known, evidence: Evidence, gate: str) -> str:
    silent = evidence.silent.get(gate) or evidence.silent.get(PROMETHEUS)
    if silent:
        return silent
    if not known.percentage:
        return "at 0 % nobody uses the gateway yet"
    return "one of the two has no calls in this step"
