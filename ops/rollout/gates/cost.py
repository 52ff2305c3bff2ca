"""The gate on money: exactly $0, by every source that can know."""

from ops.rollout.gates.evidence import Evidence, Gate
from ops.rollout.gates.verdict import Question, Verdict, count
from ops.rollout.gates.verdict_builder import OPENROUTER, PROMETHEUS, VerdictBuilder

_SPEND, _ANSWERS, _KEYS = "LiteLLM's spend", "cost in the answers", "usage of the OpenRouter keys"


def cost(evidence: Evidence, question: Question) -> Verdict:
    """Judge the dollars that LiteLLM, Friday and OpenRouter each counted; one that is silent holds the step."""
    builder = VerdictBuilder(Gate.COST, evidence, question, "US dollars spent", "$0")
    sources = {_SPEND: evidence.gateway_spend, _KEYS: evidence.key_usage}
    if evidence.has_friday:
        sources[_ANSWERS] = evidence.answers_cost
    value = ", ".join(f"{name} {_dollars(found)}" for name, found in sources.items())
    billed = [name for name, found in sources.items() if found]
    if billed:
        return builder.fails(value, evidence.answers, cause=_cause(billed), mend=_mend(question.stack))
    silent = [name for name, found in sources.items() if found is None]
    if silent:
        said = evidence.silent.get(OPENROUTER if silent == [_KEYS] else PROMETHEUS, "it knows no such figure")
        cause = f"{', '.join(silent)}: {said}"
        mend = f"./fridayctl status {question.stack} shows what runs"
        return builder.holds(value, evidence.answers, cause=cause, mend=mend)
    said = count(len(sources), "source")
    return builder.passes(f"$0 by {said}", evidence.answers)


def _cause(billed: list[str]) -> str:
    if billed == [_KEYS]:
        return "OpenRouter booked what neither path did in this window: the key is used elsewhere, or was earlier"
    if billed == [_ANSWERS]:
        return "the direct path's model has a price today (friday.directModel)"
    return "a model of the list has a price today"


def _mend(stack: str) -> str:
    return f"./fridayctl preflight {stack} names models with a price; ./fridayctl rollback {stack} takes users off"


def _dollars(found: float | None) -> str:
    return "not measured" if found is None else f"${found:.6f}".rstrip("0").rstrip(".")
