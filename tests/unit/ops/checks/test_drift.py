"""What counts as drift, and its words."""

import json
from typing import Any

import pytest
from pulumi.automation.events import OpType

from cli.main import main
from components.connection import PROVIDER
from ops.checks import drift
from ops.checks.drift import Drift, Recorded
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.swarm import SwarmManager
from ops.stacks import recorded_connection
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.drifted import FRIDAY, STATE, Host, Seen, Stack, step


class Swarm(SwarmManager):
    def __init__(self) -> None:
        """Know the services without a client."""

    def services(self, stack: str) -> list[dict[str, Any]]:
        return [{"ID": id_, "Spec": {"Name": f"friday-{stack}-{id_}"}} for id_ in ("known", "odd")]


def find(stack: Stack, *seen: Seen) -> list[Drift]:
    return drift.find(Played().with_hosts(Host(*seen)).given(stack=stack))


WELL = [Seen(FRIDAY), Seen("redis-1"), Seen("friday-files-01234567", "created", ())]


def test_a_host_as_it_was_left_has_no_drift() -> None:
    same = step(OpType.SAME, FRIDAY)
    assert find(Stack(same), *WELL) == []


def test_a_stopped_container_is_told_and_kept_from_the_provider_that_would_remove_it() -> None:
    stack = Stack()
    found = find(stack, Seen(FRIDAY, "exited"), *WELL[1:])
    assert found == [Drift("stopped", FRIDAY, "exited, exit code 137")]
    assert stack.excluded == [FRIDAY]


def test_a_paused_container_is_read_like_a_running_one() -> None:
    stack = Stack()
    assert find(stack, Seen(FRIDAY, "paused"), *WELL[1:]) == [Drift("paused", FRIDAY)]
    assert stack.excluded == []


def test_a_container_that_the_state_does_not_know_is_told() -> None:
    (found,) = find(Stack(), *WELL, Seen("odd"))
    assert (found.kind, found.name) == ("unknown", "friday-t-odd")


def test_the_host_is_read_in_the_operators_own_way_and_that_is_no_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_connection, "read_settings", lambda _: settings())
    provider = {"urn": "urn:p::docker", "type": PROVIDER, "inputs": {"host": settings().docker_host}}
    stack = Stack(state=[*STATE, provider])
    assert find(stack, *WELL) == []
    assert stack.program is None
    provider["inputs"] = {"host": settings().docker_host, "sshOpts": "[]"}
    stack = Stack(
        step(OpType.UPDATE, "docker", {"sshOpts": "[]"}, {"sshOpts": ""}, kind=PROVIDER), state=[*STATE, provider]
    )
    assert find(stack, *WELL) == []
    assert stack.program is not None


def test_a_stack_on_another_machine_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played().with_hosts(Host()).given(stack=Stack(fails=True))

    def refuse(_: Any) -> None:
        raise OperationError("another machine", "down", EXIT_USAGE)

    monkeypatch.setattr(played, "require_same_machine", refuse)
    with pytest.raises(OperationError, match="another machine"):
        drift.find(played)


def test_networks_are_compared_with_what_was_declared() -> None:
    found = find(Stack(), Seen(FRIDAY, networks=("friday-t-gateway",)), *WELL[1:])
    assert [each.words for each in found] == [
        "is not on the network friday-t-app",
        "is on the network friday-t-gateway",
    ]


def test_what_pulumi_reads_is_put_into_words() -> None:
    steps = [
        step(OpType.DELETE, "network-app"),
        step(OpType.UPDATE, "redis-1", {"memory": 64, "restart": "no"}, {"memory": 300, "restart": "no"}),
        step(
            OpType.UPDATE,
            "edge",
            {"taskSpec": {"env": {"KEY": "secret"}, "ports": [{"external": 80}]}, "mode": {}},
            {"taskSpec": {"env": {"KEY": "other"}, "ports": [{"external": 81}]}, "mode": {"global": True}},
            changed=("taskSpec.env.KEY", "taskSpec.ports[0].external", "mode.global", "mode.x.y", "taskSpec.ports[7]"),
        ),
    ]
    assert find(Stack(*steps), *WELL) == [
        Drift("removed", "network-app"),
        Drift("changed", "redis-1", "memory is 300, was 64"),
        Drift("changed", "edge", "taskSpec.env.KEY"),
        Drift("changed", "edge", "taskSpec.ports[0].external is 81, was 80"),
        Drift("changed", "edge", "mode.global"),
        Drift("changed", "edge", "mode.x.y"),
        Drift("changed", "edge", "taskSpec.ports[7]"),
    ]


def test_a_stack_that_is_not_deployed_has_nothing_to_compare() -> None:
    with pytest.raises(OperationError, match="t is not deployed") as caught:
        find(Stack(state=[]))
    assert caught.value.exit_code == EXIT_USAGE


def test_a_host_that_cannot_be_read_is_told_in_pulumis_words() -> None:
    with pytest.raises(OperationError, match="cannot be read") as caught:
        find(Stack(fails=True), *WELL)
    assert caught.value.details == "the daemon is gone"


def test_a_service_of_a_swarm_that_the_state_does_not_know_is_drift() -> None:
    state = [{"urn": "a::friday", "type": "docker:index/service:Service", "id": "known"}]
    (found,) = drift.find(Played().with_hosts(Swarm()).given(stack=Stack(state=state)))
    assert (found.kind, found.name) == ("unknown", "friday-t-odd")


def test_recorded_reads_an_exported_state() -> None:
    first, *_, last = drift.recorded({"resources": STATE})
    assert (first.name, first.runs, last.name, last.runs) == (FRIDAY, True, "t", False)
    assert drift.recorded({}) == []
    assert not Recorded("a::b", "docker:index/network:Network", "x", {"mustRun": True}).runs


def test_the_command_says_what_differs_and_what_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Played().given(stack=Stack()).everywhere(monkeypatch)
    monkeypatch.setattr(drift, "find", lambda _: [Drift("removed", "network-app"), Drift("changed", "x", "a is b")])
    assert main(["drift", "t"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "t: not as the last update left it",
        "  removed   network-app",
        "  changed   x: a is b",
        "next: ./fridayctl drift t --fix",
    ]
    assert main(["drift", "t", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["drift"][0] == {"kind": "removed", "name": "network-app", "words": ""}
