"""The gate on time: how long the gateway's users wait for whole calls."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import inf

from components.settings.rollout import LatencyGate
from indicators.selectors import DIRECT_PATH, FRIDAY, GATEWAY, GATEWAY_PATHS, GATEWAY_SECONDS, call_seconds
from ops.rollout.gates.certainty import Certainty
from ops.rollout.gates.evidence import Distribution
from ops.rollout.gates.gate import FARTHEST, Case, Gate, Verdict
from ops.rollout.gates.look import Figure, Look


def _look(look: Look) -> Distribution | None:
    if look.scope.has_friday:
        return look.durations(call_seconds(*GATEWAY_PATHS), FRIDAY)
    return look.durations(GATEWAY_SECONDS, GATEWAY)


def _look_at_direct(look: Look) -> Distribution | None:
    others = look.baseline
    return others.durations(call_seconds(*DIRECT_PATH), FRIDAY) if others else None


def _look_before(look: Look) -> Distribution | None:
    others = look.baseline
    return None if others is None or others is look else _look(others)


def _settled(ask: Callable[[Look], Distribution | None]) -> Callable[[Look], Distribution | None]:
    """Return the question without the exchange of replicas: while they start, the machine is slow for everybody."""

    def settled(look: Look) -> Distribution | None:
        after = look.settled
        return ask(after) if after else Distribution(buckets=())

    return settled


OURS = Figure("latency", _settled(_look))
DIRECT = Figure("direct_latency", _settled(_look_at_direct))
"""Calls that never met the gateway; nobody measures them where Friday has no metrics of its own."""
_BEFORE = Figure("earlier_latency", _settled(_look_before))
"""The gateway's users in the step before, where that is all that is left to compare with."""


@dataclass(frozen=True)
class _Compared:
    """One percentile of LiteLLM's users beside the slowest of what it is held against, with the bounds of both."""

    share: float
    limit: float
    ours: Distribution
    others: tuple[Distribution, ...]
    tolerance: float
    certainty: Certainty

    @property
    def missed(self) -> bool:
        """Return whether it is above its limit, and above what the others take and the tolerance."""
        theirs = max((each.quantile(self.share) for each in self.others), default=0.0)
        return self.ours.quantile(self.share) > max(self.limit, theirs * (1 + self.tolerance))

    @property
    def surely(self) -> bool:
        """Return whether that is no accident, and holds wherever inside of their buckets the calls were."""
        least, _ = self.certainty.quantile(self.ours, self.share)
        if not self.others:
            return least >= self.limit
        return all(least > most * (1 + self.tolerance) for _, most in self._bounds)

    @property
    def slower(self) -> bool:
        """Return whether it is surely slower than each of the others at all."""
        least, _ = self.certainty.quantile(self.ours, self.share)
        return bool(self.others) and all(least > most for _, most in self._bounds)

    @property
    def shown(self) -> str:
        """Return the difference with its bounds: p50 +0.13 s (-1 to +1 s)."""
        least, most = self.certainty.quantile(self.ours, self.share)
        other = max(self.others, key=lambda each: each.quantile(self.share))
        low, high = self.certainty.quantile(other, self.share)
        gap = self.ours.quantile(self.share) - other.quantile(self.share)
        upper = "more" if most == inf else f"{most - low:+.3g} s"
        return f"{_name(self.share)} {gap:+.2f} s ({'less' if high == inf else f'{least - high:+.3g}'} to {upper})"

    @property
    def _bounds(self) -> list[tuple[float, float]]:
        return [self.certainty.quantile(each, self.share) for each in self.others]

    def times(self, factor: float, others_grow: bool) -> "_Compared":
        """Return it for so many times as many calls."""
        others = tuple(each.times(factor) for each in self.others) if others_grow else self.others
        return replace(self, ours=self.ours.times(factor), others=others)


def _judge(case: Case) -> Verdict:
    """Judge the percentiles of the gateway's users: each within its limit, or not much slower than the direct path's.

    A percentile is judged once a call beyond it may be expected: p95 from 20 calls on, p99 from 100.
    """
    settings = case.given.gates.latency
    targets = settings.targets
    ours, others = OURS.of(case.evidence), _others(case)
    case = case.about("time of whole calls, LiteLLM's users", _threshold(case, others))
    if ours is None:
        return case.unanswered("friday" if case.evidence.has_friday else "litellm")
    if few := case.too_few(ours.samples, settings.minimum_samples):
        return few
    value = _shown(ours, targets)
    compared = _compare(case, ours, others)
    if others:
        value += f" ({case.evidence.baseline_is}: {_shown(others[0], targets)})"
        above = [each.shown for each in compared if ours.quantile(each.share) > each.limit]
        value += f"; {', '.join(above)}, {case.certainty}" if above else ""
    missed = [each for each in compared if each.missed]
    if not missed:
        return case.passes(value, ours.samples)
    slower = [each.share for each in missed if each.surely]
    if not slower:
        return _may_be_chance(case, ours, missed, value)
    cause = f"{', '.join(map(_name, slower))} missed; the gateway's models are slow"
    fix = f"./fridayctl logs {case.stack} litellm shows each model; put faster ones first in fallbackOrder"
    if not others:
        cause += ", or OpenRouter is: no direct path was measured to compare with"
        fix += f", or raise {_settings(slower, settings)}"
    return case.fails(value, ours.samples, cause=cause, fix=fix)


def _may_be_chance(case: Case, ours: Distribution, missed: list[_Compared], value: str) -> Verdict:
    def decided(factor: float) -> bool:
        return any(each.times(factor, case.others_grow).surely for each in missed)

    named, settings = ", ".join(_name(each.share) for each in missed), case.given.gates.latency
    cause = f"{named} missed, and that may be chance: too few calls to tell; {case.outlook(ours.samples, decided)}"
    fix = f"wait for more traffic; ./fridayctl status {case.stack} shows it again"
    if not decided(FARTHEST):
        cause = f"{named} missed, and the times are counted in steps too wide to tell by how much"
        fix = f"raise {_settings((each.share for each in missed), settings)} in Pulumi.{case.stack}.yaml"
        if missed[0].others:
            fix += f", or gates.latency.tolerancePercent ({settings.tolerance_percent:g})"
    return case.inconclusive(value, ours.samples, cause=cause, fix=fix)


def is_slower(case: Case) -> str:
    """Return which percentiles of LiteLLM's users are surely slower than the direct path's at all; "" when none is."""
    ours, others = OURS.of(case.evidence), _others(case)
    if not ours or not ours.samples:
        return ""
    return ", ".join(_name(each.share) for each in _compare(case, ours, others) if each.slower)


def _compare(case: Case, ours: Distribution, others: tuple[Distribution, ...]) -> list[_Compared]:
    settings = case.given.gates.latency
    targets, tolerance = settings.targets, settings.tolerance_percent / 100
    # Each percentile has two bounds that may be wrong, ours and theirs.
    certainty = case.certainty.among(2 * len(targets))
    return [_Compared(share, targets[share], ours, others, tolerance, certainty) for share in _judged(ours, targets)]


def _ahead(case: Case) -> Verdict:
    """Show at 0 % how the limits fit the direct path: the first step's users may be as slow, and what decides then."""
    settings = case.given.gates.latency
    targets, others, file = settings.targets, _others(case), f"Pulumi.{case.stack}.yaml"
    if not others and case.evidence.has_friday:
        return case.skipped()
    case = case.about("time of whole calls", _threshold(case, others))
    if not others:
        cause = "Friday has no metrics, so LiteLLM's users will be judged by these targets alone"
        return case.skipped(
            "not measured", cause=cause, fix=f"let {_settings(targets, settings)} in {file} fit your models"
        )
    direct = others[0]
    value = f"{case.evidence.baseline_is}: {_shown(direct, targets)}"
    missed = [share for share in _judged(direct, targets) if direct.quantile(share) > targets[share]]
    if not missed:
        return case.skipped(value, direct.samples)
    decides = f"gates.latency.tolerancePercent ({settings.tolerance_percent:g})"
    cause = f"the direct path misses {', '.join(map(_name, missed))} itself: LiteLLM's users may take as long, and"
    cause += f" {decides} decides by how much longer"
    fix = f"nothing has to change; {_settings(missed, settings)} in {file} could fit your models"
    return case.skipped(value, direct.samples, cause=cause, fix=fix)


def _others(case: Case) -> tuple[Distribution, ...]:
    """Return what LiteLLM's users are held against: the direct path's calls, and their own in the step before.

    A step is not to blame for what its users had before it already, so the slowest of them counts.
    """
    found = (DIRECT.of(case.evidence), _BEFORE.of(case.evidence))
    return tuple(each for each in found if each and each.samples)


def _threshold(case: Case, others: tuple[Distribution, ...]) -> str:
    settings = case.given.gates.latency
    targets = ", ".join(f"{_name(share)} {seconds:g} s" for share, seconds in settings.targets.items())
    # Words only for what can be compared: else the targets decide alone.
    also = f", or up to {settings.tolerance_percent:g} % above the {case.evidence.baseline_is}" if others else ""
    return targets + also


def _settings(shares: Iterable[float], settings: LatencyGate) -> str:
    """Return the settings of some percentiles with their values: gates.latency.p50Seconds (1)."""
    targets = settings.targets
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


GATE = Gate("latency", _judge, (OURS, DIRECT, _BEFORE), watched=True, needs_gateway_traffic=True, ahead=_ahead)
