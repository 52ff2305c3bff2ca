"""The words for a stack that is held, and for an update that failed."""

from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from ops.errors import OperationError
from ops.stacks import stacks


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
