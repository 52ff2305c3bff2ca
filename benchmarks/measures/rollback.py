"""The four ways back while users ask, and the same change of percentage made by docker-compose."""

from __future__ import annotations

import shutil
from functools import partial

from benchmarks import compose
from benchmarks.chat import PATH_HEADER
from benchmarks.during import Done, last_of_old, lost, under_load
from benchmarks.figures import Figure
from benchmarks.stage import Stage
from testing.repository import commit, git

ROUNDS = 3
GOOD, BAD = 50, 60
LEVEL_SECONDS = {2: 30, 3: 30, 4: 60}
"""The promises: DESIGN, the table of levels."""


def measure(stage: Stage) -> list[Figure]:
    """Roll back from BAD to GOOD, or to nobody on the gateway, each level under load; then change it by compose."""
    git(stage.project, "init", "--quiet")
    commit(stage.project, "what is rolled back to")
    first = [_level(stage, 1, seed) for seed in range(ROUNDS)]
    further = {level: _level(stage, level, level) for level in LEVEL_SECONDS}
    return [
        lost("rollback, all levels: failed requests", 0, [*first, *further.values()]),
        Figure(
            "rollback level 1: the last request that went through the gateway",
            1,
            "s",
            tuple(each.last(PATH_HEADER, "litellm", started=True) for each in first),
        ),
        *last_of_old("rollback level 1: ", 5, [(each, str(BAD)) for each in first]),
        *(
            Figure(f"rollback level {level}: the whole command", LEVEL_SECONDS[level], "s", (each.seconds,))
            for level, each in further.items()
        ),
        *_by_compose(stage),
    ]


def _level(stage: Stage, level: int, seed: int) -> Done:
    """Roll back once, from BAD after GOOD, with every part there."""
    project = stage.project
    # What level 3 took away is named, so that it comes back.
    project.configure({"litellmEnabled": True, "litellm": {**project.settings["litellm"], "replicas": 2}})
    for percentage in (GOOD, BAD):
        project.configure({"rolloutPercentage": percentage})
        stage.bring_up()
    command = ("rollback", project.stack, "--level", str(level), "--yes")
    return under_load(project.url, lambda: stage.timed(*command), seed)


def _by_compose(stage: Stage) -> list[Figure]:
    what = "docker-compose up -d: "
    if not shutil.which("docker-compose"):
        note = "not measured: apt-get install docker-compose brings the other side"
        return [Figure(f"{what}rounds", None, "rounds", (0,), note)]
    stage.project.configure({"rolloutPercentage": BAD})
    stage.bring_up()
    done: list[tuple[Done, str]] = []
    with compose.running(stage.project, BAD) as other:
        for seed, (old, new) in enumerate([(BAD, GOOD), (GOOD, BAD), (BAD, GOOD)]):
            done.append((under_load(other.url, partial(other.change, new), seed), str(old)))
    loads = [each for each, _ in done]
    return [
        lost(f"{what}failed requests", None, loads),
        *last_of_old(what, None, done),
        Figure(f"{what}the whole command", None, "s", tuple(each.seconds for each in loads)),
    ]
