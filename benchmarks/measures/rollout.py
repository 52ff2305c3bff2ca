"""What users notice while the percentage takes the steps of the rollout."""

from __future__ import annotations

from itertools import pairwise

from benchmarks.chat import PERCENTAGE_HEADER
from benchmarks.during import Done, last_of_old, lost, under_load
from benchmarks.figures import Figure
from benchmarks.stage import Stage

STEPS = (0, 10, 50, 100)
"""The plan's own percentages: the load on the gateway grows with each."""


def measure(stage: Stage) -> list[Figure]:
    """Take each of STEPS while users 0 to 99 ask in turn."""
    stage.project.configure({"rolloutPercentage": STEPS[0]})
    stage.bring_up()
    changes = {old: _step(stage, old, new) for old, new in pairwise(STEPS)}
    return [
        lost("changed percentage: failed requests", 0, list(changes.values())),
        *last_of_old("changed percentage: ", 5, [(done, str(old)) for old, done in changes.items()]),
        Figure("changed percentage: the whole command", None, "s", tuple(done.seconds for done in changes.values())),
    ]


def _step(stage: Stage, old: int, new: int) -> Done:
    stage.project.configure({"rolloutPercentage": new})
    done = under_load(stage.project.url, stage.bring_up, seed=old)
    done.last(PERCENTAGE_HEADER, str(new))  # a load that met no new replica measured nothing
    return done
