"""The gate on errors: the gateway's users may not see more of them than the others."""

from ops.rollout.gates.evidence import Calls, Evidence
from ops.rollout.gates.gate import Gate, VerdictBuilder
from ops.rollout.gates.look import GATEWAY_PATHS, Figure, Look
from ops.rollout.gates.proportions import difference
from ops.rollout.gates.verdict import GateInput, Verdict, share_of_calls

_NAME = "errors"


def _look(look: Look) -> Calls | None:
    return look.friday_calls(*GATEWAY_PATHS) if look.scope.has_friday else _at_the_edge(look)


def _look_at_baseline(look: Look) -> Calls | None:
    others = look.baseline
    if others is None:
        return None
    return others.friday_calls("direct") if look.scope.has_friday else _at_the_edge(others)


def _at_the_edge(look: Look) -> Calls | None:
    return look.edge_calls("users", failed=("5xx",), ignored=("4xx",))


_CALLS = Figure("calls", _look)
_BASELINE = Figure("baseline", _look_at_baseline)
"""Calls that never met the gateway."""


def _judge(evidence: Evidence, given: GateInput) -> Verdict:
    """Judge whether the gateway's users see more errors than the others; at 0 % whether the others see few."""
    return _compared(evidence, given) if given.current else _baseline(evidence, given)


def _baseline(evidence: Evidence, given: GateInput) -> Verdict:
    settings = given.gates.errors
    metric = f"failed calls, {evidence.baseline_is}"
    builder = VerdictBuilder(_NAME, evidence, given, metric, f"at most {settings.maximum_percent:g} %")
    calls = _BASELINE.of(evidence)
    if calls is None:
        return builder.unanswered("friday")
    value = share_of_calls(calls)
    if few := builder.too_few(calls.total, settings.minimum_samples, value):
        return few
    if calls.rate * 100 > settings.maximum_percent:
        cause = "Friday fails without LiteLLM: there is no sound baseline to compare with"
        return builder.fails(value, calls.total, cause=cause, fix=f"./fridayctl logs {given.stack} friday")
    return builder.passes(value, calls.total)


def _compared(evidence: Evidence, given: GateInput) -> Verdict:
    settings = given.gates.errors
    limits = f"same or lower, at most {settings.maximum_percent:g} %"
    metric = f"failed calls, LiteLLM's users against the {evidence.baseline_is}"
    builder = VerdictBuilder(_NAME, evidence, given, metric, limits)
    ours, theirs = _CALLS.of(evidence), _BASELINE.of(evidence)
    if ours is None or theirs is None:
        return builder.unanswered("friday")
    value = f"{share_of_calls(ours)} against {share_of_calls(theirs)}"
    if few := builder.too_few(ours.total, settings.minimum_samples, value):
        return few
    if ours.rate * 100 > settings.maximum_percent:
        cause = "the gateway's models fail and the fallback does not make it good"
        return builder.fails(value, ours.total, cause=cause, fix=_fix(given))
    if few := builder.too_few(theirs.total, settings.minimum_samples, value):
        return few
    return _by_difference(builder, ours, theirs, value)


def _by_difference(builder: VerdictBuilder, ours: Calls, theirs: Calls, value: str) -> Verdict:
    """Fail when ours are surely more, pass when they are surely not much more, else wait for more calls."""
    settings = builder.given.gates.errors
    low, high = difference(ours, theirs, settings.confidence_percent / 100)
    value += f": {low * 100:+.2f} to {high * 100:+.2f} points ({settings.confidence_percent:g} % sure)"
    if low > 0:
        cause = "LiteLLM's users see more errors, and that is no accident"
        return builder.fails(value, ours.total, cause=cause, fix=_fix(builder.given))
    if high * 100 > settings.tolerance_percent:
        cause = f"it could still be more than {settings.tolerance_percent:g} points worse: too few calls to tell"
        fix = f"wait for more traffic; ./fridayctl status {builder.given.stack} shows it again"
        return builder.inconclusive(value, ours.total, cause=cause, fix=fix)
    return builder.passes(value, ours.total)


def _fix(given: GateInput) -> str:
    return f"./fridayctl logs {given.stack} litellm says why; ./fridayctl rollback {given.stack} goes back"


GATE = Gate(_NAME, _judge, (_CALLS, _BASELINE), watched=True)
