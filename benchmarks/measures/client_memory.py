"""Whether Friday's client keeps something of every call."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.calls import ALL_CALLS, WARM_UP_CALLS, apart
from benchmarks.crowd import told
from benchmarks.figures import Figure
from benchmarks.measures.memory import MEGABYTE
from benchmarks.stage import Stage
from benchmarks.upstream import simulator

MOST_GROWTH = 5
"""Megabytes. Who keeps one object of a call, its request or its answer, keeps a kilobyte or more: 18 over the
calls after the warm-up. What the allocator itself gains and loses stays below."""


def measure(_: Stage) -> list[Figure]:
    """Compare the resident memory after the warm-up with that after all calls."""
    with simulator(0) as url:
        found = apart("memory", url)
    resident = found.numbers["resident"]
    if found.failed:
        raise RuntimeError(f"calls failed, {told(found.calls, found.failed)}")
    note = f"resident after each {WARM_UP_CALLS:,} calls: "
    note += ", ".join(f"{size / MEGABYTE:.1f}" for size in resident) + " MB"
    return [Figure(f"client: memory growth over {ALL_CALLS:,} calls", MOST_GROWTH, "MB", (growth(resident),), note)]


def growth(resident: Sequence[float]) -> float:
    """Return how much more there is at the end than after the warm-up, in megabytes."""
    return (resident[-1] - resident[0]) / MEGABYTE
