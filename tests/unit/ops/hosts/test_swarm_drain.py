"""Old tasks in a Swarm end when no edge of any host needs them, and their web sockets are ended in turn."""

import asyncio
import re
from typing import Any

import pytest

from ops.errors import OperationError
from ops.hosts import swarm_drain
from ops.hosts.swarm import Leaving
from ops.hosts.swarm_drain import SwarmDrain

A, B, NEW = "10.0.1.5", "10.0.1.6", "10.0.1.9"
ONE = """0x7f01: [30/Nov/2026:11:26:24.062637] id=10160 proto=tcpv4 source=172.18.0.1:53506
  backend={backend} (id=7 mode=http) addr=172.18.0.6:59956
  server=friday6 (id=6) addr={address}:3000
"""


def session(id_: str, backend: str, address: str) -> str:
    return ONE.replace("0x7f01", id_).format(backend=backend, address=address)


class World:
    """A manager and its hosts: what is ended leaves, and what an edge is told to shut down is over."""

    def __init__(self, *sessions: str) -> None:
        self.tasks = [Leaving("c-a", A), Leaving("c-b", B)]
        self.sessions = list(sessions)
        self.done: list[str] = []
        self.looks = 0
        self.edges = 1
        self.edge_leaves = False
        self.half_closed = ""
        """A web socket that a command does not end."""
        self.answers_at = 0
        """At which look at the edges all requests are answered; 0: never."""

    def leaving(self, stack: str, part: str) -> list[Leaving]:
        assert (stack, part) == ("t", "friday")
        return list(self.tasks)

    def running(self, stack: str, part: str) -> int:
        assert (stack, part) == ("t", "edge")
        return self.edges

    def run_in(self, stack: str, part: str, command: list[str], *, only: str = "") -> dict[str, str]:
        assert (stack, part) == ("t", "edge")
        if only:
            told = command[-1].strip()
            self.done.append(told)
            ended = [word for word in re.findall(r"0x\w+", told) if word != self.half_closed]
            self.sessions = [each for each in self.sessions if each.partition(":")[0] not in ended]
            return {only: ""}
        self.looks += 1
        if self.looks == self.answers_at:
            self.sessions = [each for each in self.sessions if "friday_ws" in each]
        return {"edge-1": "leaving\n" * self.edge_leaves + "".join(self.sessions)}

    def end(self, container: str, seconds: int) -> None:
        self.done.append(f"end {container} {seconds}")
        self.tasks = [each for each in self.tasks if each.container != container]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm_drain, "_EVERY_SECONDS", 0.001)


def finish(world: World, grace: int = 60, hosts: Any = None, going_on: Any = lambda: None) -> list[str]:
    said: list[str] = []
    manager: Any = world
    reached: Any = hosts or (lambda: {"ssh://a": world})
    drain = SwarmDrain(manager, reached, "t", said.append, going_on)
    asyncio.run(drain.finish(grace))
    return said


def test_each_goes_when_nothing_runs_there_and_not_at_the_first_look() -> None:
    world = World(session("0x1", "friday", A), session("0x2", "friday", NEW), session("0x3", "litellm", B))

    def at_each_look() -> None:
        if "end c-b 10" in world.done and not world.answers_at:
            assert world.looks >= 2
            assert "end c-a 10" not in world.done
            world.answers_at = world.looks + 1

    said = finish(world, going_on=at_each_look)
    assert world.done == ["end c-b 10", "end c-a 10"]
    assert said == ["waiting for 1 request of 2 old replicas"]


def test_web_sockets_are_ended_in_turn() -> None:
    world = World(session("0x1", "friday_ws", A), session("0x2", "friday_ws", B), session("0x3", "friday_ws", NEW))
    said = finish(world)
    assert world.done[:2] == ["shutdown session 0x1", "shutdown session 0x2"]
    assert sorted(world.done[2:]) == ["end c-a 10", "end c-b 10"]
    assert said == ["waiting for 2 web sockets of 2 old replicas"]
    assert len(world.sessions) == 1


def test_one_that_a_command_does_not_end_keeps_no_others_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm_drain, "sockets_a_second", lambda *_: 1.0)
    world = World(*(session(f"0x{number}", "friday_ws", A) for number in range(4)))
    world.half_closed = "0x0"

    def noticed() -> None:
        if len([each for each in world.done if "shutdown" in each]) == 4:
            world.sessions = []

    finish(world, going_on=noticed)
    ended = [f"shutdown session 0x{number}" for number in range(4)]
    assert [each for each in world.done if "shutdown" in each] == ended


def test_where_an_edge_does_not_say_what_runs_nothing_is_ended() -> None:
    """Its users' requests would be cut. It may be on a host that the settings do not name."""
    world = World()
    world.edges = 2
    with pytest.raises(OperationError, match="1 of 2 edges say what runs there"):
        finish(world)
    assert world.done == []


def test_an_edge_that_leaves_stands_in_for_no_other() -> None:
    world = World()
    world.edge_leaves = True
    with pytest.raises(OperationError, match="0 of 1 edges say what runs there"):
        finish(world)


def test_what_an_edge_that_leaves_has_to_finish_is_waited_for() -> None:
    world = World(session("0x1", "friday", A), session("0x2", "friday_ws", B))
    world.edge_leaves, world.edges = True, 0

    def at_each_look() -> None:
        if "end c-b 10" in world.done and not world.answers_at:
            world.answers_at = world.looks + 1

    finish(world, going_on=at_each_look)
    assert world.done == ["shutdown session 0x2", "end c-b 10", "end c-a 10"]


def test_what_needs_longer_is_left_to_the_swarm() -> None:
    world = World(session("0x1", "friday", A))
    finish(world, grace=0)
    assert world.done == []


def test_without_an_old_task_no_host_is_asked() -> None:
    world = World()
    world.tasks = []

    def nobody() -> Any:
        raise AssertionError("asked")

    assert finish(world, hosts=nobody) == []


def test_one_that_ends_by_itself_is_not_ended() -> None:
    world = World()

    def ended() -> None:
        world.tasks = []

    finish(world, going_on=ended)
    assert not [each for each in world.done if each.startswith("end c")]


def test_an_update_that_was_given_up_ends_nothing() -> None:
    def given_up() -> None:
        raise OperationError("the engine is gone", "")

    world = World()
    with pytest.raises(OperationError, match="the engine is gone"):
        finish(world, going_on=given_up)
    assert world.done == []
