"""The gate that no metric can answer: did a user complain?"""

from datetime import timedelta

from ops.rollout.gates.gate import Case, Gate, Verdict
from ops.rollout.steps import in_words

NAME = "complaints"


def _judge(case: Case) -> Verdict:
    """Judge whether somebody has signed that no user complained."""
    case = case.about("complaints of users", "none, signed by somebody")
    if case.given.signed_off_by:
        return case.passes(f"none, says {case.given.signed_off_by}")
    fix = f"./fridayctl promote {case.stack} --no-complaints NAME"
    since = in_words(timedelta(seconds=case.evidence.windows.get(NAME, 0)))
    cause = f"no metric knows what users said in the last {since}"
    return case.inconclusive("nobody has signed", None, cause=cause, fix=fix)


GATE = Gate(NAME, _judge, needs_gateway_traffic=True)
