"""A Friday of the team's own that ignores SIGTERM is replaced, and nobody's answer is lost, whatever came before."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from benchmarks.http_client import PERCENTAGE_HEADER
from benchmarks.load import errors
from benchmarks.load_during import LoadDuring, chats_and_sockets
from benchmarks.web_sockets import Held
from components import edge
from ops.hosts import edge_runtime
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_runtime import Slot
from testing.meanwhile import timed, until
from testing.own_image import build_deaf
from testing.project import Project

pytestmark = pytest.mark.engine

PER_SECOND, SOCKETS = 4.0, 12


@pytest.fixture(scope="module")
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack with a Friday that does not hear SIGTERM, and without a gateway, which has no part in it."""
    made = Project.create(tmp_path_factory.mktemp("drain"))
    made.fridayctl("setup", seconds=900)
    image = f"friday-of-the-deaf:{made.stack}"
    try:
        build_deaf(made.engine, made.images()["friday"], image)
        friday = {**made.settings["friday"], "image": image, "probeClient": "python", "stopGraceSeconds": 15}
        made.configure({"friday": friday, "litellmEnabled": False, "litellm": {"replicas": 0}, "rolloutPercentage": 30})
        made.fridayctl("up", made.stack)
        yield made
    finally:
        made.remove()
        made.engine.images.remove(image)


def slots(project: Project) -> list[Slot]:
    """Return the edge's slots for Friday's replicas."""
    (answer,) = edge_runtime.ask(DockerHost(project.engine), project.stack, edge_runtime.SHOW_SLOTS).values()
    return [slot for slot in edge_runtime.slots(answer) if slot.backend in (edge.FRIDAY, edge.WEB_SOCKETS)]


def chats_during(project: Project, action: Callable[[], object]) -> tuple[LoadDuring, Held]:
    """Let users chat and hold web sockets while something is done, and assert that nobody's answer is lost."""
    load, held = chats_and_sockets(project.url, partial(timed, action), PER_SECOND, SOCKETS)
    assert errors(load.records) == {}  # an answer that is cut is none
    assert held.refused == 0
    return load, held


def is_settled(project: Project) -> bool:
    """Return whether each of two replicas is in use, for requests and for web sockets, and no slot is held."""
    found = slots(project)
    return sum(slot.up for slot in found) == 2 * 2 and not any(slot.held for slot in found)


def prune(project: Project) -> None:
    """Remove what never runs, as `docker container prune` does: the containers of the files."""
    pruned = [each for each in project.everything() if each.status == "created"]
    assert pruned
    for each in pruned:
        each.remove()


def test_a_changed_percentage_after_a_prune_loses_no_answer_and_closes_web_sockets_in_turn(deaf: Project) -> None:
    prune(deaf)
    assert "its files are kept for the next replica" in deaf.fridayctl("verify", deaf.stack, code=1).out
    old, standing = ({each.id for each in deaf.containers(part)} for part in ("friday", "edge"))
    deaf.configure({"rolloutPercentage": 31})
    said: list[str] = []
    load, held = chats_during(deaf, lambda: said.append(deaf.fridayctl("up", deaf.stack).text))
    assert {record.headers[PERCENTAGE_HEADER] for record in load.records} == {"30", "31"}
    assert held.closed == SOCKETS  # once each: they came back to what stays
    assert re.search(r"waiting for \d+ requests? and \d+ web sockets? of 2 old replicas", said[0])
    assert old.isdisjoint({container.id for container in deaf.containers("friday")})
    assert standing == {container.id for container in deaf.containers("edge")}
    assert is_settled(deaf)


def test_drift_of_what_serves_is_brought_back_while_it_serves(deaf: Project) -> None:
    """And with it the files that were pruned before, of parts that the last update had no need to change."""
    first, second = deaf.containers("friday")
    never: Any = {"Name": "no"}
    for each in (first, second):
        each.update(mem_limit="300m", memswap_limit="300m", restart_policy=never)
    _, held = chats_during(deaf, lambda: deaf.fridayctl("drift", deaf.stack, "--fix"))
    assert held.closed == 0
    assert {first.id, second.id} == {each.id for each in deaf.containers("friday")}
    for each in (first, second):
        each.reload()
        assert each.attrs["HostConfig"]["Memory"] == 256 * 1024 * 1024
        assert each.attrs["HostConfig"]["RestartPolicy"]["Name"] == "always"
    deaf.fridayctl("verify", deaf.stack)


def test_an_update_that_is_killed_in_the_middle_of_a_drain_costs_nothing(deaf: Project) -> None:
    def killed_and_again() -> None:
        update = deaf.start("up", deaf.stack)
        try:
            until(lambda: update.poll() is not None or any(slot.held for slot in slots(deaf)), "the drain")
        finally:
            os.killpg(update.pid, signal.SIGKILL)
        update.communicate()
        assert any(slot.held for slot in slots(deaf))
        assert "which is in maintenance" in deaf.fridayctl("status", deaf.stack, code=1).out
        deaf.fridayctl("up", deaf.stack)

    deaf.configure({"rolloutPercentage": 32})
    load, _ = chats_during(deaf, killed_and_again)
    assert load.records[-1].headers[PERCENTAGE_HEADER] == "32"
    assert len(deaf.containers("friday")) == 2
    assert is_settled(deaf)


def test_what_an_update_that_was_killed_left_out_of_use_is_used_again(deaf: Project) -> None:
    held = "; ".join(edge_runtime.set_state(slot, "maint") for slot in slots(deaf) if slot.address)
    edge_runtime.ask(DockerHost(deaf.engine), deaf.stack, held)
    assert not any(slot.up for slot in slots(deaf))
    assert "nothing to change" in deaf.fridayctl("up", deaf.stack).out
    until(lambda: is_settled(deaf), "both replicas in use")
