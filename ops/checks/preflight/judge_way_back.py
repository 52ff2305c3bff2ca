"""Verdict over the way back: could a rollback go anywhere?"""

from collections.abc import Iterator

from ops.checks.preflight.facts import Facts
from ops.checks.report import Check, State
from ops.errors import OperationError
from ops.rollout.history import Entry
from ops.rollout.rollback_plan import shown

_NAME = "rollback target"


def way_back(facts: Facts) -> Iterator[Check]:
    """Yield one check: the history holds an update to go back to, and its images are still to be had.

    Going back from the next update means making the present one again: when that cannot be done it is a failure. What
    lies before it is a second way, so it only warns.
    """
    found = facts.way_back
    if found is None:
        yield Check(_NAME, "", State.SKIPPED, "the history was not asked for")
    elif isinstance(found, OperationError):
        yield Check(_NAME, "", State.FAILED, found.message, found.fix, found.details)
    elif found.current is None:
        yield Check(_NAME, "", State.SKIPPED, "not deployed yet: there is nothing to go back to")
    elif found.current_problem:
        yield _not_again(State.FAILED, f"the update that runs ({_words(found.current)})", found.current_problem)
    elif found.target is None:
        text = f"the update that runs ({_words(found.current)}), once there is another; until then level 1"
        yield Check(_NAME, "", State.OK, text)
    elif found.target_problem:
        yield _not_again(State.WARNING, f"the last good update ({_words(found.target)})", found.target_problem)
    else:
        yield Check(_NAME, "", State.OK, f"the update of {_words(found.target)}")


def _not_again(state: State, which: str, problem: OperationError) -> Check:
    return Check(_NAME, "", state, f"{which} could not be restored: {problem.message}", problem.fix, problem.details)


def _words(entry: Entry) -> str:
    return f"{shown(entry.at)}, {entry.percentage} %"
