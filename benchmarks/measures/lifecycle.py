"""How long a stack takes to come up, to find that nothing changed, and to go."""

from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack

ROUNDS = 3


def measure(stack: TestStack) -> list[Figure]:
    """Time the whole commands. `up` ends when every container is healthy and both paths have answered a question."""
    first, again, down = [], [], []
    for _ in range(ROUNDS):
        first.append(stack.bring_up())
        again.append(stack.bring_up())
        down.append(stack.take_down())
    return [
        Figure("up from nothing, healthy and checked", 30, "s", tuple(first)),
        Figure("up again, nothing to change", 4, "s", tuple(again)),
        Figure("down", 15, "s", tuple(down)),
    ]
