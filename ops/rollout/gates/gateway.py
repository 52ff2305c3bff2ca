"""The gate on the gateway's health: how much of the time the edge found a healthy replica."""

from indicators.indicator import percent
from indicators.parts import healthy
from indicators.selectors import EDGE
from ops.rollout.gates.gate import Case, Gate, Verdict
from ops.rollout.gates.look import Figure

_UP = Figure("gateway_up", lambda look: look.share_of_time(healthy(EDGE)))


def _judge(case: Case) -> Verdict:
    """Judge how much of the time the edge found a healthy gateway replica."""
    minimum = case.given.gates.gateway.minimum_up_percent
    case = case.about("time with a healthy gateway replica", f"at least {minimum:g} %")
    up = _UP.of(case.evidence)
    if up is None:
        return case.unanswered("edge")
    value = percent(up)
    if up * 100 < minimum:
        cause = "gateway replicas stopped, ran out of memory, or did not answer their health check"
        return case.fails(value, None, cause=cause, fix=f"./fridayctl logs {case.stack} litellm")
    return case.passes(value)


GATE = Gate("gateway", _judge, (_UP,), watched=True)
