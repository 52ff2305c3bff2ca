"""How long the whole commands take that everybody runs: setup, up, down."""

from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack

SETUPS = 5
ROUNDS = 3


def setup(stack: TestStack) -> list[Figure]:
    """Time `./fridayctl setup` when there is nothing to do."""
    return [Figure("setup, all there", 1, "s", tuple(stack.timed("setup") for _ in range(SETUPS)))]


def lifecycle(stack: TestStack) -> list[Figure]:
    """Time a stack that comes up, finds that nothing changed, and goes.

    `up` ends when every container is healthy and both paths have answered a question.
    """
    rounds = [(stack.bring_up(), stack.bring_up(), stack.take_down()) for _ in range(ROUNDS)]
    first, again, down = zip(*rounds, strict=True)
    return [
        Figure("up from nothing, healthy and checked", 30, "s", first),
        Figure("up again, nothing to change", 4, "s", again),
        Figure("down", 15, "s", down),
    ]
