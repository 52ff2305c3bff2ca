"""An image of a team's own in a Swarm of two hosts: its answers, what it runs once, and its end.

It ends at once at SIGTERM, and its role does not hear it. The tests stand in the order of the stack's life.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import docker
import pytest

from benchmarks.http_client import PERCENTAGE_HEADER
from benchmarks.load import errors
from benchmarks.load_during import chats_and_sockets
from testing import remote_project
from testing.meanwhile import timed, until
from testing.own_image import build_deaf
from testing.project import Project
from testing.rig import Rig
from testing.swarm_stack import SwarmStack

pytestmark = [pytest.mark.engine, pytest.mark.slow]

IMAGE = "friday-of-the-deaf:swarm"
DEAF_ROLE = ["sh", "-c", "trap '' TERM; while :; do sleep 0.2; done"]
MIGRATES = ["python3", "-c", "import socket; print(socket.create_connection(('database', 5432), 5).getpeername())"]
FAILS = ["sh", "-c", "echo the table users is locked >&2; exit 3"]
HANGS = ["sh", "-c", "echo waiting for a lock; sleep 600"]
PER_SECOND, SOCKETS = 5.0, 12


@pytest.fixture(scope="module")
def stage(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmStack]:
    """A stack without a gateway, which has no part in this, and a database on a network of the Swarm's own."""
    two = made.of(2)
    two.form_swarm()
    project = remote_project.create(tmp_path_factory.mktemp("swarm"), two)
    project.fridayctl("setup", seconds=1800)
    build_deaf(docker.from_env(), project.images()["friday"], IMAGE)
    friday = {
        **project.settings["friday"],
        "image": IMAGE,
        "probeClient": "python",
        "networks": ["database"],
        "roles": {"worker": {"command": DEAF_ROLE}},
        "migrate": {"command": MIGRATES, "seconds": 60},
    }
    friday["environment"] |= {"ENDS_AT_SIGTERM": "1"}
    project.configure({"friday": friday, "litellmEnabled": False, "litellm": {"replicas": 0}, "rolloutPercentage": 30})
    try:
        for host in two.hosts:
            host.load([IMAGE])
        project.fridayctl("images", "push", project.stack)
        api: Any = two.hosts[0].engine.api
        api.create_network("database", driver="overlay", attachable=True)
        server = {"Image": IMAGE, "Command": ["python3", "-m", "http.server", "5432"], "User": "node"}
        template = {"ContainerSpec": server, "Networks": [{"Target": "database"}]}
        api.create_service(template, name="database", endpoint_spec={"Mode": "dnsrr"})
        yield SwarmStack(two, project)
    finally:
        docker.from_env().images.remove(IMAGE, force=True)


@pytest.fixture
def prod(stage: SwarmStack) -> Project:
    return stage.project


def jobs(stage: SwarmStack) -> list[tuple[str, str, int]]:
    """Return host, state and exit code of each container that ran once."""
    return [
        (host.name, each.status, each.attrs["State"]["ExitCode"])
        for host in stage.made.hosts
        for each in host.engine.containers.list(all=True, filters={"label": "friday-litellm.job"})
    ]


def states(stage: SwarmStack, part: str) -> list[Any]:
    """Return the state of each container of a part's, of earlier tasks too."""
    return [
        each.attrs["State"]
        for host in stage.made.hosts
        for each in host.engine.containers.list(all=True, filters={"label": f"friday-litellm.part={part}"})
    ]


def test_a_migration_runs_once_on_the_first_host_and_reaches_the_swarms_network(stage: SwarmStack) -> None:
    first = stage.project.fridayctl("up", stage.project.stack)
    assert "5432)" in first.out
    assert jobs(stage) == [(stage.first.name, "exited", 0)]


def test_a_changed_percentage_loses_no_answer_though_the_image_ends_at_once(stage: SwarmStack, prod: Project) -> None:
    prod.configure({"rolloutPercentage": 31})
    said: list[str] = []
    change = partial(timed, lambda: said.append(prod.fridayctl("up", prod.stack).out))
    load, held = chats_and_sockets(prod.url, change, PER_SECOND, SOCKETS)
    assert errors(load.records) == {}
    assert {record.headers[PERCENTAGE_HEADER] for record in load.records} == {"30", "31"}
    assert (held.closed, held.refused) == (SOCKETS, 0)  # once each: they came back to the new replicas
    assert re.search(r"waiting for (\d+ requests? and )?\d+ web sockets? of 2 old replicas", said[0])
    # By the signal that the image knows, and not by force after the grace time.
    assert {each["ExitCode"] for each in states(stage, "friday") if not each["Running"]} == {0}
    assert jobs(stage) == [(stage.first.name, "exited", 0)]  # it had not to run again


def test_a_role_that_ignores_its_signal_never_runs_twice(stage: SwarmStack) -> None:
    """The percentage was changed, which it reads too. A Swarm waits for its end for a minute, and no longer."""
    before, now = sorted(states(stage, "worker"), key=lambda each: str(each["StartedAt"]))
    assert now["Running"]
    assert before["FinishedAt"] <= now["StartedAt"]  # both as the engine writes moments
    assert before["ExitCode"] == 128 + 9


def test_a_role_that_goes_may_ignore_its_signal(stage: SwarmStack, prod: Project) -> None:
    """The plugin waits for it no longer than its grace time, which is over before the Swarm kills it."""
    prod.configure({"friday": {**prod.settings["friday"], "roles": {}}})
    stage.bring_up()
    assert "worker" not in stage.services()
    until(lambda: not states(stage, "worker"), "the end of its container")


def test_a_migration_that_fails_or_hangs_changes_nothing(stage: SwarmStack, prod: Project) -> None:
    before = stage.running("friday")
    friday = prod.settings["friday"]
    with prod.configured(friday={**friday, "migrate": {"command": FAILS}}):
        failed = prod.fridayctl("up", prod.stack, code=1)
        assert "the migration failed with exit code 3" in failed.err
        assert "log   | the table users is locked" in failed.err
    with prod.configured(friday={**friday, "migrate": {"command": HANGS, "seconds": 3}}):
        hung = prod.fridayctl("up", prod.stack, code=1)
        assert "the migration did not end within 3 s" in hung.err
        assert "waiting for a lock" in hung.err
    assert stage.running("friday") == before
    assert jobs(stage) == [(stage.first.name, "exited", 0)]


def test_down_does_not_wait_for_what_ignores_its_signal(stage: SwarmStack, prod: Project) -> None:
    prod.fridayctl("verify", prod.stack)
    prod.fridayctl("down", prod.stack, "--yes")
    for host in stage.made.hosts:
        left = {str(each.name).split(".")[0] for each in host.engine.containers.list(all=True)}
        assert left <= {"database"}
        assert not [name for name in host.inventory()["volumes"] if name.startswith("friday-")]
    assert stage.docker("secret", "ls", "--quiet") == ""
