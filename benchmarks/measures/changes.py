"""What users notice of a changed percentage: by `up`, by the levels of rollback, and, to compare, by docker-compose."""

import shutil
from functools import partial
from itertools import pairwise

from benchmarks import compose
from benchmarks.figures import Figure
from benchmarks.http_client import PATH_HEADER, PERCENTAGE_HEADER
from benchmarks.load_during import LoadDuring, failed_requests, last_of_old, under_load
from benchmarks.test_stack import TestStack
from testing.repository import commit, git

STEPS = (0, 10, 50, 100)
"""The plan's own percentages: the load on the gateway grows with each."""
ROUNDS = 3
GOOD, BAD = 50, 60
LEVEL_SECONDS = {2: 30, 3: 30, 4: 60}
"""The promises: DESIGN, the table of levels."""


def rollout(stack: TestStack) -> list[Figure]:
    """Take each of STEPS while users 0 to 99 ask in turn."""
    _set(stack, STEPS[0])
    changes = {old: _step(stack, old, new) for old, new in pairwise(STEPS)}
    return [
        failed_requests("changed percentage: failed requests", 0, list(changes.values())),
        *last_of_old("changed percentage: ", 5, [(done, str(old)) for old, done in changes.items()]),
        Figure("changed percentage: the whole command", None, "s", tuple(done.seconds for done in changes.values())),
    ]


def _set(stack: TestStack, percentage: int) -> None:
    stack.project.configure({"rolloutPercentage": percentage})
    stack.bring_up()


def _step(stack: TestStack, old: int, new: int) -> LoadDuring:
    stack.project.configure({"rolloutPercentage": new})
    done = under_load(stack.project.url, stack.bring_up, seed=old)
    done.last(PERCENTAGE_HEADER, str(new))  # a load that reached no new replica measured nothing
    return done


def rollback(stack: TestStack) -> list[Figure]:
    """Roll back from BAD to GOOD, or to nobody on the gateway, each level under load; then change it by compose."""
    git(stack.project, "init", "--quiet")
    commit(stack.project, "the version to roll back to")
    first = [_level(stack, 1, seed) for seed in range(ROUNDS)]
    further = {level: _level(stack, level, level) for level in LEVEL_SECONDS}
    by_gateway = tuple(each.last(PATH_HEADER, "litellm", started=True) for each in first)
    return [
        failed_requests("rollback, all levels: failed requests", 0, [*first, *further.values()]),
        Figure("rollback level 1: the last request that went through the gateway", 1, "s", by_gateway),
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
    _set(stack, GOOD)
    _set(stack, BAD)
    command = ("rollback", project.stack, "--level", str(level), "--yes")
    return under_load(project.url, lambda: stack.timed(*command), seed)


def _by_compose(stack: TestStack) -> list[Figure]:
    what = "docker-compose up -d: "
    if not shutil.which("docker-compose"):
        note = "not measured: apt-get install docker-compose installs it"
        return [Figure(f"{what}rounds", None, "rounds", (0,), note)]
    _set(stack, BAD)
    done: list[tuple[LoadDuring, str]] = []
    with compose.running(stack.project, BAD) as (url, change):
        for seed, (old, new) in enumerate([(BAD, GOOD), (GOOD, BAD), (BAD, GOOD)]):
            done.append((under_load(url, partial(change, new), seed), str(old)))
    loads = [each for each, _ in done]
    return [
        failed_requests(f"{what}failed requests", None, loads),
        *last_of_old(what, None, done),
        Figure(f"{what}the whole command", None, "s", tuple(each.seconds for each in loads)),
    ]
