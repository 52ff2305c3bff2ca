"""Evidence in, verdict out: every gate asked in turn. Pure: no Pulumi, no HTTP, no clock."""

from collections.abc import Callable

from ops.rollout.gates.cost import cost
from ops.rollout.gates.evidence import Evidence, Gate
from ops.rollout.gates.health import complaints, coverage, gateway, providers
from ops.rollout.gates.latency import latency, overhead
from ops.rollout.gates.quota import quota
from ops.rollout.gates.traffic import errors, fallbacks
from ops.rollout.gates.verdict import Judgement, Outcome, Question, Verdict

_JUDGES: dict[Gate, Callable[[Evidence, Question], Verdict]] = {
    Gate.METRICS: coverage,
    Gate.GATEWAY: gateway,
    Gate.ERRORS: errors,
    Gate.FALLBACKS: fallbacks,
    Gate.LATENCY: latency,
    Gate.OVERHEAD: overhead,
    Gate.PROVIDERS: providers,
    Gate.COST: cost,
    Gate.QUOTA: quota,
    Gate.COMPLAINTS: complaints,
}

NEED_GATEWAY_TRAFFIC = frozenset({Gate.FALLBACKS, Gate.LATENCY, Gate.OVERHEAD, Gate.PROVIDERS, Gate.COMPLAINTS})
"""What cannot be judged at 0 %: nobody has used the gateway yet. Errors are then the direct path's own."""

WATCHED = (Gate.GATEWAY, Gate.ERRORS, Gate.FALLBACKS, Gate.LATENCY, Gate.COST)
"""What a watch goes back for. A single model that fails is none of it: the others stand in for it."""


def judge(evidence: Evidence, question: Question) -> Judgement:
    """Return every gate's verdict for a step, or only the watched ones'."""
    gates = WATCHED if question.watching else tuple(Gate)
    return Judgement(verdicts=tuple(_verdict(gate, evidence, question) for gate in gates))


def _verdict(gate: Gate, evidence: Evidence, question: Question) -> Verdict:
    if not question.current and gate in NEED_GATEWAY_TRAFFIC:
        return Verdict(gate=gate, outcome=Outcome.SKIPPED, metric="", cause="at 0 % nobody uses the gateway yet")
    return _JUDGES[gate](evidence, question)
