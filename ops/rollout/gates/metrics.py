"""The gate on the metrics themselves: has Prometheus seen enough for the other gates to mean it?"""

from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import Gate, VerdictBuilder
from ops.rollout.gates.look import EDGE, FRIDAY, GATEWAY, Figure, Look
from ops.rollout.gates.verdict import GateInput, Verdict, percent

_NAME = "metrics"


def _look(look: Look) -> float | None:
    return look.share_seen(*([FRIDAY] if look.scope.has_friday else []), GATEWAY, EDGE)


_COVERAGE = Figure("coverage", _look)


def _judge(evidence: Evidence, given: GateInput) -> Verdict:
    """Judge whether Prometheus has seen enough of the window for the other gates to mean it."""
    minimum = given.gates.minimum_coverage_percent
    builder = VerdictBuilder(
        _NAME, evidence, given, "share of the window that Prometheus has seen", f"at least {minimum:g} %"
    )
    coverage = _COVERAGE.of(evidence)
    if coverage is None:
        return builder.unanswered("prometheus")
    value = percent(coverage)
    if coverage * 100 < minimum:
        cause = "Prometheus did not run, or did not reach the gateway and Friday, for part of it"
        fix = f"wait until the window is covered; ./fridayctl logs {given.stack} prometheus"
        return builder.inconclusive(value, None, cause=cause, fix=fix)
    return builder.passes(value)


GATE = Gate(_NAME, _judge, (_COVERAGE,))
