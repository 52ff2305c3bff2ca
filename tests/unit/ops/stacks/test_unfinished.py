"""Containers that an update made and could not call healthy are made again, wherever the state is kept."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import pulumi_files, stacks

RESOURCES: list[dict[str, Any]] = [
    {"urn": "urn:broken", "id": "1", "type": "docker:index/container:Container", "initErrors": ["not healthy"]},
    {"urn": "urn:well", "id": "2", "type": "docker:index/container:Container"},
    {"urn": "urn:service", "id": "3", "type": "docker:index/service:Service", "initErrors": ["not converged"]},
]


class Stack:
    """A stack of a backend that is asked by command; it notes how it was updated."""

    name = "t"
    workspace = SimpleNamespace(project_settings=lambda: SimpleNamespace(name="friday-litellm"))

    def __init__(self, *resources: dict[str, Any]) -> None:
        self._resources = list(resources)
        self.replaced: list[str] = []

    def export_stack(self) -> SimpleNamespace:
        return SimpleNamespace(deployment={"resources": self._resources})

    def up(self, *, replace: list[str], **_: Any) -> SimpleNamespace:
        self.replaced = replace
        return SimpleNamespace(outputs={}, summary=SimpleNamespace(resource_changes={}))


@pytest.fixture(autouse=True)
def no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_files, "note", lambda *_: None)


def replaced(stack: Stack) -> list[str]:
    stacks.update(stack, "why", print)  # type: ignore[arg-type]
    return stack.replaced


def test_only_containers_that_were_not_finished_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    assert replaced(Stack(*RESOURCES)) == ["urn:broken"]


def test_a_local_state_is_read_without_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    state = tmp_path / ".pulumi/stacks/friday-litellm/t.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": RESOURCES}}}))
    assert replaced(Stack()) == ["urn:broken"]


def test_a_new_stack_has_nothing_to_make_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    state = tmp_path / ".pulumi/stacks/friday-litellm/t.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"version": 3, "checkpoint": {"latest": None}}))
    assert replaced(Stack()) == []


@pytest.mark.parametrize("resources", [7, [{"urn": "x"}], [{"urn": 1, "type": 2}]])
def test_resources_of_a_form_that_is_not_known_are_one_message(resources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    odd = SimpleNamespace(
        name="t",
        workspace=Stack.workspace,
        export_stack=lambda: SimpleNamespace(deployment={"resources": resources}),
    )
    with pytest.raises(OperationError, match="the state of t cannot be read") as caught:
        pulumi_files.resources(odd)  # type: ignore[arg-type]
    assert caught.value.exit_code == EXIT_USAGE
