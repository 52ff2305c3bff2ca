"""Whether Friday's client keeps something of every call."""

from collections.abc import Sequence

from benchmarks.client_cost import ALL_CALLS, WARM_UP_CALLS, in_own_process
from benchmarks.closed_loop_users import describe
from benchmarks.figures import Figure
from benchmarks.measures.memory import MEGABYTE
from benchmarks.test_stack import TestStack
from benchmarks.upstream import simulator

MOST_GROWTH = 5
"""Megabytes. A client that kept one object of each call, its request or its answer, would keep a kilobyte or more: 18
over the calls after the warm-up. What the allocator itself gains and loses stays below."""


def measure(_: TestStack) -> list[Figure]:
    """Compare the resident memory after the warm-up with that after all calls."""
    with simulator(0) as url:
        cost = in_own_process("memory", url)
    resident = cost.numbers["resident"]
    if cost.failed:
        raise RuntimeError(f"calls failed, {describe(cost.calls, cost.failed)}")
    note = f"resident after each {WARM_UP_CALLS:,} calls: "
    note += ", ".join(f"{size / MEGABYTE:.1f}" for size in resident) + " MB"
    return [Figure(f"client: memory growth over {ALL_CALLS:,} calls", MOST_GROWTH, "MB", (growth(resident),), note)]


def growth(resident: Sequence[float]) -> float:
    """Return how much more memory there is at the end than after the warm-up, in megabytes."""
    return (resident[-1] - resident[0]) / MEGABYTE
