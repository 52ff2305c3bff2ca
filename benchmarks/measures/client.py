"""What Friday's client costs while 100 users ask at once, and whether it keeps something of every call."""

from collections.abc import Mapping, Sequence

from benchmarks.client_cost import ALL_CALLS, CLIENT, PLAIN, WARM_UP_CALLS, in_own_process, memory, processor
from benchmarks.figures import Figure
from benchmarks.load import describe
from benchmarks.measures.memory import MEGABYTE
from benchmarks.test_stack import TestStack
from benchmarks.upstream import simulator

UPSTREAM_MS = 300
MOST_GROWTH = 5
"""Megabytes. A client that kept one object of each call, its request or its answer, would keep a kilobyte or more: 18
over the calls after the warm-up. What the allocator itself gains and loses stays below."""


def client_load(_: TestStack) -> list[Figure]:
    """Compare invoke_llm with httpx alone, both against a simulator in another process."""
    with simulator(UPSTREAM_MS) as url:
        cost = in_own_process(processor, url)
    failed = (sum(cost.failed.values()),)
    spreads = (f"{name} {min(values):.2f} to {max(values):.2f} ms" for name, values in cost.numbers.items())
    note = f"a call costs {', '.join(spreads)}"
    return [
        Figure("100 users at once: failed calls", 0, "calls", failed, describe(cost.calls, cost.failed)),
        Figure("client adds to plain httpx, processor time", 1, "ms", added(cost.numbers), note),
    ]


def added(numbers: Mapping[str, Sequence[float]]) -> tuple[float, ...]:
    """Return how much more a call of invoke_llm costs than one by httpx alone, round by round."""
    return tuple(client - plain for client, plain in zip(numbers[CLIENT], numbers[PLAIN], strict=True))


def client_memory(_: TestStack) -> list[Figure]:
    """Compare the resident memory after the warm-up with that after all calls."""
    with simulator(0) as url:
        cost = in_own_process(memory, url)
    if cost.failed:
        raise RuntimeError(f"calls failed, {describe(cost.calls, cost.failed)}")
    resident = cost.numbers["resident"]
    sizes = ", ".join(f"{size / MEGABYTE:.1f}" for size in resident)
    note = f"resident after each {WARM_UP_CALLS:,} calls: {sizes} MB"
    return [Figure(f"client: memory growth over {ALL_CALLS:,} calls", MOST_GROWTH, "MB", (growth(resident),), note)]


def growth(resident: Sequence[float]) -> float:
    """Return how much more memory there is at the end than after the warm-up, in megabytes."""
    return (resident[-1] - resident[0]) / MEGABYTE
