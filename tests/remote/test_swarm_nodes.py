"""A Swarm whose managers are demoted, or gone in such number that nobody leads: users go on being served.

Users come by the first host.
"""

import pytest

from benchmarks.load import errors
from testing.meanwhile import until
from testing.project import Project
from testing.rig import Rig
from testing.swarm_stack import SwarmStack, swarm_stack
from tests.remote.asked import asked_meanwhile

pytestmark = [pytest.mark.engine, pytest.mark.slow]

LEADERLESS = "the Swarm has no leader"
CHANGES_NOTHING = (("status",), ("verify",), ("drift",), ("preflight",), ("down", "--yes"))
"""What is asked of a Swarm that nobody leads, and leaves all as it is."""


@pytest.fixture(scope="module")
def stage(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> SwarmStack:
    return swarm_stack(tmp_path_factory.mktemp("swarm"), made)


@pytest.fixture
def prod(stage: SwarmStack) -> Project:
    return stage.project


def said(project: Project, *command: str, code: int) -> str:
    """Run a command that has one thing to say, and return it."""
    ran = project.fridayctl(command[0], project.stack, *command[1:], code=code)
    assert "Traceback" not in ran.text
    return ran.text


def test_a_manager_that_is_demoted_is_told_in_one_message(stage: SwarmStack, prod: Project) -> None:
    another = stage.made.hosts[1]
    another.run("docker", "node", "promote", another.name)
    another.run("docker", "node", "demote", stage.first.name)
    until(lambda: stage.first.engine.info()["Swarm"]["ControlAvailable"] is False, "the end of its managing")
    try:
        for command, code in (("status", 1), ("drift", 1), ("preflight", 2)):
            text = said(prod, command, code=code)
            assert "is not a manager of its Swarm" in text
            assert "docker node promote" in text
        assert prod.chat(0).status == 200
    finally:
        another.run("docker", "node", "promote", stage.first.name)
    until(lambda: stage.first.engine.info()["Swarm"]["ControlAvailable"], "its managing")
    until(stage.is_whole, "three hosts")


def test_a_swarm_without_a_majority_serves_on_and_every_command_says_what_to_do(
    stage: SwarmStack, prod: Project
) -> None:
    """The stand-in for the models stays, as OpenRouter does."""
    stage.docker(
        "service", "update", "--quiet", "--constraint-add", f"node.hostname=={stage.first.name}", _models(prod)
    )
    until(stage.is_whole, "the models' stand-in on the first host")
    lost = stage.made.hosts[1:]

    def lose_them() -> None:
        for host in lost:
            host.kill()
        until(lambda: _is_leaderless(stage), "the end of the Swarm's leading")
        for command in CHANGES_NOTHING:
            text = said(prod, *command, code=2 if command == ("preflight",) else 1)
            assert LEADERLESS in text
            assert "docker swarm init --force-new-cluster" in text
        prod.configure({"rolloutPercentage": 43})
        assert LEADERLESS in said(prod, "up", code=2)
        assert prod.chat(0).path == "litellm"  # as before
        text = said(prod, "rollback", "--level", "1", "--yes", code=1)
        assert "closed at the edge after" in text
        assert LEADERLESS in text
        assert prod.chat(0).path in ("direct", "fallback")

    done = asked_meanwhile(prod.url, lose_them)
    # Those that were under way on the hosts whose power went.
    assert errors(done.records).total() <= len(done.records) / 100, errors(done.records)
    assert done.records[-1].error is None
    for host in lost:
        host.boot()
    until(stage.is_whole, "three hosts")
    prod.configure({"rolloutPercentage": 44})
    stage.bring_up()
    assert (prod.chat(43).path, prod.chat(44).path) == ("litellm", "direct")


def _models(project: Project) -> str:
    return f"friday-{project.stack}-openrouter"


def _is_leaderless(stage: SwarmStack) -> bool:
    return "does not have a leader" in str(stage.first.engine.info()["Swarm"].get("Error", ""))
