"""What users notice while the percentage changes."""

from __future__ import annotations

from benchmarks.chat import PERCENTAGE_HEADER
from benchmarks.during import Done, total, under_load
from benchmarks.figures import Figure
from benchmarks.stage import Stage

PERCENTAGES = (60, 50, 60)


def measure(stage: Stage) -> list[Figure]:
    """Change the percentage to each of PERCENTAGES while users 0 to 99 ask in turn, half of them by the gateway."""
    changes: list[Done] = []
    last_old = []
    for seed, percentage in enumerate(PERCENTAGES):
        old = str(stage.project.settings["rolloutPercentage"])
        stage.project.configure({"rolloutPercentage": percentage})
        done = under_load(stage.project.url, stage.bring_up, seed)
        done.last(PERCENTAGE_HEADER, str(percentage))  # a load that met no new replica measured nothing
        last_old.append(done.last(PERCENTAGE_HEADER, old))
        changes.append(done)
    failed, errors = total([done.failures for done in changes])
    note = f"of {sum(len(done.records) for done in changes)} requests{errors}"
    late = f"the load generator was at most {max(done.worst_lag for done in changes):.0f} ms late"
    return [
        Figure("changed percentage: failed requests", 0, "requests", (failed,), note),
        Figure("changed percentage: last answer of an old replica", 5, "s", tuple(last_old), late),
        Figure("changed percentage: the whole command", None, "s", tuple(done.seconds for done in changes)),
    ]
