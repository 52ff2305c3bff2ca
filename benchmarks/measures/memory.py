"""How much memory a stack uses."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from benchmarks.figures import Figure
from benchmarks.load import Plan, run
from benchmarks.test_stack import TestStack

RATE = 20.0
"""Requests a second; half of the users go through the gateway."""
SECONDS = 15.0
MEGABYTE = 1_000_000


def memory(stack: TestStack) -> list[Figure]:
    """Sum the memory of all containers, in megabytes of a million bytes, after a short load.

    The engine and its port publishing are not part of it: they are there without the stack as well.
    """
    asyncio.run(run(Plan(stack.project.url, RATE, seconds=SECONDS)))
    parts: Counter[str] = Counter()
    for container in stack.project.containers():
        stats: Any = container.stats(stream=False)
        parts[container.labels["friday-litellm.part"]] += used(stats["memory_stats"])
    note = ", ".join(f"{part} {size / MEGABYTE:.0f} MB" for part, size in sorted(parts.items()))
    return [Figure("memory of the stack", 1500, "MB", (parts.total() / MEGABYTE,), note)]


def used(found: Mapping[str, Any]) -> int:
    """Return bytes in use as `docker stats` counts them: usage without the file cache that nobody uses.

    The kernel gives that cache back when memory is short. Its name differs: `total_inactive_file` with version 1
    of control groups, `inactive_file` with version 2.
    """
    stats = found.get("stats", {})
    return int(found["usage"]) - int(stats.get("total_inactive_file", stats.get("inactive_file", 0)))
