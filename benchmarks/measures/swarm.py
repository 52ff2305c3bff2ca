"""What users notice on a Swarm of three hosts: a changed percentage, a changed image, a host that is killed."""

import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.load_during import LoadDuring, failed_requests, under_load
from benchmarks.test_stack import TestStack
from testing.meanwhile import until
from testing.own_image import SERVES, own_image
from testing.rig import rig
from testing.swarm_stack import SwarmStack, swarm_stack

PERCENTAGES = (60, 50)
NO_OPS = 3
MINUTE = 60.0
SETTLE_SECONDS = 15.0
"""After an update: starting containers take processor time from everything else."""


def swarm(_: TestStack) -> list[Figure]:
    """Measure on hosts of its own, which are removed afterwards; users and commands reach the first one."""
    with tempfile.TemporaryDirectory(prefix="friday-bench-swarm-") as folder, rig(3) as made:
        stack = swarm_stack(Path(folder), made)
        time.sleep(SETTLE_SECONDS)
        unchanged = tuple(stack.bring_up() for _ in range(NO_OPS))
        changes = [_percentage(stack, percentage) for percentage in PERCENTAGES]
        with own_image(stack.project, stack.made.hosts, "bench", SERVES):
            images = [under_load(stack.project.url, stack.bring_up)]
        images.append(under_load(stack.project.url, stack.bring_up, seed=1))
        return [
            Figure("swarm: up with nothing to change, over ssh", 6, "s", unchanged),
            failed_requests("swarm: changed percentage: failed requests", 0, changes),
            failed_requests("swarm: changed image: failed requests", 0, images),
            *_killed(stack),
        ]


def _percentage(stack: SwarmStack, percentage: int) -> LoadDuring:
    stack.project.configure({"rolloutPercentage": percentage})
    return under_load(stack.project.url, stack.bring_up, seed=percentage)


def _killed(stack: SwarmStack) -> list[Figure]:
    """Kill a host that has replicas, and look at the minute that follows."""
    time.sleep(SETTLE_SECONDS)
    spare = stack.spare()
    parts = [part for part in stack.services() if spare.name in stack.running(part).values()]
    whole: list[float] = []

    def kill() -> float:
        began = time.perf_counter()
        spare.kill()
        until(lambda: stack.is_whole_without(spare), "all parts on the other hosts")
        whole.append(time.perf_counter() - began)
        time.sleep(max(0.0, MINUTE - whole[0]))
        return time.perf_counter() - began

    done = under_load(stack.project.url, kill)
    after = [record for record in done.records if done.began <= record.start <= done.began + MINUTE]
    failed = [record for record in after if record.error]
    last = max((record.start - done.began for record in failed), default=0.0)
    note = f"{len(failed)} of {len(after)} requests; it ran {', '.join(sorted(parts))}"
    return [
        Figure("swarm: host killed: the last request that failed", 15, "s", (last,), note),
        Figure("swarm: host killed: failed requests of a minute", 1, "%", (100 * len(failed) / len(after),), note),
        Figure("swarm: host killed: every replica runs again elsewhere", None, "s", (whole[0],)),
    ]
