"""Evidence in, verdicts out: every gate asked in turn. Pure: no Pulumi, no HTTP, no clock."""

from ops.rollout.gates import registry
from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import Gate
from ops.rollout.gates.verdict import AnalysisResult, GateInput, Outcome, Verdict


def judge(evidence: Evidence, given: GateInput) -> AnalysisResult:
    """Return every gate's verdict for a step, or only the watched ones'."""
    asked = [gate for gate in registry.GATES if gate.watched or not given.watching]
    return AnalysisResult(verdicts=tuple(_verdict(gate, evidence, given) for gate in asked))


def _verdict(gate: Gate, evidence: Evidence, given: GateInput) -> Verdict:
    if not given.current and gate.needs_gateway_traffic:
        return Verdict(gate=gate.name, outcome=Outcome.SKIPPED, metric="", cause="at 0 % nobody uses the gateway yet")
    return gate.judge(evidence, given)
