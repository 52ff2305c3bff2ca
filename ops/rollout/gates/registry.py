"""The gates, in the order in which they are shown, and each of them asked: evidence in, verdicts out.

A further one is a module beside this one, and its name here. Its thresholds, if it has any, are a class and a field in
the settings of the gates.
"""

from ops.rollout.gates import (
    complaints,
    cost,
    effect,
    errors,
    fallbacks,
    gateway,
    latency,
    metrics,
    overhead,
    providers,
    quota,
)
from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import AnalysisResult, Case, Gate, GateInput, Verdict

_MODULES = (metrics, gateway, effect, errors, fallbacks, latency, overhead, providers, cost, quota, complaints)
GATES: tuple[Gate, ...] = tuple(module.GATE for module in _MODULES)


def judge(evidence: Evidence, given: GateInput) -> AnalysisResult:
    """Return every gate's verdict for a step, or only the watched ones'."""
    asked = [gate for gate in GATES if gate.watched or not given.watching]
    return AnalysisResult(verdicts=tuple(_verdict(gate, evidence, given) for gate in asked))


def _verdict(gate: Gate, evidence: Evidence, given: GateInput) -> Verdict:
    judged = gate.ahead if gate.needs_gateway_traffic and not given.current else gate.judge
    return judged(Case(gate.name, evidence, given))
