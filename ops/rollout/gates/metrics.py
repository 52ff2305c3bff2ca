"""The gate on the metrics themselves: has Prometheus seen enough for the other gates to mean it?"""

from indicators.indicator import percent
from indicators.selectors import EDGE, FRIDAY, GATEWAY
from ops.rollout.gates.gate import Case, Gate, Verdict
from ops.rollout.gates.look import Figure, Look


def _look(look: Look) -> float | None:
    return look.share_seen(*([FRIDAY] if look.scope.has_friday else []), GATEWAY, EDGE)


_COVERAGE = Figure("coverage", _look)


def _judge(case: Case) -> Verdict:
    """Judge whether Prometheus has seen enough of the window for the other gates to mean it."""
    minimum = case.given.gates.minimum_coverage_percent
    case = case.about("share of the window that Prometheus has seen", f"at least {minimum:g} %")
    coverage = _COVERAGE.of(case.evidence)
    if coverage is None:
        return case.unanswered("prometheus")
    value = percent(coverage)
    if coverage * 100 < minimum:
        cause = "Prometheus did not run, or did not reach the gateway and Friday, for part of it"
        fix = f"wait until the window is covered; ./fridayctl logs {case.stack} prometheus"
        return case.inconclusive(value, None, cause=cause, fix=fix)
    return case.passes(value)


GATE = Gate("metrics", _judge, (_COVERAGE,))
