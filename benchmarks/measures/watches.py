"""How often a watch is wrong, by the product's own gates over drawn calls: sound steps taken back, bad ones not found.

Each drawn watch looks as `promote` does, again and again over all calls since the step. Most looks need no gate: the
evidence against two equal paths is never more than the likelihood ratio of what was seen, and where that or the gate's
own interval says nothing, it cannot fail. All other looks are judged by `registry.judge`, all gates together.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import comb, erf, inf, log, sqrt

from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack
from components.settings.rollout import GatesSettings
from friday.llm.monitoring.metrics import LATENCY_BUCKETS
from ops.rollout.gates import registry
from ops.rollout.gates.certainty import ALL_WATCHED, COMPARING, Certainty
from ops.rollout.gates.effect import Usage
from ops.rollout.gates.evidence import Calls, Distribution, Evidence
from ops.rollout.gates.gate import GateInput, Outcome

RUNS = 10_000
SEED = 22
SHORT, LONG = 300, 48 * 3600
"""Seconds of a watch by default, and of one over the whole soak."""
EVERY, EVERY_OF_LONG = 10, 60
ERRORS, PACES = (0.01, 0.03, 0.05), (1, 3)
FALLS_BACK = 0.05
"""As many calls as the gate allows: the hardest case."""
SLOW = (log(2.5), 0.5)
"""The logarithms' mean and deviation: a median of 2.5 s on both paths, above the limit of 1 s."""

_SETTINGS = GatesSettings()
_CERTAINTY = Certainty(ALL_WATCHED / COMPARING, one_look=False)
_NEEDED = -log(_CERTAINTY.alpha)
"""The logarithm of the likelihood ratio below which no gate that compares can fail."""


@dataclass(frozen=True)
class Path:
    """A path's share of failed calls."""

    failing: float


@dataclass(frozen=True)
class Watched:
    """What is watched: the gateway's users and the direct path's, calls a second on each, and for how many seconds."""

    ours: Path
    theirs: Path
    pace: int
    seconds: int
    every: int
    timed: bool = False
    """Whether the calls' times are drawn as well."""

    @property
    def looks(self) -> int:
        """Return how often is looked."""
        return self.seconds // self.every

    @property
    def calls(self) -> int:
        """Return the calls of a path between two looks."""
        return self.pace * self.every


def watches(_: TestStack, runs: int = RUNS, seed: int = SEED) -> list[Figure]:
    """Return the shares of sound watches that were taken back, and of bad ones that were not; no stack is used."""
    chance = random.Random(seed)  # noqa: S311 - no secret: the same watches each time
    note = f"seed {seed}, {runs:,} watches each"
    cases = [(share, pace) for share in ERRORS for pace in PACES]
    short = [_taken_back(chance, runs, _equal(share, pace, SHORT, EVERY)) for share, pace in cases]
    long = [_taken_back(chance, runs, _equal(share, pace, LONG, EVERY_OF_LONG)) for share, pace in cases]
    bad = _taken_back(chance, runs, Watched(Path(0.10), Path(0.02), 2, SHORT, EVERY))
    broken = _taken_back(chance, runs, Watched(Path(0.5), Path(0.02), 2, 40, EVERY))
    return [
        Figure("sound 300 s watches taken back (worst case)", 0.01, "", (max(short),), _each(cases, short, note)),
        Figure("sound 48 h watches taken back (worst case)", 0.05, "", (max(long),), _each(cases, long, note)),
        Figure("10 % errors against 2 % not found in 300 s", 0.10, "", (1 - bad,), note),
        Figure("50 % errors not found in 40 s", 0.10, "", (1 - broken,), note),
    ]


def _equal(share: float, pace: int, seconds: int, every: int) -> Watched:
    return Watched(Path(share), Path(share), pace, seconds, every, timed=seconds == SHORT)


def _each(cases: Sequence[tuple[float, int]], found: Sequence[float], note: str) -> str:
    each = ", ".join(
        f"{share:.0%} errors at {pace}/s {one:.2%}" for (share, pace), one in zip(cases, found, strict=True)
    )
    return f"{note}: {each}"


def _taken_back(chance: random.Random, runs: int, watched: Watched) -> float:
    return sum(_ends_early(chance, watched) for _ in range(runs)) / runs


def _ends_early(chance: random.Random, watched: Watched) -> bool:
    """Draw one watch and return whether a gate took the step back."""
    ours = _counts(chance, watched, watched.ours.failing)
    theirs = _counts(chance, watched, watched.theirs.failing)
    fallen = _counts(chance, watched, FALLS_BACK)
    totals = range(watched.calls, watched.calls * watched.looks + 1, watched.calls)
    pairs = list(zip(_times(chance, watched), _times(chance, watched), strict=True)) if watched.timed else []
    most, scale = _SETTINGS.errors.maximum_percent / 100, _NEEDED * FALLS_BACK * (1 - FALLS_BACK)
    # Pearson's statistic is never below the likelihood ratio, and quicker: it leaves few looks to go into.
    asked = [
        look
        for look, (one, other, fell, total) in enumerate(zip(ours, theirs, fallen, totals, strict=True))
        if (one > other and (one - other) ** 2 * 2 * total >= _NEEDED * (one + other) * (2 * total - one - other))
        or one > most * total
        or (fell > FALLS_BACK * total and (fell - FALLS_BACK * total) ** 2 >= scale * total)
        or (pairs and _looks_slower(*pairs[look]))
    ]
    for look in asked:
        users, others, left = (Calls(total=totals[look], failed=counted[look]) for counted in (ours, theirs, fallen))
        if not any((_tells(users, others), _tells_of(users, most), _tells_of(left, FALLS_BACK), pairs)):
            continue
        evidence = _evidence(users, others, left, pairs[look] if pairs else None)
        judged = registry.judge(evidence, GateInput("drawn", 50, None, _SETTINGS, watching=True))
        if judged.outcome is Outcome.FAIL:
            return True
    return False


def _counts(chance: random.Random, watched: Watched, share: float) -> list[int]:
    """Return how many calls had failed at each look."""
    calls = watched.calls
    weights = [comb(calls, failed) * share**failed * (1 - share) ** (calls - failed) for failed in range(calls + 1)]
    drawn = chance.choices(range(calls + 1), cum_weights=list(accumulate(weights)), k=watched.looks)
    return list(accumulate(drawn))


def _times(chance: random.Random, watched: Watched) -> Iterator[Distribution]:
    """Return the durations of one path's calls as Friday had counted them at each look."""
    bounds = [*map(float, LATENCY_BUCKETS), inf]
    middle, spread = SLOW
    below = [0.0, *(0.5 + 0.5 * erf((log(bound) - middle) / spread / sqrt(2)) for bound in bounds[:-1]), 1.0]
    weights = [high - low for low, high in pairwise(below)]
    counted = [0] * len(bounds)
    for _ in range(watched.looks):
        for place in chance.choices(range(len(bounds)), weights, k=watched.calls):
            counted[place] += 1
        yield Distribution.model_construct(buckets=tuple(zip(bounds, accumulate(counted), strict=True)))


def _looks_slower(ours: Distribution, theirs: Distribution) -> bool:
    """Return whether a percentile of ours is above theirs and the tolerance: else the gate has nothing to ask."""
    slower = 1 + _SETTINGS.latency.tolerance_percent / 100
    return any(ours.quantile(share) > theirs.quantile(share) * slower for share in (0.5, 0.95, 0.99))


def _tells(ours: Calls, theirs: Calls) -> bool:
    """Return whether ours fail surely more often; the interval is asked for only where it could say so."""
    pooled = (ours.failed + theirs.failed) / (ours.total + theirs.total)
    if ours.rate <= theirs.rate or _ratio(ours, pooled) + _ratio(theirs, pooled) < _NEEDED:
        return False
    return _CERTAINTY.difference(ours, theirs)[0] > 0


def _tells_of(calls: Calls, share: float) -> bool:
    return calls.rate > share and _ratio(calls, share) >= _NEEDED


def _ratio(calls: Calls, share: float) -> float:
    """Return the logarithm of the likelihood ratio of the observed share to this one."""
    failed, kept = calls.failed, calls.total - calls.failed
    of_failed = failed * log(failed / (calls.total * share)) if failed else 0.0
    return of_failed + (kept * log(kept / (calls.total * (1 - share))) if kept else 0.0)


def _evidence(ours: Calls, theirs: Calls, fallbacks: Calls, pair: tuple[Distribution, Distribution] | None) -> Evidence:
    """Return what Prometheus would have said of a stack with these calls in which nothing else is wrong."""
    latency, direct = pair or (Distribution(buckets=()), None)
    figures = {
        "calls": ours,
        "baseline": theirs,
        "fallbacks": fallbacks,
        "latency": latency,
        "direct_latency": direct,
        "gateway_up": 1.0,
        "usage": Usage(gateway=ours.total, users=2 * ours.total, only_chats=True),
        "answers": ours.total,
        "gateway_spend": 0.0,
        "answers_cost": 0.0,
    }
    windows = {gate.name: 300.0 for gate in registry.GATES}
    return Evidence(windows=windows, figures=figures, key_usage=0.0)
