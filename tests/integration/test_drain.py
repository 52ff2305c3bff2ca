"""A Friday of the team's own that ignores SIGTERM is replaced, and nobody's answer or web socket is lost."""

import re
from collections.abc import Iterator
from functools import partial

import pytest

from benchmarks.http_client import PERCENTAGE_HEADER
from benchmarks.load import errors
from benchmarks.load_during import chats_and_sockets
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


def test_a_changed_percentage_loses_no_answer_and_closes_web_sockets_when_successors_take_them(deaf: Project) -> None:
    old = {container.id for container in deaf.containers("friday")}
    deaf.configure({"rolloutPercentage": 31})
    said: list[str] = []
    change = partial(timed, lambda: said.append(deaf.fridayctl("up", deaf.stack).text))
    load, held = chats_and_sockets(deaf.url, change, PER_SECOND, SOCKETS)
    assert errors(load.records) == {}  # an answer that is cut is none
    assert {record.headers[PERCENTAGE_HEADER] for record in load.records} == {"30", "31"}
    assert (held.closed, held.refused) == (SOCKETS, 0)  # once each: they came back to what stays
    assert re.search(r"waiting for \d+ requests? and \d+ web sockets? of 2 old replicas", said[0])
    assert old.isdisjoint({container.id for container in deaf.containers("friday")})
    assert not any(slot.held for slot in slots(deaf))
    assert sum(slot.up for slot in slots(deaf)) == 2 * 2  # each replica, for requests and for web sockets


def test_what_an_update_that_was_killed_left_out_of_use_is_used_again(deaf: Project) -> None:
    held = "; ".join(edge_runtime.set_state(slot, "maint") for slot in slots(deaf) if slot.address)
    edge_runtime.ask(DockerHost(deaf.engine), deaf.stack, held)
    assert not any(slot.up for slot in slots(deaf))
    assert "nothing to change" in deaf.fridayctl("up", deaf.stack).out
    until(lambda: sum(slot.up for slot in slots(deaf)) == 2 * 2, "both replicas in use")
