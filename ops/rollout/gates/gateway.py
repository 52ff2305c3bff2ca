"""The gate on the gateway's health: how much of the time the edge found a healthy replica."""

from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import Gate, VerdictBuilder
from ops.rollout.gates.look import EDGE, Figure
from ops.rollout.gates.verdict import GateInput, Verdict, percent

_NAME = "gateway"
# The edge that sees fewest counts: users of a host whose edge has no gateway are users without one.
_UP = Figure("gateway_up", lambda look: look.share_of_time(f"min({EDGE}) > bool 0"))


def _judge(evidence: Evidence, given: GateInput) -> Verdict:
    """Judge how much of the time the edge found a healthy gateway replica."""
    minimum = given.gates.gateway.minimum_up_percent
    builder = VerdictBuilder(_NAME, evidence, given, "time with a healthy gateway replica", f"at least {minimum:g} %")
    up = _UP.of(evidence)
    if up is None:
        return builder.unanswered("edge")
    value = percent(up)
    if up * 100 < minimum:
        cause = "gateway replicas stopped, ran out of memory, or did not answer their health check"
        return builder.fails(value, None, cause=cause, fix=f"./fridayctl logs {given.stack} litellm")
    return builder.passes(value)


GATE = Gate(_NAME, _judge, (_UP,), watched=True)
