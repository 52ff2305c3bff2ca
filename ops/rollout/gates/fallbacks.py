"""The gate on fallbacks: how many calls the gateway may leave to the direct path."""

from indicators.selectors import GATEWAY_BACKEND, GATEWAY_PATHS, INTERNAL
from ops.rollout.gates.evidence import Calls
from ops.rollout.gates.gate import Case, Gate, Verdict, share_of_calls
from ops.rollout.gates.look import Figure, Look


def _look(look: Look) -> Calls | None:
    """Return the calls of the gateway's users; those that it left to the direct path are the failed ones.

    But for those that the direct path could not answer either: the gate on errors compares these with the others'.
    """
    if not look.scope.has_friday:
        return look.edge_calls(INTERNAL, GATEWAY_BACKEND, failed=("4xx", "5xx"))
    calls, left = look.friday_calls(*GATEWAY_PATHS), look.friday_calls("fallback")
    return Calls(total=calls.total, failed=left.total - left.failed) if calls and left else None


FALLBACKS = Figure("fallbacks", _look)


def _judge(case: Case) -> Verdict:
    """Judge how many calls of the gateway's users were answered over the direct path instead."""
    settings = case.given.gates.fallbacks
    metric = "calls that fell back from LiteLLM to the direct path"
    case = case.about(metric, f"at most {settings.maximum_percent:g} %")
    calls = FALLBACKS.of(case.evidence)
    if calls is None:
        return case.unanswered("friday" if case.evidence.has_friday else "edge")
    value = share_of_calls(calls)
    if few := case.too_few(calls.total, settings.minimum_samples, value):
        return few
    if case.exceeds(calls, settings.maximum_percent):
        cause = "the gateway refuses (quota), is closed at the edge, or none of its models answers in time"
        fix = f"./fridayctl logs {case.stack} litellm says which; ./fridayctl rollback {case.stack} goes back"
        return case.fails(value, calls.total, cause=cause, fix=fix)
    return case.may_be_chance(calls, settings.maximum_percent, value) or case.passes(value, calls.total)


GATE = Gate("fallbacks", _judge, (FALLBACKS,), watched=True, needs_gateway_traffic=True)
