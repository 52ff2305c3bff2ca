"""The gate that no metric can answer: did a user complain?"""

from datetime import timedelta

from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import Gate, VerdictBuilder
from ops.rollout.gates.verdict import GateInput, Verdict
from ops.rollout.steps import in_words

NAME = "complaints"


def _judge(evidence: Evidence, given: GateInput) -> Verdict:
    """Judge whether somebody has signed that no user complained."""
    builder = VerdictBuilder(NAME, evidence, given, "complaints of users", "none, signed by somebody")
    if given.signed_off_by:
        return builder.passes(f"none, says {given.signed_off_by}")
    fix = f"./fridayctl promote {given.stack} --no-complaints NAME"
    since = in_words(timedelta(seconds=evidence.windows.get(NAME, 0)))
    return builder.inconclusive(
        "nobody has signed", None, cause=f"no metric knows what users said in the last {since}", fix=fix
    )


GATE = Gate(NAME, _judge, needs_gateway_traffic=True)
