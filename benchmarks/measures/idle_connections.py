"""What the edge needs for 10,000 connections that ask nothing, and what they cost those who ask."""

import asyncio
from typing import Any

from benchmarks.figures import Figure
from benchmarks.load import Plan, Record, describe, errors, milliseconds, percentile, run, worst_delay
from benchmarks.measures.memory import MEGABYTE, used
from benchmarks.test_stack import TestStack
from testing.faults.crowds import crowd

CONNECTIONS = 10_000
RATE = 2000 / 60
"""Requests a second of those who ask."""
SECONDS = 20.0
SETTLE_SECONDS = 5.0
"""Before each measurement: opening ten thousand connections is work, which is not what is measured."""
ROUNDS = 6
UPSTREAM_MS = 800
MOST_MB, MOST_RATIO = 64, 1.2
_SPARE = 500
"""Connections of those who ask, and what else has a file open: left out where a host allows few files."""


def idle_connections(stack: TestStack) -> list[Figure]:
    """Ask 2,000 times a minute without and with idle connections, in turn, while a model takes 800 ms.

    What is added is the time of an answer less that of the model.
    """
    count = _possible(stack)
    records: list[Record] = []
    ratios: list[float] = []
    sizes: dict[str, list[float]] = {"edge": [], "edge-ports": []}
    with stack.faults({"kind": "latency", "distribution": {"kind": "fixed", "ms": UPSTREAM_MS}}):
        for seed in range(1, ROUNDS + 1):
            alone = _asked(stack, seed)
            with crowd(stack.project, count, "idle"):
                beside = _asked(stack, seed)
                for part, found in sizes.items():
                    found.append(_megabytes(stack, part))
            ratios.append(_added(beside) / _added(alone))
            records += alone + beside
    note = f"{count} connections; the load generator was at most {worst_delay(records):.0f} ms late"
    lost = errors(records)
    return [
        Figure("idle connections: memory of the edge", MOST_MB, "MB", tuple(sizes["edge"]), note),
        Figure("idle connections: memory of what has the ports", None, "MB", tuple(sizes["edge-ports"])),
        Figure("idle connections: added p95, by that without them", MOST_RATIO, "times", tuple(ratios)),
        Figure("idle connections: failed requests", 0, "requests", (lost.total(),), describe(len(records), lost)),
    ]


def _possible(stack: TestStack) -> int:
    """Return how many connections a process may have here: what has the ports needs two files for each."""
    (ports,) = stack.project.containers("edge-ports")
    limit = stack.project.shell_in(ports, "ulimit -Hn").strip()
    return CONNECTIONS if limit == "unlimited" else min(CONNECTIONS, int(limit) // 2 - _SPARE)


def _asked(stack: TestStack, seed: int) -> list[Record]:
    asyncio.run(run(_plan(stack, SETTLE_SECONDS, 0)))
    return asyncio.run(run(_plan(stack, SECONDS, seed)))


def _plan(stack: TestStack, seconds: float, seed: int) -> Plan:
    return Plan(stack.project.url, RATE, seconds=seconds, seed=seed)


def _added(records: list[Record]) -> float:
    return percentile(milliseconds(records), 0.95) - UPSTREAM_MS


def _megabytes(stack: TestStack, part: str) -> float:
    (container,) = stack.project.containers(part)
    stats: Any = container.stats(stream=False)
    return used(stats["memory_stats"]) / MEGABYTE
