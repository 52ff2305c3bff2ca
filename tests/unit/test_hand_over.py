"""When the program hands users over from the replicas that are to go, and what it does when that fails."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from docker.errors import APIError
from pulumi.runtime import MockResourceArgs

import program
from components.friday import SIGNAL_OF_NOTHING
from components.stack import FridayStack
from components.workload import Workload
from ops.errors import OperationError
from ops.hosts import hosts
from ops.hosts.edge_drain import EdgeDrain, NotServedError
from ops.hosts.swarm_drain import LEFT_TO_THE_SWARM, SwarmDrain
from tests.unit.declared import IMAGES, Recorder, record
from tests.unit.given import LOCAL, settings

OWN = {"friday": {**LOCAL["friday"], "image": "registry.example/friday:1", "replicas": 2}}


@pytest.mark.parametrize(
    ("changes", "preview", "handed"),
    [
        (OWN, False, True),
        (OWN, True, False),
        ({}, False, False),  # the reference Friday drains by itself
        # A role has no users: it must not be taken for the replicas that stay.
        ({"friday": {**OWN["friday"], "roles": {"worker": {"command": ["work"]}}}}, False, True),
    ],
)
def test_an_image_of_ones_own_is_handed_over_when_all_is_healthy(
    changes: dict[str, Any], preview: bool, handed: bool
) -> None:
    made: list[str] = []
    calls: list[tuple[str, list[str], bool]] = []

    class Noting(Recorder):
        def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
            made.append(args.name)
            return super().new_resource(args)

    async def hand_over(workload: Workload, part: pulumi.Resource, staying: list[str]) -> None:
        calls.append((workload.part, staying, "edge-1" in made))

    record(
        lambda: FridayStack("t", settings(**changes), IMAGES, hand_over=hand_over), recorder=Noting(), preview=preview
    )
    assert len(calls) == handed
    for part, staying, after_the_edge in calls:
        assert part == "friday"
        assert [name.rpartition("-")[0] for name in staying] == ["friday-t-friday-1", "friday-t-friday-2"]
        assert after_the_edge


def test_in_a_swarm_it_is_friday_alone_that_is_waited_for() -> None:
    """The Swarm has the old tasks leave as soon as Friday's new ones are healthy; a role may take a minute more."""
    calls: list[tuple[str, list[str]]] = []

    async def hand_over(workload: Workload, part: pulumi.Resource, staying: list[str]) -> None:
        calls.append((workload.part, staying))

    record(lambda: FridayStack("t", settings(**OWN, engine="swarm"), IMAGES, hand_over=hand_over))
    ((part, (name,)),) = calls
    assert (part, name.partition("@")[0]) == ("friday", "friday-t-friday")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Pulumi's log is given, by a program that is connected to an engine."""
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, resource: said.append(f"warning: {text}"))
    monkeypatch.setattr(pulumi.log, "info", lambda text, resource: said.append(text))
    monkeypatch.setattr(pulumi, "get_stack", lambda: "t")
    monkeypatch.setattr(hosts, "connect", lambda *_: SimpleNamespace(close=lambda: said.append("closed"), api=None))
    return said


def hand_over(monkeypatch: pytest.MonkeyPatch, outcome: Exception | None) -> None:
    async def drained(self: EdgeDrain, staying: list[str], network: str, grace_seconds: int) -> None:
        assert (staying, network, grace_seconds) == (["friday-new"], "friday-t-app", 60)
        self._say("waiting for 1 request of 1 old replicas")
        if outcome:
            raise outcome

    monkeypatch.setattr(EdgeDrain, "hand_over", drained)
    workload: Any = SimpleNamespace(stop_grace_seconds=60)
    part: Any = None
    asyncio.run(program.hand_over(settings(**OWN), workload, part, ["friday-new"]))


def test_progress_is_said_and_the_connection_closed(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over(monkeypatch, None)
    assert said == ["waiting for 1 request of 1 old replicas", "closed"]


@pytest.mark.parametrize("failure", [OperationError("connection lost", "look"), APIError("409: is not running")])
def test_a_failure_is_a_warning_and_the_update_goes_on(
    failure: Exception, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(monkeypatch, failure)
    assert said[1:] == [
        f"warning: the old replicas are not drained, their running requests may be cut: {failure}",
        "closed",
    ]


def test_what_would_leave_nobody_to_serve_ends_the_update(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pulumi.RunError, match=r"nobody would serve\n  fix: look"):
        hand_over(monkeypatch, NotServedError("nobody would serve", "look"))
    assert said[-1] == "closed"


@pytest.mark.parametrize(
    ("signal", "failure", "words"),
    [
        (SIGNAL_OF_NOTHING, None, ["finished within 60 s", "closed"]),
        (
            SIGNAL_OF_NOTHING,
            OperationError("connection lost", "look"),
            ["finished within 60 s", f"warning: {LEFT_TO_THE_SWARM}: connection lost", "closed"],
        ),
        ("SIGTERM", None, ["closed"]),  # it has heard that it is to end
    ],
)
def test_in_a_swarm_what_runs_on_is_ended(
    signal: str, failure: Exception | None, words: list[str], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def finish(self: SwarmDrain, grace_seconds: int) -> None:
        self.say(f"finished within {grace_seconds} s")
        if failure:
            raise failure

    monkeypatch.setattr(SwarmDrain, "finish", finish)
    workload: Any = SimpleNamespace(stop_grace_seconds=60, stop_signal=signal)
    part: Any = None
    asyncio.run(program.hand_over(settings(**OWN, engine="swarm"), workload, part, []))
    assert said == words
