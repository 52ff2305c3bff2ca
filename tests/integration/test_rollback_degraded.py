"""Rollbacks while something of the stack is down: users count, and what else is unhealthy is named.

Containers that are stopped or killed by hand stay down: their restart policy counts only for those that end by
themselves, and for a new start of the engine.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker.models.containers import Container

from testing.faults.breaks import killed
from testing.meanwhile import until
from testing.project import Project
from testing.repository import commit, git
from tests.integration.load import Load

pytestmark = [pytest.mark.engine, pytest.mark.slow]

LITELLM_USER, DIRECT_USER = 7, 70


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Give a stack at 50 %, and at 10 % with another form of the gateway before that: a good update to go back to.

    Level 1 undoes the update before it and levels 2 and 4 lead to those 10 % from there, so this can be repeated.
    """
    project = Project.create(Path(tmp_path_factory.mktemp("degraded")))
    project.configure({"rolloutPercentage": 10, "friday": {**project.settings.get("friday", {}), "replicas": 1}})
    git(project, "init", "--quiet")
    commit(project, "ten")
    with project.deployed():
        project.configure({"rolloutPercentage": 50, "router": {"cooldownSeconds": 33}})
        project.fridayctl("up", project.stack)
        yield project


def rollback(project: Project, level: int) -> list[str]:
    """Roll back under load, which may lose nothing; return what the command says is unhealthy."""
    with Load(project, per_second=3, users=(LITELLM_USER, DIRECT_USER)) as load:
        done = project.fridayctl("rollback", project.stack, "--level", str(level), "--yes", "--json")
    assert load.failures == []
    unhealthy: list[str] = json.loads(done.out)["unhealthy"]
    return unhealthy


def named(*victims: Container) -> list[str]:
    return sorted(f"{victim.name}: exited, exit code 137" for victim in victims)


def paths(project: Project) -> tuple[str, str]:
    return project.chat(LITELLM_USER).path, project.chat(DIRECT_USER).path


def test_a_rollback_is_done_without_redis_prometheus_and_a_gateway_replica(stack: Project) -> None:
    """Level 1 leaves the gateway as it is; level 2 replaces it here, the dead replica too, and Redis is still away."""
    redis, prometheus, gateway = (stack.containers(part)[0] for part in ("redis", "prometheus", "litellm"))
    with killed(redis, prometheus, gateway):
        assert sorted(rollback(stack, 1)) == named(redis, prometheus, gateway)
        assert paths(stack) == ("direct", "direct")
        assert sorted(rollback(stack, 2)) == named(redis, prometheus)
        # The new gateway cannot know what the old one has used of the account's limit, until a minute is over.
        assert paths(stack)[1] == "direct"
        until(lambda: paths(stack) == ("litellm", "direct"), "the gateway should answer its users", 90)


def test_the_other_gateway_replica_answers_while_one_is_down(stack: Project) -> None:
    """Level 4 too: the `up` of the other commit fails over the dead replica, and users count here."""
    if stack.settings["rolloutPercentage"] == 50:
        rollback(stack, 2)  # no test ran before: level 4 would replace the gateway's other form, and the dead replica
    gateway = stack.containers("litellm")[0]
    with killed(gateway):
        assert rollback(stack, 1) == named(gateway)
        assert rollback(stack, 4) == named(gateway)
        assert paths(stack) == ("litellm", "direct")


def test_without_any_gateway_level_1_is_done_and_level_2_is_not(stack: Project) -> None:
    gateways = stack.containers("litellm")
    with killed(*gateways):
        assert sorted(rollback(stack, 1)) == named(*gateways)
        assert paths(stack) == ("direct", "direct")
        failed = stack.fridayctl("rollback", stack.stack, "--yes", code=1)
        assert "no container of litellm is healthy, and users need one" in failed.err
        assert f"fix: ./fridayctl rollback {stack.stack} --level 1" in failed.err
        assert paths(stack) == ("fallback", "direct")
        assert stack.settings["rolloutPercentage"] in (10, "10")
