"""The gate on time: how long the gateway's users wait for whole calls."""

from collections.abc import Iterable

from components.settings.rollout import LatencyGate
from ops.rollout.gates.evidence import Distribution
from ops.rollout.gates.gate import Case, Gate, Verdict
from ops.rollout.gates.look import FRIDAY, GATEWAY, GATEWAY_PATHS, Figure, Look


def _look(look: Look) -> Distribution | None:
    if look.scope.has_friday:
        return look.durations(f'friday_llm_latency_seconds_bucket{{path=~"{"|".join(GATEWAY_PATHS)}"}}', FRIDAY)
    return look.durations("gateway_chat_seconds_bucket", GATEWAY)


def _look_at_direct(look: Look) -> Distribution | None:
    others = look.baseline
    return others.durations('friday_llm_latency_seconds_bucket{path="direct"}', FRIDAY) if others else None


_OURS = Figure("latency", _look)
_DIRECT = Figure("direct_latency", _look_at_direct)
"""Calls that never met the gateway; nobody measures them where Friday has no metrics of its own."""


def _judge(case: Case) -> Verdict:
    """Judge the percentiles of the gateway's users: each within its target, or not much slower than the direct path's.

    A percentile is judged once a call beyond it may be expected: p95 from 20 calls on, p99 from 100.
    """
    settings = case.given.gates.latency
    targets = _targets(settings)
    ours, direct = _OURS.of(case.evidence), _measured(case)
    case = case.about("time of whole calls, LiteLLM's users", _threshold(case, direct))
    if ours is None:
        return case.unanswered("friday" if case.evidence.has_friday else "litellm")
    if few := case.too_few(ours.samples, settings.minimum_samples):
        return few
    value = _shown(ours, targets)
    if direct:
        value += f" ({case.evidence.baseline_is}: {_shown(direct, targets)})"
    most = {share: max(target, _allowed(direct, share, settings)) for share, target in targets.items()}
    missed = [share for share in _judged(ours, targets) if ours.quantile(share) > most[share]]
    if not missed:
        return case.passes(value, ours.samples)
    slower = [share for share in missed if not direct or _surely_slower(ours, direct, share, settings)]
    if not slower:
        cause = f"{', '.join(map(_name, missed))} missed, and that may be chance: too few calls to tell"
        fix = f"wait for more traffic; ./fridayctl status {case.stack} shows it again"
        return case.inconclusive(value, ours.samples, cause=cause, fix=fix)
    cause = f"{', '.join(map(_name, slower))} missed; the gateway's models are slow"
    fix = f"./fridayctl logs {case.stack} litellm shows each model; put faster ones first in fallbackOrder"
    if not direct:
        cause += ", or OpenRouter is: no direct path was measured to compare with"
        fix += f", or raise {_settings(slower, settings)}"
    return case.fails(value, ours.samples, cause=cause, fix=fix)


def _ahead(case: Case) -> Verdict:
    """Show at 0 % how the targets fit the direct path: they may be such that no step could meet them."""
    settings = case.given.gates.latency
    targets, direct, file = _targets(settings), _measured(case), f"Pulumi.{case.stack}.yaml"
    if direct is None and case.evidence.has_friday:
        return case.skipped()
    case = case.about("time of whole calls", _threshold(case, direct))
    if direct is None:
        cause = "Friday has no metrics, so LiteLLM's users will be judged by these targets alone"
        return case.skipped(
            "not measured", cause=cause, fix=f"let {_settings(targets, settings)} in {file} fit your models"
        )
    value = f"{case.evidence.baseline_is}: {_shown(direct, targets)}"
    missed = [share for share in _judged(direct, targets) if direct.quantile(share) > targets[share]]
    if not missed:
        return case.skipped(value, direct.samples)
    cause = f"the direct path misses {', '.join(map(_name, missed))} itself: LiteLLM's users may take as long"
    fix = f"nothing has to change; {_settings(missed, settings)} in {file} could fit your models"
    return case.skipped(value, direct.samples, cause=cause, fix=fix)


def _measured(case: Case) -> Distribution | None:
    """Return the direct path's durations, None without any."""
    direct = _DIRECT.of(case.evidence)
    return direct if direct and direct.samples else None


def _allowed(direct: Distribution | None, share: float, settings: LatencyGate) -> float:
    """Return how many seconds a percentile may take by the direct path's, 0 without one."""
    return direct.quantile(share) * (1 + settings.tolerance_percent / 100) if direct else 0.0


def _surely_slower(ours: Distribution, direct: Distribution, share: float, settings: LatencyGate) -> bool:
    (least, _), (_, most) = ours.surely(share), direct.surely(share)
    return least > most * (1 + settings.tolerance_percent / 100)


def _targets(settings: LatencyGate) -> dict[float, float]:
    return {0.5: settings.p50_seconds, 0.95: settings.p95_seconds, 0.99: settings.p99_seconds}


def _threshold(case: Case, direct: Distribution | None) -> str:
    settings = case.given.gates.latency
    targets = ", ".join(f"{_name(share)} {seconds:g} s" for share, seconds in _targets(settings).items())
    # Words only for what can be compared: else the targets decide alone.
    also = f", or up to {settings.tolerance_percent:g} % above the {case.evidence.baseline_is}" if direct else ""
    return targets + also


def _settings(shares: Iterable[float], settings: LatencyGate) -> str:
    """Return the settings of some percentiles with their values: gates.latency.p50Seconds (1)."""
    targets = _targets(settings)
    return ", ".join(f"gates.latency.{_name(share)}Seconds ({targets[share]:g})" for share in shares)


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


GATE = Gate("latency", _judge, (_OURS, _DIRECT), watched=True, needs_gateway_traffic=True, ahead=_ahead)
