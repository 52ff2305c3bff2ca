"""The gate on time: how long the gateway's users wait for whole calls."""

from ops.rollout.gates.evidence import Distribution
from ops.rollout.gates.gate import Case, Gate, Verdict
from ops.rollout.gates.look import FRIDAY, GATEWAY, GATEWAY_PATHS, Figure, Look


def _look(look: Look) -> Distribution | None:
    if look.scope.has_friday:
        return look.durations(f'friday_llm_latency_seconds_bucket{{path=~"{"|".join(GATEWAY_PATHS)}"}}', FRIDAY)
    return look.durations("litellm_request_total_latency_metric_bucket", GATEWAY)


_OURS = Figure("latency", _look)
_DIRECT = Figure(
    "direct_latency", lambda look: look.durations('friday_llm_latency_seconds_bucket{path="direct"}', FRIDAY)
)


def _judge(case: Case) -> Verdict:
    """Judge the percentiles of the gateway's users; those of the direct path stand beside them and name the cause.

    A percentile is judged once a call beyond it may be expected: p95 from 20 calls on, p99 from 100.
    """
    settings = case.given.gates.latency
    targets = {0.5: settings.p50_seconds, 0.95: settings.p95_seconds, 0.99: settings.p99_seconds}
    threshold = ", ".join(f"{_name(share)} {seconds:g} s" for share, seconds in targets.items())
    case = case.about("time of whole calls, LiteLLM's users", threshold)
    ours, direct = _OURS.of(case.evidence), _DIRECT.of(case.evidence)
    if ours is None:
        return case.unanswered("friday" if case.evidence.has_friday else "litellm")
    if few := case.too_few(ours.samples, settings.minimum_samples):
        return few
    value = _shown(ours, targets)
    if direct and direct.samples:
        value += f" (direct: {_shown(direct, targets)})"
    missed = [share for share in _judged(ours, targets) if ours.quantile(share) > targets[share]]
    if not missed:
        return case.passes(value, ours.samples)
    shared = direct and direct.samples and any(direct.quantile(share) > targets[share] for share in missed)
    cause = "the direct path is as slow: OpenRouter is, not the gateway" if shared else "the gateway's models are slow"
    fix = f"./fridayctl logs {case.stack} litellm shows each model; put faster ones first in fallbackOrder"
    return case.fails(value, ours.samples, cause=f"{', '.join(map(_name, missed))} missed; {cause}", fix=fix)


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


GATE = Gate("latency", _judge, (_OURS, _DIRECT), watched=True, needs_gateway_traffic=True)
