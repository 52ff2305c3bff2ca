"""The gate on the account's limits: can OpenRouter's free requests pay for the next percentage?

Both paths use up the same limits, with however many keys: OpenRouter governs them for whoever it is, and says that more
keys or accounts do not raise them (https://openrouter.ai/docs/api-reference/limits).
"""

from collections.abc import Iterator
from datetime import timedelta

from ops.rollout.gates.evidence import Evidence, Load
from ops.rollout.gates.gate import Case, Gate, GateInput, Verdict
from ops.rollout.gates.look import FRIDAY, GATEWAY, Figure
from ops.rollout.steps import in_words

_ATTEMPTS = "gateway_upstream_attempts_total"
_REFUSED = 'gateway_refused_requests_total{reason="quota_spent"}'
_DIRECT_CALLS = 'friday_llm_requests_total{path=~"direct|fallback"}'
_GATEWAY_LOAD = Figure("gateway_load", lambda look: look.load(_ATTEMPTS, _REFUSED, alive=GATEWAY))
_DIRECT_LOAD = Figure("direct_load", lambda look: look.load(_DIRECT_CALLS, alive=FRIDAY))
_ACCOUNT = Figure("account_limit", lambda look: look.newest("gateway_quota_account_requests_per_minute"))
_NOTHING = Load(per_minute=0, per_day=0, mean_per_day=0, samples=0)


def _judge(case: Case) -> Verdict:
    """Judge whether the measured requests, scaled to the next percentage, stay within the account's limits."""
    evidence, given, usable = case.evidence, case.given, case.given.gates.quota.usable_percent
    threshold = f"{usable:g} % of {_per_minute(evidence):,} a minute, {evidence.requests_per_day:,} a day"
    case = case.about("requests to OpenRouter at the next step", threshold)
    measured = (_GATEWAY_LOAD if given.current else _DIRECT_LOAD).of(evidence)
    if measured is None:
        return case.unanswered("litellm" if given.current else "friday")
    if few := case.too_few(measured.samples, given.gates.quota.minimum_samples):
        return few
    to = given.current if given.to is None else given.to
    needs = list(_needs(evidence, given.current, to, usable))
    value = "; ".join([*(words for _, words in needs), *forecast(evidence, given.current, to)])
    if all(fits for fits, _ in needs):
        return case.passes(value, measured.samples)
    best = affordable(evidence, given.current, usable)
    return case.fails(value, measured.samples, cause=_cause(best, given.current), fix=_fix(given, best))


def forecast(evidence: Evidence, current: int, to: int) -> list[str]:
    """Return in words when today's quota ends at `to` percent and today's pace; nothing when OpenRouter does not say
    what is left.

    A day of OpenRouter's ends at midnight UTC.
    """
    now, left = evidence.now, evidence.requests_left
    measured = (_GATEWAY_LOAD if current else _DIRECT_LOAD).of(evidence)
    if now is None or left is None or measured is None:
        return []
    a_day = sum(requests * share / of for requests, share, of in _terms(evidence, current, to, "mean_per_day"))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    if not left:
        return [f"today's quota is used up; more comes in {in_words(midnight - now)}, at midnight UTC"]
    ends = now + timedelta(days=min(left / a_day, 2)) if a_day else midnight
    when = f"ends about {ends:%H:%M} UTC" if ends < midnight else "lasts until midnight UTC"
    return [f"at {to} % today's quota {when}"]


def named_limit(evidence: Evidence) -> int | None:
    """Return the account's requests a minute as OpenRouter named them to the gateway, None when it has not lately."""
    return int(_ACCOUNT.of(evidence) or 0) or None


def _per_minute(evidence: Evidence) -> int:
    return min(evidence.requests_per_minute, named_limit(evidence) or evidence.requests_per_minute)


def affordable(evidence: Evidence, current: int, usable: float) -> int | None:
    """Return the largest percentage whose requests fit into `usable` percent of the limits, None when none does."""
    every = range(100, -1, -1)
    return next((to for to in every if all(fits for fits, _ in _needs(evidence, current, to, usable))), None)


def _needs(evidence: Evidence, current: int, to: int, usable: float) -> Iterator[tuple[bool, str]]:
    """Yield for each limit whether what it would have to give fits, and the arithmetic in words."""
    for when, of_load, limit in (
        ("in the busiest minute", "per_minute", _per_minute(evidence)),
        ("a day", "per_day", evidence.requests_per_day),
    ):
        terms = _terms(evidence, current, to, of_load)
        needed, usable_limit = sum(requests * share / of for requests, share, of in terms), limit * usable / 100
        sums = " + ".join(f"{_shown(requests)} x {share}/{of}" for requests, share, of in terms)
        yield needed <= usable_limit, f"{when} {sums} = {_shown(needed)} of {_shown(usable_limit)}"


def _terms(evidence: Evidence, current: int, to: int, of_load: str) -> list[tuple[float, int, int]]:
    """Return each path's requests and by which fraction they change, on the way from one percentage to another."""
    gateway, direct = _GATEWAY_LOAD.of(evidence) or _NOTHING, _direct(evidence, current)
    theirs = getattr(direct, of_load)
    terms = [(getattr(gateway, of_load), to, current)] if current else [(theirs, to, 100)]
    # What does not go through the gateway goes past it.
    return [*terms, (theirs, 100 - to, 100 - current)] if current < 100 else terms


def _shown(requests: float) -> str:
    return f"{requests:,.0f}" if requests >= 100 else f"{requests:.3g}"


def _direct(evidence: Evidence, current: int) -> Load:
    """Return the direct path's requests; where nobody counts them, what users split by their ids would make."""
    counted = _DIRECT_LOAD.of(evidence)
    if counted is not None or not current:
        return counted or _NOTHING
    gateway = _GATEWAY_LOAD.of(evidence) or _NOTHING
    share = (100 - current) / current
    return Load(
        per_minute=gateway.per_minute * share,
        per_day=gateway.per_day * share,
        mean_per_day=gateway.mean_per_day * share,
        samples=0,
    )


def _cause(best: int | None, current: int) -> str:
    if best is None or best < current:
        return f"the account cannot afford even the present {current} %"
    if best == current:
        return f"the account can afford no more than the present {current} %"
    return f"the account can afford at most {best} %"


def _fix(given: GateInput, best: int | None) -> str:
    more = "buy credits (1,000 a day once it was $10), or let the cache answer (router.cacheTtlSeconds)"
    if best is None or best <= given.current:
        return more
    return f"./fridayctl promote {given.stack} --to {best} --reason 'quota', or {more}"


GATE = Gate("quota", _judge, (_GATEWAY_LOAD, _DIRECT_LOAD, _ACCOUNT))
