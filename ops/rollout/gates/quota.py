"""The gate on the account's limits: can OpenRouter's free requests pay for the next percentage?"""

from collections.abc import Iterator
from dataclasses import dataclass

from ops.rollout.gates.evidence import Evidence, Gate, Load
from ops.rollout.gates.verdict import Question, Verdict
from ops.rollout.gates.verdict_builder import VerdictBuilder

_NOTHING = Load(per_minute=0, per_day=0, samples=0)


def quota(evidence: Evidence, question: Question) -> Verdict:
    """Judge whether the measured requests, scaled to the next percentage, stay within the account's limits."""
    usable = question.gates.quota.usable_percent
    threshold = f"{usable:g} % of {evidence.requests_per_minute:,} a minute, {evidence.requests_per_day:,} a day"
    builder = VerdictBuilder(Gate.QUOTA, evidence, question, "requests to OpenRouter at the next step", threshold)
    measured = evidence.gateway_load if question.current else evidence.direct_load
    if measured is None:
        return builder.unanswered(part="litellm" if question.current else "friday")
    minimum = question.enough(question.gates.quota.minimum_samples)
    if measured.samples < minimum:
        return builder.too_few("", measured.samples, minimum)
    to = question.current if question.to is None else question.to
    needs = list(_needs(evidence, question.current, to, usable))
    value = "; ".join(need.words for need in needs)
    if all(need.fits for need in needs):
        return builder.passes(value, measured.samples)
    best = affordable(evidence, question.current, usable)
    return builder.fails(value, measured.samples, cause=_cause(best, question.current), mend=_mend(question, best))


def affordable(evidence: Evidence, current: int, usable: float) -> int | None:
    """Return the largest percentage whose requests fit into `usable` percent of the limits, None when none does."""
    return next(
        (to for to in range(100, -1, -1) if all(need.fits for need in _needs(evidence, current, to, usable))), None
    )


@dataclass(frozen=True)
class _Need:
    """What one limit would have to give, with the arithmetic in words."""

    needed: float
    limit: float
    words: str

    @property
    def fits(self) -> bool:
        return self.needed <= self.limit


def _needs(evidence: Evidence, current: int, to: int, usable: float) -> Iterator[_Need]:
    gateway, direct = evidence.gateway_load or _NOTHING, _direct(evidence, current)
    yield _need(
        "in the busiest minute",
        (gateway.per_minute, direct.per_minute),
        evidence.requests_per_minute * usable / 100,
        (current, to),
        one_account=evidence.one_account,
    )
    yield _need(
        "a day",
        (gateway.per_day, direct.per_day),
        evidence.requests_per_day * usable / 100,
        (current, to),
        one_account=evidence.one_account,
    )


def _need(
    when: str, measured: tuple[float, float], limit: float, shares: tuple[int, int], *, one_account: bool
) -> _Need:
    (gateway, direct), (current, to) = measured, shares
    terms = [(gateway, to, current)] if current else [(direct, to, 100)]
    if one_account and current < 100:
        # Both paths eat from the same account: what does not go through the gateway goes past it.
        terms.append((direct, 100 - to, 100 - current))
    needed = sum(requests * share / of for requests, share, of in terms)
    sums = " + ".join(f"{_shown(requests)} x {share}/{of}" for requests, share, of in terms)
    return _Need(needed, limit, f"{when} {sums} = {_shown(needed)} of {_shown(limit)}")


def _shown(requests: float) -> str:
    return f"{requests:,.0f}" if requests >= 100 else f"{requests:.3g}"


def _direct(evidence: Evidence, current: int) -> Load:
    """Return the direct path's requests; where nobody counts them, what users split by their ids would make."""
    if evidence.direct_load is not None or not current:
        return evidence.direct_load or _NOTHING
    gateway = evidence.gateway_load or _NOTHING
    share = (100 - current) / current
    return Load(per_minute=gateway.per_minute * share, per_day=gateway.per_day * share, samples=0)


def _cause(best: int | None, current: int) -> str:
    if best is None or best < current:
        return f"the account cannot afford even the present {current} %"
    if best == current:
        return f"the account can afford no more than the present {current} %"
    return f"the account can afford at most {best} %"


def _mend(question: Question, best: int | None) -> str:
    more = "buy credits (1,000 a day once it was $10), or let the cache answer (router.cacheTtlSeconds)"
    if best is None or best <= question.current:
        return more
    return f"./fridayctl promote {question.stack} --to {best} --reason 'quota', or {more}"
