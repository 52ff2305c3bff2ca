"""The gate on money: exactly $0, by every source that can know."""

from indicators.selectors import ANSWERED, ANSWERS_COST, FRIDAY, GATEWAY, SPEND
from ops.rollout.gates.evidence import OPENROUTER, PROMETHEUS
from ops.rollout.gates.gate import Case, Gate, Verdict, count
from ops.rollout.gates.look import Figure

_ANSWERED = Figure("answers", lambda look: look.total(ANSWERED, GATEWAY))
"""Answers that the cost was looked for in."""

_GATEWAY_SPEND = Figure("gateway_spend", lambda look: look.total(SPEND, GATEWAY))
_ANSWERS_COST = Figure("answers_cost", lambda look: look.total(ANSWERS_COST, FRIDAY))

_SPEND, _ANSWERS, _KEYS = "LiteLLM's spend", "cost in the answers", "usage of the OpenRouter keys"


def _judge(case: Case) -> Verdict:
    """Judge the dollars that LiteLLM, Friday and OpenRouter each counted; one that is silent leaves it open."""
    case = case.about("US dollars spent", "$0")
    sources = {_SPEND: _GATEWAY_SPEND.of(case.evidence), _KEYS: case.evidence.key_usage}
    if case.evidence.has_friday:
        sources[_ANSWERS] = _ANSWERS_COST.of(case.evidence)
    total = _ANSWERED.of(case.evidence)
    answered = None if total is None else round(total)
    value = ", ".join(f"{name} {_dollars(found)}" for name, found in sources.items())
    billed = [name for name, found in sources.items() if found]
    if billed:
        look = f"./fridayctl preflight {case.stack} names models with a price"
        fix = f"{look}; ./fridayctl rollback {case.stack} takes users off"
        return case.fails(value, answered, cause=_cause(billed), fix=fix)
    silent = [name for name, found in sources.items() if found is None]
    if silent:
        said = case.why_silent(OPENROUTER if silent == [_KEYS] else PROMETHEUS) or "it knows no such figure"
        fix = f"./fridayctl status {case.stack} shows what runs"
        return case.inconclusive(value, answered, cause=f"{', '.join(silent)}: {said}", fix=fix)
    return case.passes(f"$0 by {count(len(sources), 'source')}", answered)


def _cause(billed: list[str]) -> str:
    if billed == [_KEYS]:
        return "OpenRouter booked what neither path did in this window: the key is used elsewhere, or was earlier"
    if billed == [_ANSWERS]:
        return "the direct path's model has a price today (friday.directModel)"
    return "a model of the list has a price today"


def _dollars(found: float | None) -> str:
    return "not measured" if found is None else f"${found:.6f}".rstrip("0").rstrip(".")


GATE = Gate("cost", _judge, (_ANSWERED, _GATEWAY_SPEND, _ANSWERS_COST), watched=True)
