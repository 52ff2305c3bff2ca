"""How replicas are taken out of use at the edge before they go, and what is done when that does not work."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from components.edge import MASTER
from ops.errors import OperationError
from ops.hosts import edge_drain
from ops.hosts.edge_drain import EdgeDrain, NotServedError
from tests.unit.ops.hosts.fake_edge import FakeEdge, FakeSlot

OLD, NEW = "172.18.0.2", "172.18.0.5"
NETWORK = "friday-t-app"


class Host:
    """A host with edges; before each answer of theirs the next of `happens` does something to them."""

    def __init__(self, *edges: FakeEdge, happens: list[Callable[[], object]] | None = None) -> None:
        self.edges = {f"edge-{number}": edge for number, edge in enumerate(edges)}
        self.running = {"friday-old": OLD, "friday-new": NEW}
        self.stopped: list[str] = []
        self._happens = happens or []

    def addresses(self, stack: str, part: str, network: str) -> dict[str, str]:
        assert (stack, part, network) == ("t", "friday", NETWORK)
        return self.running

    def stop(self, container: str, seconds: int) -> None:
        assert 1 <= seconds <= 10
        self.stopped.append(container)
        for edge in self.edges.values():
            for slot in edge.at(self.running[container]):
                slot.address = ""

    def run_in(self, stack: str, part: str, command: list[str], *, only: str = "") -> dict[str, str]:
        assert (stack, part) == ("t", "edge")
        if command[-1] == MASTER:
            return {name: edge.older() for name, edge in self.edges.items()}
        if self._happens:
            self._happens.pop(0)()
        return {name: edge.run(command[-1]) for name, edge in self.edges.items() if only in ("", name)}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_drain, "_EVERY_SECONDS", 0.001)
    monkeypatch.setattr(edge_drain, "_UP_SECONDS", 0.1)
    monkeypatch.setattr(edge_drain, "_GONE_SECONDS", 0.1)


def edge(*requests: str, sockets: tuple[str, ...] = ()) -> FakeEdge:
    return FakeEdge(
        FakeSlot("friday", "friday1", OLD, list(requests)),
        FakeSlot("friday", "friday2", NEW),
        FakeSlot("friday_ws", "friday1", NEW, ["0xnew"]),
        FakeSlot("friday_ws", "friday2", OLD, list(sockets)),
        FakeSlot("litellm", "litellm1", "172.19.0.2", held=True),
    )


def hand_over(host: Any, *staying: str, grace: int = 60) -> list[str]:
    said: list[str] = []
    asyncio.run(EdgeDrain(host, "t", said.append).hand_over(staying or ("friday-new",), NETWORK, grace))
    return said


def test_what_goes_gets_nothing_new_and_is_stopped_when_nothing_runs_there() -> None:
    made = edge("0xa")
    host = Host(made)

    def answered() -> None:
        assert [slot.held for slot in made.at(OLD)] == [True, True]
        assert host.stopped == []
        made.at(OLD)[0].sessions.clear()

    host._happens = [*[lambda: None] * 4, answered]
    said = hand_over(host)
    assert host._happens == []
    assert host.stopped == ["friday-old"]
    assert said == ["waiting for 1 request of 1 old replicas"]
    assert [slot.held for slot in made.slots] == [
        False,
        False,
        False,
        False,
        True,
    ]  # LiteLLM's slot is not its business


def test_requests_from_before_a_reload_of_the_edge_are_waited_for_too() -> None:
    made = edge()
    made.before = [{OLD: 2, NEW: 9}, {OLD: 1}]
    host = Host(made)
    assert hand_over(host) == ["waiting for 3 requests of 1 old replicas"]
    assert host.stopped == ["friday-old"]
    assert made.before == [{NEW: 6}, {}]


def test_web_sockets_of_what_goes_are_ended_a_few_at_a_time() -> None:
    made = edge(sockets=("0xa", "0xb", "0xc"))
    said = hand_over(Host(made))
    ended = [command for command in made.told if command.startswith("shutdown")]
    assert ended == ["shutdown session 0xa", "shutdown session 0xb", "shutdown session 0xc"]
    assert said == ["waiting for 3 web sockets of 1 old replicas"]


def test_web_sockets_that_cannot_be_ended_keep_no_others_turn() -> None:
    sockets = [f"0x{number}" for number in range(10)]
    made = edge(sockets=tuple(sockets))
    made.half_closed = set(sockets[:5])

    def ended() -> list[str]:
        return [command for command in made.told if command.startswith("shutdown")]

    def noticed() -> None:
        if len(ended()) >= len(sockets):  # then the edge gives those up too
            made.at(OLD)[1].sessions.clear()

    asyncio.run(EdgeDrain(Host(made), "t", lambda _: None, noticed).hand_over(("friday-new",), NETWORK, 60))  # type: ignore[arg-type]
    assert ended() == [f"shutdown session {each}" for each in sockets]


def test_each_edge_is_told_of_its_own_slots() -> None:
    other = FakeEdge(FakeSlot("friday", "friday1", NEW), FakeSlot("friday", "friday7", OLD))
    hand_over(Host(edge(), other))
    assert other.told == ["set server friday/friday7 state maint", "set server friday/friday7 state ready"]


def test_a_request_that_never_ends_is_cut_when_the_grace_time_is_over() -> None:
    host = Host(edge("0xa", sockets=("0xb",)))
    said = hand_over(host, grace=0)
    assert host.stopped == ["friday-old"]
    assert said == ["the grace time is over; stopping 1 old replicas with 1 request and 1 web socket"]


def test_without_anything_that_goes_all_slots_are_used_again() -> None:
    made = edge()
    made.slots[0].held = made.slots[2].held = True
    host = Host(made)
    hand_over(host, "friday-new", "friday-old")
    assert sorted(made.told) == ["set server friday/friday1 state ready", "set server friday_ws/friday1 state ready"]
    assert host.stopped == []


def test_nothing_is_removed_for_what_the_edge_sends_no_request_to() -> None:
    made = edge()
    made.at(NEW)[0].passed = False
    host = Host(made)
    with pytest.raises(NotServedError, match=r"sends no request to the new replicas .* old ones keep serving"):
        hand_over(host)
    assert host.stopped == made.told == []


def test_what_stays_is_used_again_when_a_killed_update_had_begun_to_empty_it() -> None:
    made = edge()
    for slot in made.at(NEW):
        slot.held = True
    host = Host(made)
    hand_over(host)
    assert host.stopped == ["friday-old"]
    assert [slot.name for slot in made.slots if slot.held] == ["litellm1"]


def test_one_of_two_successors_is_enough() -> None:
    host = Host(edge())
    host.running["friday-new-2"] = "172.18.0.6"
    assert hand_over(host, "friday-new", "friday-new-2") == [
        "the edge sends requests to 1 of 2 replicas only; going on with these"
    ]
    assert host.stopped == ["friday-old"]


def test_an_edge_that_says_nothing_is_looked_for_again() -> None:
    made = edge()
    host = Host(made)
    whole, made.slots = made.slots, []
    host._happens = [lambda: None, lambda: setattr(made, "slots", whole)]
    hand_over(host)
    assert host.stopped == ["friday-old"]


def test_without_an_edge_the_caller_is_told() -> None:
    with pytest.raises(OperationError, match="no edge answers") as caught:
        hand_over(Host())
    assert not isinstance(caught.value, NotServedError)


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_an_update_that_is_given_up_stops_nothing(looks: int) -> None:
    host: Any = Host(edge())
    left = iter(range(looks))

    def going_on() -> None:
        if next(left, None) is None:
            raise ConnectionError("the engine has ended")

    with pytest.raises(ConnectionError):
        asyncio.run(EdgeDrain(host, "t", print, going_on).hand_over(["friday-new"], NETWORK, 60))
    assert host.stopped == []
