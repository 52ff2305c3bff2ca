"""What users notice while the percentage takes the steps of the rollout."""

from itertools import pairwise

from benchmarks.chat import PERCENTAGE_HEADER
from benchmarks.figures import Figure
from benchmarks.load_during import LoadDuring, failed_requests, last_of_old, under_load
from benchmarks.test_stack import TestStack

STEPS = (0, 10, 50, 100)
"""The plan's own percentages: the load on the gateway grows with each."""


def measure(stack: TestStack) -> list[Figure]:
    """Take each of STEPS while users 0 to 99 ask in turn."""
    stack.project.configure({"rolloutPercentage": STEPS[0]})
    stack.bring_up()
    changes = {old: _step(stack, old, new) for old, new in pairwise(STEPS)}
    return [
        failed_requests("changed percentage: failed requests", 0, list(changes.values())),
        *last_of_old("changed percentage: ", 5, [(done, str(old)) for old, done in changes.items()]),
        Figure("changed percentage: the whole command", None, "s", tuple(done.seconds for done in changes.values())),
    ]


def _step(stack: TestStack, old: int, new: int) -> LoadDuring:
    stack.project.configure({"rolloutPercentage": new})
    done = under_load(stack.project.url, stack.bring_up, seed=old)
    done.last(PERCENTAGE_HEADER, str(new))  # a load that reached no new replica measured nothing
    return done
