"""Strays and leftovers on a host, and the words for a stack that is held or an update that failed."""

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import NotFound
from pulumi import automation as auto

from rollout import stacks
from rollout.errors import OperationError
from rollout.hosts import DockerHost


class Thing:
    """A container, a network or a volume; it remembers that it was removed."""

    def __init__(self, name: str) -> None:
        self.id, self.name, self.gone = f"{name}-id", name, False

    def remove(self, **_: Any) -> None:
        self.gone = True


@pytest.fixture
def things() -> list[Thing]:
    return [Thing("friday-1"), Thing("friday-2"), Thing("app"), Thing("data")]


@pytest.fixture
def host(things: list[Thing]) -> DockerHost:
    made = DockerHost.__new__(DockerHost)
    made._client = SimpleNamespace(  # type: ignore[assignment]
        containers=SimpleNamespace(list=lambda **_: things[:2]),
        networks=SimpleNamespace(list=lambda **_: things[2:3]),
        volumes=SimpleNamespace(list=lambda **_: things[3:]),
    )
    return made


def test_only_what_the_state_does_not_know_is_a_stray(host: DockerHost, things: list[Thing]) -> None:
    assert host.remove_strays("t", {"friday-1-id"}) == ["friday-2"]
    assert [thing.gone for thing in things] == [False, True, False, False]


def test_leftovers_are_containers_networks_and_volumes(host: DockerHost, things: list[Thing]) -> None:
    assert host.remove_leftovers("t") == ["friday-1", "friday-2", "app", "data"]
    assert all(thing.gone for thing in things)


def test_a_command_runs_in_every_container_of_a_part_that_is_still_there(host: DockerHost) -> None:
    def create(container: str, _: list[str]) -> dict[str, str]:
        if container == "gone":
            raise NotFound(container)
        return {"Id": f"in {container}"}

    wanted = ["friday-litellm.stack=t", "friday-litellm.part=edge"]
    listed = [{"Id": name, "Names": [f"/edge-{name}"]} for name in ("a", "gone", "b")]
    host._client.api = SimpleNamespace(  # type: ignore[assignment]
        containers=lambda filters: listed if filters == {"label": wanted} else [],
        exec_create=create,
        exec_start=lambda made: f"printed {made}\n\xff".encode("latin-1"),
    )
    assert host.run_in("t", "edge", ["true"]) == {f"edge-{name}": f"printed in {name}\n\ufffd" for name in "ab"}


def failing(error: Exception) -> Any:
    def fail(**_: Any) -> None:
        raise error

    state = SimpleNamespace(deployment={"resources": []})
    return SimpleNamespace(name="t", up=fail, destroy=fail, workspace=None, export_stack=lambda: state)


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
