"""The gate on errors: the gateway's users may not see more of them than the others."""

from indicators.selectors import DIRECT_PATH, FRIDAY_BACKENDS, GATEWAY_PATHS
from ops.rollout.gates.evidence import Calls
from ops.rollout.gates.gate import Case, Gate, Verdict, share_of_calls
from ops.rollout.gates.look import Figure, Look


def _look(look: Look) -> Calls | None:
    return look.friday_calls(*GATEWAY_PATHS) if look.scope.has_friday else _at_the_edge(look)


def _look_at_baseline(look: Look) -> Calls | None:
    others = look.baseline
    if others is None:
        return None
    return others.friday_calls(*DIRECT_PATH) if look.scope.has_friday else _at_the_edge(others)


def _at_the_edge(look: Look) -> Calls | None:
    return look.edge_calls(look.scope.users, FRIDAY_BACKENDS, failed=("5xx",), ignored=("4xx",))


CALLS = Figure("calls", _look)
BASELINE = Figure("baseline", _look_at_baseline)
"""Calls that never met the gateway."""


def _judge(case: Case) -> Verdict:
    """Judge whether the gateway's users see more errors than the others; at 0 % whether the others see few."""
    return _compared(case) if case.given.current else _baseline(case)


def _baseline(case: Case) -> Verdict:
    settings = case.given.gates.errors
    case = case.about(f"failed calls, {case.evidence.baseline_is}", f"at most {settings.maximum_percent:g} %")
    calls = BASELINE.of(case.evidence)
    if calls is None:
        return case.unanswered("friday")
    value = share_of_calls(calls)
    if few := case.too_few(calls.total, settings.minimum_samples, value):
        return few
    if case.exceeds(calls, settings.maximum_percent):
        cause = "Friday fails without LiteLLM: there is no sound baseline to compare with"
        return case.fails(value, calls.total, cause=cause, fix=f"./fridayctl logs {case.stack} friday")
    return case.may_be_chance(calls, settings.maximum_percent, value) or case.passes(value, calls.total)


def _compared(case: Case) -> Verdict:
    settings = case.given.gates.errors
    metric = f"failed calls, LiteLLM's users against the {case.evidence.baseline_is}"
    case = case.about(metric, f"same or lower, at most {settings.maximum_percent:g} %")
    ours, theirs = CALLS.of(case.evidence), BASELINE.of(case.evidence)
    if ours is None or theirs is None:
        return case.unanswered("friday")
    value = f"{share_of_calls(ours)} against {share_of_calls(theirs)}"
    if few := case.too_few(ours.total, settings.minimum_samples, value):
        return few
    if case.exceeds(ours, settings.maximum_percent):
        return _above_maximum(case, ours, theirs, value)
    if few := case.too_few(theirs.total, settings.minimum_samples, value):
        return few
    return _by_difference(case, ours, theirs, value)


def _above_maximum(case: Case, ours: Calls, theirs: Calls, value: str) -> Verdict:
    """Fail, but while others are not shown to see fewer errors: then a step is not taken back, and none is made."""
    settings = case.given.gates.errors
    few = case.too_few(theirs.total, settings.minimum_samples)
    if few or case.certainty.difference(ours, theirs)[0] > 0:
        cause = "the gateway's models fail and the fallback does not make it good"
        return case.fails(value, ours.total, cause=cause, fix=_fix(case))
    cause = f"not shown to be more than of the {case.evidence.baseline_is}: OpenRouter or Friday fails, not the gateway"
    fix = f"./fridayctl logs {case.stack} friday"
    return (case.inconclusive if case.given.watching else case.fails)(value, ours.total, cause=cause, fix=fix)


def _by_difference(case: Case, ours: Calls, theirs: Calls, value: str) -> Verdict:
    """Fail when ours are surely more, pass when they are surely not much more, else wait for more calls."""
    settings, certainty = case.given.gates.errors, case.certainty
    low, high = certainty.difference(ours, theirs)
    value += f": {low * 100:+.2f} to {high * 100:+.2f} points ({certainty})"
    if low > 0:
        cause = "LiteLLM's users see more errors, and that is no accident"
        return case.fails(value, ours.total, cause=cause, fix=_fix(case))
    if high * 100 > settings.tolerance_percent:

        def decided(factor: float) -> bool:
            others = theirs.times(factor) if case.others_grow else theirs
            low, high = certainty.difference(ours.times(factor), others)
            return low > 0 or high * 100 <= settings.tolerance_percent

        cause = f"it could still be more than {settings.tolerance_percent:g} points worse: too few calls to tell"
        fix = f"wait for more traffic; ./fridayctl status {case.stack} shows it again"
        return case.inconclusive(value, ours.total, cause=f"{cause}; {case.outlook(ours.total, decided)}", fix=fix)
    return case.may_be_chance(ours, settings.maximum_percent, value) or case.passes(value, ours.total)


def _fix(case: Case) -> str:
    return f"./fridayctl logs {case.stack} litellm says why; ./fridayctl rollback {case.stack} goes back"


GATE = Gate("errors", _judge, (CALLS, BASELINE), watched=True)
