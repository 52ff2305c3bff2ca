"""The gates on time: how long the gateway's users wait, and what LiteLLM adds."""

from ops.rollout.gates.evidence import Distribution, Evidence, Gate
from ops.rollout.gates.verdict import Question, Verdict
from ops.rollout.gates.verdict_builder import VerdictBuilder


def latency(evidence: Evidence, question: Question) -> Verdict:
    """Judge the percentiles of the gateway's users; those of the direct path stand beside them and name the cause.

    A percentile is judged once a call beyond it may be expected: p95 from 20 calls on, p99 from 100.
    """
    settings = question.gates.latency
    targets = {0.5: settings.p50_seconds, 0.95: settings.p95_seconds, 0.99: settings.p99_seconds}
    threshold = ", ".join(f"{_name(share)} {seconds:g} s" for share, seconds in targets.items())
    builder = VerdictBuilder(Gate.LATENCY, evidence, question, "time of whole calls, LiteLLM's users", threshold)
    ours, direct = evidence.latency, evidence.direct_latency
    if ours is None:
        return builder.unanswered(part="friday" if evidence.has_friday else "litellm")
    minimum = question.enough(settings.minimum_samples)
    if ours.samples < minimum:
        return builder.too_few("", ours.samples, minimum)
    value = _shown(ours, targets)
    if direct and direct.samples:
        value += f" (direct: {_shown(direct, targets)})"
    missed = [share for share in _judged(ours, targets) if ours.quantile(share) > targets[share]]
    if not missed:
        return builder.passes(value, ours.samples)
    shared = direct and direct.samples and any(direct.quantile(share) > targets[share] for share in missed)
    cause = "the direct path is as slow: OpenRouter is, not the gateway" if shared else "the gateway's models are slow"
    mend = f"./fridayctl logs {question.stack} litellm shows each model; put faster ones first in fallbackOrder"
    return builder.fails(value, ours.samples, cause=f"{', '.join(map(_name, missed))} missed; {cause}", mend=mend)


def overhead(evidence: Evidence, question: Question) -> Verdict:
    """Judge the median of what LiteLLM adds to the time of its models."""
    settings = question.gates.overhead
    threshold = f"median at most {settings.p50_milliseconds:g} ms"
    builder = VerdictBuilder(Gate.OVERHEAD, evidence, question, "time that LiteLLM adds to a model's", threshold)
    added = evidence.overhead
    if added is None:
        return builder.unanswered(part="litellm")
    minimum = question.enough(settings.minimum_samples)
    if added.samples < minimum:
        return builder.too_few("", added.samples, minimum)
    median = added.quantile(0.5) * 1000
    value = f"median {median:.1f} ms"
    if median > settings.p50_milliseconds:
        cause = "the gateway's host is short of processor time, or Redis answers slowly"
        mend = f"./fridayctl status {question.stack}; more litellm.replicas, or a host with less beside it"
        return builder.fails(value, added.samples, cause=cause, mend=mend)
    return builder.passes(value, added.samples)


def _judged(found: Distribution, targets: dict[float, float]) -> list[float]:
    # Rounded: 20 x (1 - 0.95) is a hair below 1.
    return [share for share in targets if round(found.samples * (1 - share), 6) >= 1]


def _shown(found: Distribution, targets: dict[float, float]) -> str:
    judged = _judged(found, targets)
    return ", ".join(
        f"{_name(share)} {found.quantile(share):.2f} s" if share in judged else f"{_name(share)} not judged"
        for share in targets
    )


def _name(share: float) -> str:
    return f"p{share * 100:.0f}"
