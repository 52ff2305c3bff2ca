"""Strays and leftovers on a host, and the words for a stack that is held or an update that failed."""

from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from rollout import stacks
from rollout.errors import OperationError
from rollout.hosts import DockerHost


class Thing:
    """A container or a network; it remembers that it was removed."""

    def __init__(self, name: str) -> None:
        self.id, self.name, self.gone = f"{name}-id", name, False

    def remove(self, **_: Any) -> None:
        self.gone = True


@pytest.fixture
def things() -> list[Thing]:
    return [Thing("friday-1"), Thing("friday-2"), Thing("app")]


@pytest.fixture
def host(things: list[Thing]) -> DockerHost:
    made = DockerHost.__new__(DockerHost)
    made._client = SimpleNamespace(  # type: ignore[assignment]
        containers=SimpleNamespace(list=lambda **_: things[:2]), networks=SimpleNamespace(list=lambda **_: things[2:])
    )
    return made


def test_only_what_the_state_does_not_know_is_a_stray(host: DockerHost, things: list[Thing]) -> None:
    assert host.remove_strays("t", {"friday-1-id"}) == ["friday-2"]
    assert [thing.gone for thing in things] == [False, True, False]


def test_leftovers_are_containers_and_networks(host: DockerHost, things: list[Thing]) -> None:
    assert host.remove_leftovers("t") == ["friday-1", "friday-2", "app"]
    assert all(thing.gone for thing in things)


def failing(error: Exception) -> Any:
    def fail(**_: Any) -> None:
        raise error

    return SimpleNamespace(name="t", up=fail, destroy=fail)


def command_error(kind: type[auto.CommandError], text: str) -> auto.CommandError:
    return kind(SimpleNamespace(code=1, stdout="", stderr=text))  # type: ignore[arg-type]


@pytest.mark.parametrize("operation", [lambda s: stacks.update(s, "why", print), lambda s: stacks.destroy(s, print)])
def test_a_held_stack_names_its_holder(operation: Any) -> None:
    held = command_error(auto.ConcurrentUpdateError, "x.json: created by ann@host (pid 7) at noon")
    with pytest.raises(OperationError, match="another update of t is going on") as caught:
        operation(failing(held))
    assert "created by ann@host (pid 7)" in caught.value.details


@pytest.mark.parametrize("operation", [lambda s: stacks.update(s, "why", print), lambda s: stacks.destroy(s, print)])
def test_a_failure_without_diagnostics_shows_the_last_lines(operation: Any) -> None:
    with pytest.raises(OperationError) as caught:
        operation(failing(command_error(auto.CommandError, "the disk is full")))
    assert "the disk is full" in caught.value.details
