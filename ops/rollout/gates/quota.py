"""The gate on the account's limits: can OpenRouter's free requests pay for the next percentage?

One account is one quota, however many keys it has: OpenRouter's documentation says that neither more keys nor more
accounts raise it. So both paths use up the same limits, and a percentage only moves requests from one to the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from indicators import selectors
from indicators.indicator import percent
from indicators.selectors import ACCOUNT_LIMIT, ATTEMPTS, CACHE, CACHED, FRIDAY, GATEWAY, QUOTA_SPENT
from ops.rollout.gates.evidence import Evidence, Load
from ops.rollout.gates.gate import Case, Gate, GateInput, Verdict
from ops.rollout.gates.look import Figure, Look

_DIRECT_CALLS = selectors.calls(*selectors.PAST_THE_GATEWAY)
_GATEWAY_LOAD = Figure("gateway_load", lambda look: look.load(ATTEMPTS, QUOTA_SPENT, alive=GATEWAY))
_DIRECT_LOAD = Figure("direct_load", lambda look: look.load(_DIRECT_CALLS, alive=FRIDAY))
_ACCOUNT = Figure("account_limit", lambda look: look.newest(ACCOUNT_LIMIT))
_CACHE = Figure("cache", lambda look: look.by_label(CACHE, "source", alive=GATEWAY))
_HOUR = 3600.0
_NOTHING = Load(per_minute=0, per_day=0, samples=0)


@dataclass(frozen=True)
class Recent:
    """Requests to OpenRouter by path in the last `seconds`."""

    seconds: float
    gateway: float
    direct: float


def recent(evidence: Evidence, current: int) -> Recent | None:
    """Return the requests of the last hour, or since the step began if that is later; None when nobody counted.

    Where Friday has no metrics of its own, the direct path's are what users split by their ids would make.
    """
    counted = _RECENT.of(evidence)
    if counted is None or evidence.has_friday:
        return counted
    return replace(counted, direct=counted.gateway * (100 - current) / current) if current else None


def scaled(ours: float, theirs: float, current: int, to: int) -> float:
    """Return the requests of both paths at `to` percent, from the gateway's and the direct path's at `current`."""
    return sum(requests * share / of for requests, share, of in _terms(ours, theirs, current, to))


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
    needs = list(_needs(evidence, given.current, given.current if given.to is None else given.to, usable))
    value = "; ".join([*(words for _, words in needs), *_saved(evidence)])
    if all(fits for fits, _ in needs):
        return case.passes(value, measured.samples)
    best = affordable(evidence, given.current, usable)
    return case.fails(value, measured.samples, cause=_cause(best, given.current), fix=_fix(given, best))


def named_limit(evidence: Evidence) -> int | None:
    """Return the account's requests a minute as OpenRouter named them to the gateway, None when it has not lately."""
    return int(_ACCOUNT.of(evidence) or 0) or None


def _saved(evidence: Evidence) -> Iterator[str]:
    """Yield how many cacheable requests cost no call; nothing when there were none, as without a cache."""
    sources = _CACHE.of(evidence) or {}
    asked = sum(sources.values())
    if asked:
        saved = sum(sources.get(source, 0) for source in CACHED)
        yield f"the cache answered {percent(saved / asked)} of {asked:,.0f} cacheable requests"


def _per_minute(evidence: Evidence) -> int:
    return min(evidence.requests_per_minute, named_limit(evidence) or evidence.requests_per_minute)


def affordable(evidence: Evidence, current: int, usable: float) -> int | None:
    """Return the largest percentage whose requests fit into `usable` percent of the limits, None when none does."""
    every = range(100, -1, -1)
    return next((to for to in every if all(fits for fits, _ in _needs(evidence, current, to, usable))), None)


def _needs(evidence: Evidence, current: int, to: int, usable: float) -> Iterator[tuple[bool, str]]:
    """Yield for each limit whether what it would have to give fits, and the arithmetic in words."""
    gateway, direct = _GATEWAY_LOAD.of(evidence) or _NOTHING, _direct(evidence, current)
    for when, ours, theirs, limit in (
        ("in the busiest minute", gateway.per_minute, direct.per_minute, _per_minute(evidence)),
        ("a day", gateway.per_day, direct.per_day, evidence.requests_per_day),
    ):
        terms = _terms(ours, theirs, current, to)
        needed, usable_limit = sum(requests * share / of for requests, share, of in terms), limit * usable / 100
        sums = " + ".join(f"{_shown(requests)} x {share}/{of}" for requests, share, of in terms)
        yield needed <= usable_limit, f"{when} {sums} = {_shown(needed)} of {_shown(usable_limit)}"


def _terms(ours: float, theirs: float, current: int, to: int) -> list[tuple[float, int, int]]:
    """Return what each path's requests are multiplied with and divided by: what leaves one goes over the other."""
    gateway = [(ours, to, current)] if current else [(theirs, to, 100)]
    return gateway + ([(theirs, 100 - to, 100 - current)] if current < 100 else [])


def _recent(look: Look) -> Recent | None:
    last = look.last(_HOUR)
    gateway = last.total(ATTEMPTS, GATEWAY)
    return None if gateway is None else Recent(last.window.seconds, gateway, last.total(_DIRECT_CALLS, FRIDAY) or 0.0)


def _shown(requests: float) -> str:
    return f"{requests:,.0f}" if requests >= 100 else f"{requests:.3g}"


def _direct(evidence: Evidence, current: int) -> Load:
    """Return the direct path's requests; where nobody counts them, what users split by their ids would make."""
    counted = _DIRECT_LOAD.of(evidence)
    if counted is not None or not current:
        return counted or _NOTHING
    gateway = _GATEWAY_LOAD.of(evidence) or _NOTHING
    share = (100 - current) / current
    return Load(per_minute=gateway.per_minute * share, per_day=gateway.per_day * share, samples=0)


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


_RECENT = Figure("recent_requests", _recent)
GATE = Gate("quota", _judge, (_GATEWAY_LOAD, _DIRECT_LOAD, _ACCOUNT, _CACHE, _RECENT))
