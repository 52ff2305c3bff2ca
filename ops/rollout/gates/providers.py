"""The gate on OpenRouter: is the account refused, and did users notice that models were out of service."""

from indicators.indicator import percent
from indicators.selectors import ACCOUNT_REFUSED, CLOSED_RESTS, GATEWAY, RESTS
from ops.rollout.gates import fallbacks, latency
from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import Case, Gate, Verdict
from ops.rollout.gates.look import Figure, Look, Window
from serving.causes import account_fixes

_NOTICED_PERCENT = 1.0
"""Calls that the direct path may answer before it is said that users notice: a hundredth has other causes as well."""

_LATEST_SECONDS = 300.0
"""How far back a refusal of the account counts: it is over with the first call after somebody changed the setting."""


def _look(look: Look) -> dict[str, float] | None:
    return look.by_label(RESTS, "model", GATEWAY)


def _look_at_account(look: Look) -> dict[str, float] | None:
    return _latest(look).by_label(ACCOUNT_REFUSED, "reason", GATEWAY)


def _look_at_closed(look: Look) -> dict[str, float] | None:
    return _latest(look).by_label(CLOSED_RESTS, "model", GATEWAY)


def _latest(look: Look) -> Look:
    return Look(look.ask, look.scope, Window(look.window.end, min(look.window.seconds, _LATEST_SECONDS)))


_SECONDS_OUT = Figure("seconds_out", _look)
_REFUSED = Figure("account_refused", _look_at_account)
_CLOSED = Figure("closed", _look_at_closed)


def refusal(evidence: Evidence) -> str:
    """Return that OpenRouter refuses the gateway's account, and what to change; "" when it does not."""
    found = _REFUSED.of(evidence) or {}
    reasons = {reason: fix for reason, fix in account_fixes().items() if found.get(reason)}
    if not reasons:
        return ""
    return f"OpenRouter refuses the gateway's account ({', '.join(reasons)}): change {'; '.join(reasons.values())}"


def closed(evidence: Evidence, stack: str) -> str:
    """Return which models are listed as free and closed to this caller or by `dataPolicy`; "" when none is."""
    found = sorted(model for model, seconds in (_CLOSED.of(evidence) or {}).items() if seconds)
    if not found:
        return ""
    fix = f"replace them in models (./fridayctl models {stack} lists others)"
    return f"OpenRouter lists {', '.join(found)} as free, and closes them to this gateway: {fix}"


def _judge(case: Case) -> Verdict:
    """Judge whether the account is refused, and whether users noticed models that were out of service for long.

    The next model of the list answers for one that is out, so its time alone is nobody's loss. Users notice calls that
    no model answered, which the direct path did, and answers that take longer than the direct path's.
    """
    maximum = case.given.gates.providers.maximum_out_percent
    case = case.about("time that a model was left out after failures", f"at most {maximum:g} % each, or unnoticed")
    refused = refusal(case.evidence)
    if refused:
        cause, _, fix = refused.partition(": ")
        return case.fails("the account is refused", None, cause=cause, fix=fix)
    out, window = _SECONDS_OUT.of(case.evidence), case.evidence.windows[case.gate]
    if out is None or _REFUSED.of(case.evidence) is None:
        return case.unanswered("litellm")
    shares = {model: min(1.0, seconds / window) for model, seconds in out.items() if seconds}
    value = ", ".join(f"{model} {percent(share)}" for model, share in sorted(shares.items(), key=lambda each: -each[1]))
    long = [model for model, share in shares.items() if share * 100 > maximum]
    if not long:
        return case.passes(value or "none")
    noticed = _noticed(case)
    if noticed is None:
        return case.unanswered("friday" if case.evidence.has_friday else "edge")
    if not noticed:
        return case.passes(f"{value}; no user noticed")
    cause = f"{', '.join(long)}: retired, not for this account, overloaded or rate-limited at OpenRouter"
    fix = f"./fridayctl preflight {case.stack} says which are gone; replace them in models"
    return case.fails(f"{value}; {', '.join(noticed)}", None, cause=cause, fix=fix)


def _noticed(case: Case) -> list[str] | None:
    """Return what users had of it, nothing when the models in service answered as well; None when nobody counted."""
    fallen = fallbacks.FALLBACKS.of(case.evidence)
    if fallen is None:
        return None
    found = []
    if case.exceeds(fallen, _NOTICED_PERCENT):
        found.append(f"{percent(fallen.rate)} of calls fell back")
    if slower := latency.is_slower(case):
        found.append(f"{slower} slower than the {case.evidence.baseline_is}")
    return found


GATE = Gate("providers", _judge, (_SECONDS_OUT, _REFUSED, _CLOSED), needs_gateway_traffic=True)
