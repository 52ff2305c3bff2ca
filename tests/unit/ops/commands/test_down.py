"""Taking a stack down: what is in the way, and what is left over."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.commands import deploy
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.other_state import Made
from ops.hosts.swarm import SwarmManager
from ops.stacks import backups, pulumi_files, stacks
from ops.stacks.pulumi_files import HeldError
from tests.unit.given import LOCAL, settings
from tests.unit.ops.deployed import Played, PlayedHosts
from tests.unit.ops.played_update import Host


def take_down(
    monkeypatch: pytest.MonkeyPatch,
    *fails: OperationError,
    told: list[str] | None = None,
    made: Made | None = None,
    **friday: Any,
) -> tuple[int, list[str]]:
    """Take a stack down whose first attempts fail; return how many there were, and the first words of what was told."""
    left = list(fails)
    attempts: list[str] = []
    told = [] if told is None else told

    def destroy(stack: Any, _: Any) -> None:
        attempts.append(stack.name)
        if left:
            raise left.pop(0)

    deployment = Deployment("t", settings(friday={**LOCAL["friday"], **friday}), lambda _, text: told.append(text))
    deployment.__dict__["hosts"] = PlayedHosts(Host(set()))
    deployment.__dict__["made_by_another_state"] = lambda _: made
    monkeypatch.setattr(deploy, "resources", lambda _: [])
    monkeypatch.setattr(stacks, "open_stack", lambda name, **_: SimpleNamespace(name=name))
    monkeypatch.setattr(backups, "put_back", lambda _: "")
    monkeypatch.setattr(pulumi_files, "resources", lambda _: [])
    monkeypatch.setattr(pulumi_files, "release_dead", lambda _: "up: 10 %")
    monkeypatch.setattr(deploy, "destroy", destroy)
    try:
        deploy.take_down(deployment)
    except OperationError:
        told.append("failed")
    return len(attempts), [line.split()[0] for line in told]


def test_down_frees_a_dead_lock_and_tells_what_was_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert take_down(monkeypatch) == (1, ["the", "removed"])


def test_down_says_how_long_an_own_image_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    take_down(monkeypatch, told=told, image="friday-ai:1", stopGraceSeconds=45)
    assert "what ignores the stop signal is killed after its grace time, Friday after 45 s" in told


@pytest.mark.parametrize(
    "words",
    [
        "No such container: 1f",
        "timeout while waiting for state to become 'removed' (last state: 'pending')",
    ],
)
def test_down_removes_what_the_state_does_not_know_when_that_is_in_its_way(
    monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    stuck = OperationError("taking t down failed", "look", details=words)
    assert take_down(monkeypatch, stuck) == (2, ["the", *["removed"] * 2])


def test_down_leaves_everything_to_somebody_who_is_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    held = HeldError("another update of t is going on", "wait")
    assert take_down(monkeypatch, held) == (1, ["the", "failed"])


@pytest.mark.parametrize("is_held", [False, True])
def test_down_in_a_swarm_ends_the_tasks_unless_somebody_is_at_it(
    monkeypatch: pytest.MonkeyPatch, is_held: bool
) -> None:
    """Pulumi waits for a container of a service no longer than its grace time."""
    ended: list[str] = []

    class Manager(SwarmManager):
        def __init__(self) -> None:
            self.containers = self.guests = self.remove_leftovers = lambda _: []  # type: ignore[method-assign,assignment]

        def stop_tasks(self, stack: str) -> None:
            ended.append(stack)

    told: list[str] = []
    deployment = Played(lambda: settings(engine="swarm"), lambda _, text: told.append(text)).with_hosts(Manager())
    deployment.__dict__["stack"] = SimpleNamespace(name="t")
    monkeypatch.setattr(deploy, "resources", lambda _: [])
    monkeypatch.setattr(deploy, "is_locked", lambda _: is_held)
    monkeypatch.setattr(deploy, "destroy", lambda *_: ended.append("destroyed"))
    deploy.take_down(deployment)
    assert ended == (["destroyed"] if is_held else ["t", "destroyed"])


def test_down_of_what_another_state_has_made_says_whose_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    made = Made("edge, friday", dt.datetime(2026, 11, 30, 22, 5, tzinfo=dt.UTC), "anna@laptop")
    assert take_down(monkeypatch, told=told, made=made)[0] == 1
    whose = "edge, friday, since 2026-11-30 22:05 UTC, made by anna@laptop"
    assert f"another state has made what is removed: {whose}" in told


def test_down_of_a_stack_on_another_machine_removes_nothing_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(*_: Any) -> None:
        raise OperationError("t runs on old, and the stack file names new", "take it down there", EXIT_USAGE)

    monkeypatch.setattr(Deployment, "require_same_machine", moved)
    assert take_down(monkeypatch) == (0, ["the", "failed"])


def test_down_of_a_host_that_is_gone_names_the_command_that_forgets_it(tmp_path: Path) -> None:
    deployment = Deployment("t", settings(dockerHost=f"unix://{tmp_path / 'gone'}"), lambda *_: pytest.fail("went on"))
    with pytest.raises(OperationError) as caught:
        deploy.take_down(deployment)
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.fix.endswith("only if that machine never comes back: pulumi state delete --all --yes -s t")


def test_down_names_who_else_is_on_a_network_before_it_removes_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(set())
    host.met = [("friday-t-app", "postgres")]
    deployment = Deployment("t", settings(), lambda *_: pytest.fail("went on"))
    deployment.__dict__["hosts"] = PlayedHosts(host)
    monkeypatch.setattr(stacks, "open_stack", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(OperationError, match="postgres is on friday-t-app, and is not the stack's") as caught:
        deploy.take_down(deployment)
    assert caught.value.exit_code == EXIT_USAGE
    assert "docker network disconnect friday-t-app postgres" in caught.value.fix
    assert "friday.networks" in caught.value.fix
