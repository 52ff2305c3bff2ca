"""What users notice on a Swarm of three hosts: a changed percentage, a changed image, a host that loses its power."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.during import Done, lost, under_load
from benchmarks.figures import Figure
from benchmarks.load import Record
from benchmarks.stage import Stage
from testing.meanwhile import until
from testing.own_image import SERVES, own_image
from testing.rig import rig
from testing.swarm_stack import SwarmStack, swarm_stack

PERCENTAGES = (60, 50)
NO_OPS = 3
MINUTE = 60.0
AT_EASE_SECONDS = 15.0
"""After an update: what starts anew takes processor time from everything else."""


def measure(_: Stage) -> list[Figure]:
    """Measure on hosts of its own, which are gone afterwards; users and commands reach the first one."""
    with tempfile.TemporaryDirectory(prefix="friday-bench-swarm-") as folder, rig(3) as made:
        stage = swarm_stack(Path(folder), made)
        time.sleep(AT_EASE_SECONDS)
        unchanged = tuple(stage.bring_up() for _ in range(NO_OPS))
        changes = [_percentage(stage, percentage) for percentage in PERCENTAGES]
        with own_image(stage.project, stage.made.hosts, "bench", SERVES):
            images = [under_load(stage.project.url, stage.bring_up)]
        images.append(under_load(stage.project.url, stage.bring_up, seed=1))
        return [
            Figure("swarm: up with nothing to change, over ssh", 6, "s", unchanged),
            lost("swarm: changed percentage: failed requests", 0, changes),
            lost("swarm: changed image: failed requests", 0, images),
            *_killed(stage),
        ]


def _percentage(stage: SwarmStack, percentage: int) -> Done:
    stage.project.configure({"rolloutPercentage": percentage})
    return under_load(stage.project.url, stage.bring_up, seed=percentage)


def _killed(stage: SwarmStack) -> list[Figure]:
    """Take a host's power that has replicas, and look at the minute that follows."""
    time.sleep(AT_EASE_SECONDS)
    spare = stage.spare()
    parts = [part for part in stage.services() if spare.name in stage.running(part).values()]
    whole: list[float] = []

    def kill() -> float:
        began = time.perf_counter()
        spare.kill()
        until(lambda: stage.is_whole_without(spare), "all parts on the other hosts")
        whole.append(time.perf_counter() - began)
        time.sleep(max(0.0, MINUTE - whole[0]))
        return time.perf_counter() - began

    done = under_load(stage.project.url, kill)
    after = [record for record in done.records if done.began <= record.start <= done.began + MINUTE]
    failed = [record for record in after if record.failed]
    note = f"{len(failed)} of {len(after)} requests; it ran {', '.join(sorted(parts))}"
    return [
        Figure("swarm: host killed: the last request that failed", 15, "s", (_last(failed, done.began),), note),
        Figure("swarm: host killed: failed requests of a minute", 1, "%", (100 * len(failed) / len(after),), note),
        Figure("swarm: host killed: every replica runs again elsewhere", None, "s", (whole[0],)),
    ]


def _last(failed: list[Record], began: float) -> float:
    """Return when the last request began that failed, in seconds from the kill; 0 when none did."""
    return max((record.start - began for record in failed), default=0.0)
