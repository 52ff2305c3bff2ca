"""What `./fridayctl setup` costs when there is nothing to do."""

from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack

RUNS = 5


def measure(stack: TestStack) -> list[Figure]:
    """Time the command from its start to its end."""
    return [Figure("setup, all there", 1, "s", tuple(stack.timed("setup") for _ in range(RUNS)))]
