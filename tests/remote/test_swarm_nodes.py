"""A Swarm's nodes that join, are demoted, drained, or gone in such number that nobody leads: users go on being served.

The tests stand in this order: the last one gives the stack away. Users come by the first host.
"""

import pytest

from benchmarks.load import errors
from testing.meanwhile import in_the_middle, until
from testing.nested_host import NestedHost
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


def joins_anew(stage: SwarmStack, host: NestedHost) -> None:
    """Let a host leave the Swarm, lose all that it holds, and join as a worker that nobody has heard of."""
    stage.docker("node", "demote", host.name)
    until(lambda: host.engine.info()["Swarm"]["ControlAvailable"] is False, "the end of its managing")
    host.run("docker", "swarm", "leave")
    until(lambda: "Down" in stage.docker("node", "ls"), "the Swarm's word that it has left")
    stage.docker("node", "rm", "--force", host.name)
    host.clear()
    host.remove_images()
    token = stage.docker("swarm", "join-token", "--quiet", "worker")
    host.run("docker", "swarm", "join", "--token", token, "--advertise-addr", host.ip, f"{stage.first.ip}:2377")


def test_a_node_that_nobody_named_is_named_and_fails_no_update(stage: SwarmStack, prod: Project) -> None:
    new = stage.spare()
    others = [each.url for each in stage.made.hosts if each not in (new, stage.first)]
    prod.configure({"swarmHosts": others})
    joins_anew(stage, new)
    for command in ("preflight", "status", "verify"):
        text = said(prod, command, code=0)
        assert f"node {new.name} is in the Swarm and not in friday-litellm:swarmHosts" in text
        assert f"docker node update --availability drain {new.name}" in text
        assert f"./fridayctl images push {prod.stack}" in text
    edges, ports = stage.running("edge"), stage.running("edge-ports")
    # Without users: it replaces the models' stand-in too, for which production has OpenRouter.
    stage.bring_up()
    assert new.name not in {host for part in stage.services() for host in stage.running(part).values()}
    assert (stage.running("edge"), stage.running("edge-ports")) == (edges, ports)
    prod.configure({"rolloutPercentage": 41})
    assert errors(asked_meanwhile(prod.url, stage.bring_up).records) == {}
    assert (prod.chat(40).path, prod.chat(41).path) == ("litellm", "direct")
    assert "nothing to change" in prod.fridayctl("up", prod.stack).out
    assert "no drift" in prod.fridayctl("drift", prod.stack).out
    prod.configure({"swarmHosts": [*others, new.url]})
    prod.fridayctl("images", "push", prod.stack)
    stage.bring_up()
    until(stage.is_whole, "an edge on the new host, too")
    assert stage.running("edge-ports").items() >= ports.items()
    assert "nothing to change" in prod.fridayctl("up", prod.stack).out
    assert "not in friday-litellm:swarmHosts" not in said(prod, "preflight", code=0)


def test_a_host_drained_in_an_update_is_named_and_loses_no_request(stage: SwarmStack, prod: Project) -> None:
    spare = stage.spare()

    def drain() -> None:
        stage.docker("node", "update", "--availability", "drain", spare.name)

    def change() -> None:
        in_the_middle(prod, 42, lambda: stage.services()["friday"]["Version"]["Index"], drain)
        until(lambda: stage.is_whole_without(spare), "all parts on two hosts")

    assert errors(asked_meanwhile(prod.url, change).records) == {}
    assert f"node {spare.name} is drained (since " in said(prod, "status", code=0)
    assert "nothing to change" in prod.fridayctl("up", prod.stack).out
    stage.docker("node", "update", "--availability", "active", spare.name)
    until(stage.is_whole, "an edge on every host")


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
