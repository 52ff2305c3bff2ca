"""The four levels of rollback while users ask, and the same change of percentage made by docker-compose."""

import shutil
from functools import partial

from benchmarks import compose
from benchmarks.chat import PATH_HEADER
from benchmarks.figures import Figure
from benchmarks.load_during import LoadDuring, failed_requests, last_of_old, under_load
from benchmarks.test_stack import TestStack
from testing.repository import commit, git

ROUNDS = 3
GOOD, BAD = 50, 60
LEVEL_SECONDS = {2: 30, 3: 30, 4: 60}
"""The promises: DESIGN, the table of levels."""


def measure(stack: TestStack) -> list[Figure]:
    """Roll back from BAD to GOOD, or to nobody on the gateway, each level under load; then change it by compose."""
    git(stack.project, "init", "--quiet")
    commit(stack.project, "the version to roll back to")
    first = [_level(stack, 1, seed) for seed in range(ROUNDS)]
    further = {level: _level(stack, level, level) for level in LEVEL_SECONDS}
    return [
        failed_requests("rollback, all levels: failed requests", 0, [*first, *further.values()]),
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
        *_by_compose(stack),
    ]


def _level(stack: TestStack, level: int, seed: int) -> LoadDuring:
    """Roll back once, from BAD after GOOD, with every part there."""
    project = stack.project
    # What level 3 removed is set here by name, so that it comes back.
    project.configure({"litellmEnabled": True, "litellm": {**project.settings["litellm"], "replicas": 2}})
    for percentage in (GOOD, BAD):
        project.configure({"rolloutPercentage": percentage})
        stack.bring_up()
    command = ("rollback", project.stack, "--level", str(level), "--yes")
    return under_load(project.url, lambda: stack.timed(*command), seed)


def _by_compose(stack: TestStack) -> list[Figure]:
    what = "docker-compose up -d: "
    if not shutil.which("docker-compose"):
        note = "not measured: apt-get install docker-compose installs it"
        return [Figure(f"{what}rounds", None, "rounds", (0,), note)]
    stack.project.configure({"rolloutPercentage": BAD})
    stack.bring_up()
    done: list[tuple[LoadDuring, str]] = []
    with compose.running(stack.project, BAD) as other:
        for seed, (old, new) in enumerate([(BAD, GOOD), (GOOD, BAD), (BAD, GOOD)]):
            done.append((under_load(other.url, partial(other.change, new), seed), str(old)))
    loads = [each for each, _ in done]
    return [
        failed_requests(f"{what}failed requests", None, loads),
        *last_of_old(what, None, done),
        Figure(f"{what}the whole command", None, "s", tuple(each.seconds for each in loads)),
    ]
