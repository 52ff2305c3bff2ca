"""Copies of the state before each update, and what a state that was cut short becomes."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import backups


class World:
    """A stack t with a state in a file backend."""

    def __init__(self, folder: Path) -> None:
        self.name = "t"
        self.workspace = SimpleNamespace(project_settings=lambda: SimpleNamespace(name="p"))
        self.file = folder / ".pulumi" / "stacks" / "p" / "t.json"
        self.file.parent.mkdir(parents=True)
        self.copies = folder / "backups" / "t"
        self.exported: Any = SimpleNamespace(version=3, deployment=None)

    def export_stack(self) -> Any:
        return self.exported

    def write(self, number: int) -> None:
        self.file.write_text(state(number))

    def kept(self) -> list[int]:
        return [json.loads(path.read_text())["number"] for path in sorted(self.copies.glob("*.json"))]


def state(number: int) -> str:
    return json.dumps({"version": 3, "number": number, "checkpoint": {"stack": "t", "latest": {"resources": []}}})


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(tmp_path))
    return World(tmp_path)


def test_each_update_leaves_a_copy_and_the_last_ones_are_kept(stack: Any) -> None:
    for number in range(backups.KEPT + 3):
        stack.write(number)
        backups.keep(stack)
    assert stack.kept() == list(range(3, backups.KEPT + 3))
    assert {path.stat().st_mode & 0o777 for path in stack.copies.iterdir()} == {0o600}


def test_a_new_stack_has_nothing_to_keep(stack: Any) -> None:
    backups.keep(stack)
    assert not stack.copies.exists()
    assert backups.put_back(stack) == ""


def test_a_state_that_is_kept_elsewhere_is_copied_too(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    stack.exported = SimpleNamespace(version=3, deployment={"resources": []})
    backups.keep(stack)
    [copy] = stack.copies.glob("*.json")
    assert json.loads(copy.read_text()) == {"version": 3, "deployment": {"resources": []}}
    backups.require_sound(stack)
    assert backups.put_back(stack) == ""


@pytest.mark.parametrize("cut", ["", "\0" * 9, state(3)[:-20], state(3)[:1]])
def test_a_state_that_was_cut_short_is_told_and_the_newest_whole_copy_takes_its_place(stack: Any, cut: str) -> None:
    for number in (1, 2):
        stack.write(number)
        backups.keep(stack)
    broken = sorted(stack.copies.glob("*.json"))[-1].with_name("99991231T000000.000000Z.json")
    broken.write_text(state(9)[:-1])
    of_another_backend = broken.with_name("99991231T000000.000001Z.json")
    of_another_backend.write_text('{"version": 3, "deployment": {"resources": []}}')
    stack.file.write_text(cut)
    with pytest.raises(OperationError, match="was cut short") as caught:
        backups.require_sound(stack)
    assert caught.value.exit_code == EXIT_USAGE
    assert backups.put_back(stack) == sorted(stack.copies.glob("*.json"))[-3].name
    assert stack.file.read_text() == state(2)
    backups.require_sound(stack)
    assert backups.put_back(stack) == ""


@pytest.mark.parametrize(
    "content", ["[]", "{}", "7", '"x"', "null", '{"version": 3, "checkpoint": null}', '{"config": {}}']
)
def test_a_file_that_is_no_state_is_left_alone(stack: Any, content: str) -> None:
    """Pulumi takes some of these for a stack that has nothing yet, and would make everything anew."""
    stack.write(1)
    backups.keep(stack)
    stack.file.write_text(content)
    for check in (backups.require_sound, backups.put_back):
        with pytest.raises(OperationError, match=f"is no state of Pulumi: {stack.file}") as caught:
            check(stack)
        assert caught.value.exit_code == EXIT_USAGE
        assert str(stack.copies) in caught.value.fix
    assert stack.file.read_text() == content


@pytest.mark.parametrize("content", [state(1).replace("3", "4", 1), state(1).replace("[]", "7")])
def test_a_state_of_another_form_is_pulumis_to_judge(stack: Any, content: str) -> None:
    stack.file.write_text(content)
    backups.require_sound(stack)
    assert backups.put_back(stack) == ""
    refusal = OperationError("Pulumi cannot read it", "fix", EXIT_USAGE)
    stack.export_stack = lambda: raised(refusal)
    for check in (backups.require_sound, backups.put_back):
        with pytest.raises(OperationError) as caught:
            check(stack)
        assert caught.value is refusal
    assert stack.file.read_text() == content


def raised(error: Exception) -> None:
    raise error


def test_without_a_copy_the_message_says_where_pulumi_keeps_some(stack: Any) -> None:
    stack.file.write_text("{")
    with pytest.raises(OperationError, match="has no copy") as caught:
        backups.put_back(stack)
    assert str(stack.file.parents[2] / "backups") in caught.value.fix


def test_an_update_without_room_for_its_state_does_not_begin(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.write(1)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=1, f_frsize=4))
    with pytest.raises(OperationError, match="no space left") as caught:
        backups.keep(stack)
    assert caught.value.exit_code == EXIT_USAGE
    assert stack.kept() == []


def test_a_folder_that_cannot_be_written_is_named(stack: Any, tmp_path: Path) -> None:
    stack.write(1)
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(OperationError, match="cannot be written") as caught:
        backups.keep(stack)
    assert caught.value.exit_code == EXIT_USAGE
