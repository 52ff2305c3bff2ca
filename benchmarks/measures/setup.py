"""What `./fridayctl setup` costs when there is nothing to do."""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.stage import Stage

RUNS = 5


def measure(stage: Stage) -> list[Figure]:
    """Time the command from its start to its end."""
    return [Figure("setup, all there", 1, "s", tuple(stage.timed("setup") for _ in range(RUNS)))]
