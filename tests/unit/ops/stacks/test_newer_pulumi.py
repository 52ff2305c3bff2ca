"""A state that a newer Pulumi has written: who goes on with it, and who is refused before anything changes."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.checks.preflight import run
from ops.checks.report import State
from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.history import Verb
from ops.stacks import backups, pulumi_files, stacks
from toolchain import versions

SAME, NEWER = versions.PULUMI, "v99.1.0"
WORDS = f"the state of t was written by Pulumi 99.1.0, on 2026-11-30 22:05 UTC; this checkout has {versions.PULUMI}"


def latest(version: str) -> dict[str, Any]:
    return {"manifest": {"version": version, "time": "2026-11-30T22:05:01.123456789Z"}, "resources": []}


class Stack:
    """A stack that notes what was done to it; its state is in a file, or given by Pulumi."""

    name = "t"
    workspace = SimpleNamespace(project_settings=lambda: SimpleNamespace(name="friday-litellm"))

    def __init__(self, exported: dict[str, Any] | None = None) -> None:
        self.done: list[str] = []
        self._exported = exported

    def export_stack(self) -> SimpleNamespace:
        return SimpleNamespace(deployment=self._exported)

    def up(self, **_: Any) -> SimpleNamespace:
        self.done.append("up")
        return SimpleNamespace(outputs={}, summary=SimpleNamespace(resource_changes={}))

    def destroy(self, **_: Any) -> None:
        self.done.append("destroy")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_files, "note", lambda *_: True)
    monkeypatch.setattr(backups, "keep", lambda _: None)


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str, schema: int = 3) -> Any:
    monkeypatch.setenv("PULUMI_BACKEND_URL", folder.as_uri())
    state = folder / ".pulumi/stacks/friday-litellm/t.json"
    state.parent.mkdir(parents=True)
    more = {"features": ["of the future"]} if schema > 3 else {}
    state.write_text(json.dumps({"version": schema, **more, "checkpoint": {"latest": latest(version)}}))
    return Stack(latest(version))


@pytest.mark.parametrize("version", [SAME, f"v{SAME}", "3.1.0", "", SAME.rpartition(".")[0] + ".999"])
def test_a_state_of_this_checkouts_pulumi_or_an_older_one_is_updated(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = written(tmp_path, monkeypatch, version)
    stacks.update(stack, "up: 10 %", print)
    assert stack.done == ["up"]


@pytest.mark.parametrize("schema", [3, 4])
def test_an_older_pulumi_is_refused_with_both_ways_on(
    schema: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = written(tmp_path, monkeypatch, NEWER, schema)
    with pytest.raises(OperationError) as caught:
        stacks.update(stack, "up: 10 %", print)
    assert (caught.value.message, caught.value.exit_code) == (WORDS, EXIT_USAGE)
    assert "git pull, then ./fridayctl setup" in caught.value.fix
    assert "pulumi up -s t" in caught.value.fix
    assert stack.done == []


def test_a_state_elsewhere_is_asked_of_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    stack: Any = Stack(latest(NEWER))
    with pytest.raises(OperationError, match="written by Pulumi 99"):
        stacks.update(stack, "up: 10 %", print)
    assert stack.done == []
    for strange in ({}, {"manifest": 7}, None):
        stacks.update(Stack(strange), "up: 10 %", print)  # type: ignore[arg-type]


def test_going_back_and_down_are_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = written(tmp_path, monkeypatch, NEWER)
    stacks.update(stack, f"{Verb.ROLLBACK} level 1", print)
    stacks.destroy(stack, print)
    assert stack.done == ["up", "destroy"]


def test_a_state_that_only_the_newer_one_can_read_says_so_and_not_that_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = written(tmp_path, monkeypatch, NEWER, 4)
    message, fix = pulumi_files.unreadable(pulumi_files.state_file(stack.workspace, "t"), "t")
    assert message.startswith(WORDS)
    assert "git pull" in fix


@pytest.mark.parametrize(("version", "state"), [(SAME, State.OK), (NEWER, State.FAILED)])
def test_preflight_says_which_pulumi(
    version: str, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = written(tmp_path, monkeypatch, version)
    monkeypatch.setattr(run, "open_known", lambda _: stack)
    check = run._pulumi("t")
    assert (check.name, check.state) == ("pulumi", state)
    assert check.found == (WORDS if state is State.FAILED else versions.PULUMI)


def test_preflight_knows_nothing_of_a_stack_that_is_new_or_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "open_known", lambda _: None)
    assert run._pulumi("t").state is State.OK

    def broken(_: str) -> None:
        raise OperationError("the state of t cannot be opened", "look", EXIT_USAGE)

    monkeypatch.setattr(run, "open_known", broken)
    assert run._pulumi("t").state is State.SKIPPED
