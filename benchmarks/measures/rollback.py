"""The four ways back while users ask, and the same change of percentage made by docker-compose."""

from __future__ import annotations

import shutil
from functools import partial

from benchmarks import compose
from benchmarks.chat import PATH_HEADER, PERCENTAGE_HEADER
from benchmarks.during import Done, total, under_load
from benchmarks.figures import Figure
from benchmarks.stage import Stage
from tests.integration.repository import commit, git

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
    done = [*first, *further.values()]
    failed, errors = total([each.failures for each in done])
    return [
        Figure("rollback, all levels: failed requests", 0, "requests", (failed,), f"of {_requests(done)}{errors}"),
        Figure(
            "rollback level 1: the last request that went through the gateway",
            1,
            "s",
            tuple(each.last(PATH_HEADER, "litellm", started=True) for each in first),
        ),
        Figure(
            "rollback level 1: last answer of an old replica",
            5,
            "s",
            tuple(each.last(PERCENTAGE_HEADER, str(BAD)) for each in first),
            f"the load generator was at most {max(each.worst_lag for each in done):.0f} ms late",
        ),
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
    done: list[Done] = []
    last_old = []
    with compose.running(stage.project, BAD) as other:
        for seed, (old, new) in enumerate([(BAD, GOOD), (GOOD, BAD), (BAD, GOOD)]):
            each = under_load(other.url, partial(other.change, new), seed)
            last_old.append(each.last(PERCENTAGE_HEADER, str(old)))
            done.append(each)
    failed, errors = total([each.failures for each in done])
    return [
        Figure(f"{what}failed requests", None, "requests", (failed,), f"of {_requests(done)}{errors}"),
        Figure(f"{what}last answer of an old replica", None, "s", tuple(last_old)),
        Figure(f"{what}the whole command", None, "s", tuple(each.seconds for each in done)),
    ]


def _requests(done: list[Done]) -> str:
    return f"{sum(len(each.records) for each in done)} requests"
