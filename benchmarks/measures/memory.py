"""How much memory a stack uses."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from benchmarks.chat import chat
from benchmarks.figures import Figure
from benchmarks.http_client import Request
from benchmarks.load import Plan, run
from benchmarks.stage import Stage

RATE = 20.0
"""Requests a second; half of the users go through the gateway."""
SECONDS = 15.0
MEGABYTE = 1_000_000


def measure(stage: Stage) -> list[Figure]:
    """Sum the memory of all containers, in megabytes of a million bytes, after a short load.

    The engine and its port publishing are not part of it: they are there without the stack as well.
    """
    asyncio.run(run(Plan(stage.project.url, RATE, request=_question, seconds=SECONDS)))
    parts: dict[str, float] = defaultdict(float)
    for container in stage.project.containers():
        stats: Any = container.stats(stream=False)
        parts[container.labels["friday-litellm.part"]] += used(stats["memory_stats"]) / MEGABYTE
    note = ", ".join(f"{part} {megabytes:.0f} MB" for part, megabytes in sorted(parts.items()))
    return [Figure("memory of the stack", 1500, "MB", (sum(parts.values()),), note)]


def _question(number: int) -> Request:
    return chat(number % 100)


def used(memory: Mapping[str, Any]) -> int:
    """Return bytes in use as `docker stats` counts them: usage without the file cache that nobody uses.

    The kernel gives that cache back when memory is short. Its name differs: `total_inactive_file` with version 1
    of control groups, `inactive_file` with version 2.
    """
    stats = memory.get("stats", {})
    return int(memory["usage"]) - int(stats.get("total_inactive_file", stats.get("inactive_file", 0)))
