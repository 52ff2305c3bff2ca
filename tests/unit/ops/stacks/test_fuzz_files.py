"""States, histories and locks with something wrong in them: read, or one OperationError; and nothing is changed.

`recorded.json` holds a state and an entry of a history as a stack's backend had them, with fewer resources.
"""

import datetime as dt
import json
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from components.connection import is_as_recorded
from ops.errors import EXIT_USAGE, OperationError
from ops.rollout import history
from ops.rollout.steps import position_of
from ops.stacks import backups, docker_plugin, pulumi_files, recorded_connection
from ops.stacks.stacks import read_history
from tests.unit.given import settings
from tests.unit.mutated import EACH_TIME_AND_MANY, damaged, fuzzed, mutated
from tests.unit.ops.stacks.test_pulumi_locks import dead_pid

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text(encoding="utf-8"))
STATE, ENTRY = RECORDED["state"], RECORDED["history"]
PROJECT = "friday-litellm"


class Stack:
    """A stack of the backend in a folder; Pulumi itself refuses what it is asked."""

    name = "t"
    workspace = SimpleNamespace(project_settings=lambda: SimpleNamespace(name=PROJECT))

    def __init__(self, said: str = "") -> None:
        self.cancelled = 0
        self._said = said

    def cancel(self) -> None:
        self.cancelled += 1

    def export_stack(self) -> Any:
        raise auto.CommandError(auto.CommandResult("", "error: could not deserialize deployment", 255))

    def _run_pulumi_cmd_sync(self, _: list[str]) -> Any:
        return SimpleNamespace(stdout=self._said)

    history = auto.Stack.history


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(tmp_path))
    return tmp_path / ".pulumi"


def written(folder: Path) -> dict[str, bytes]:
    """Return what the files below a folder hold."""
    return {str(each): each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()}


def refusals(of: Path, *questions: Callable[[], object]) -> int:
    """Ask everything; return how often that was refused, in words and with exit code 2, and see that files stay."""
    before, refused = written(of), 0
    for question in questions:
        try:
            question()
        except OperationError as error:
            assert error.exit_code == EXIT_USAGE
            assert error.render()
            refused += 1
        assert written(of) == before
    return refused


@EACH_TIME_AND_MANY
def test_a_state_is_read_or_refused_in_words(many: int, backend: Path) -> None:
    stack: Any = Stack()
    path = backend / "stacks" / PROJECT / "t.json"
    path.parent.mkdir(parents=True)
    refused, chosen = 0, settings()

    def read() -> None:
        found = pulumi_files.resources(stack)
        recorded_connection.address(found)
        docker_plugin.other(found)
        docker_plugin.refusal("t", found)
        provider = recorded_connection._provider(found)
        is_as_recorded(chosen, provider.inputs if provider else {})

    def check(content: bytes) -> None:
        nonlocal refused
        path.write_bytes(content)
        refused += refusals(
            backend,
            lambda: pulumi_files.damage(path),
            lambda: pulumi_files.local_outputs(stack.workspace, "t"),
            read,
            lambda: backups.require_sound(stack),
            lambda: backups.put_back(stack),
        )

    fuzzed(check, damaged(mutated(STATE).map(json.dumps)), many)
    assert refused > many / 10


@EACH_TIME_AND_MANY
def test_a_history_is_read_or_refused_in_words(many: int, backend: Path) -> None:
    folder = backend / "history" / PROJECT / "t"
    folder.mkdir(parents=True)
    refused, moment = 0, dt.datetime(2026, 11, 30, tzinfo=dt.UTC)

    def read(stack: Any) -> None:
        entries = read_history(stack)
        for computed in (history.deployed, history.since, history.step_before, history.pause, history.good_targets):
            computed(entries)
        history.exchanges(entries, moment)
        history.ratings_between(entries, moment, moment)
        position_of(entries, settings().rollout, moment)
        for each in entries:
            assert isinstance(each.percentage, int)
            assert isinstance(each.images, dict)
            history.replicas_of(each.config, "litellm", 2)

    def check(content: bytes) -> None:
        nonlocal refused
        (folder / "t-1.history.json").write_bytes(content)
        stack: Any = Stack(content.decode("utf-8", "replace"))
        refused += refusals(backend, lambda: pulumi_files.history_in_doubt(stack), lambda: read(stack))

    fuzzed(check, damaged(mutated(SAID).map(json.dumps)), many)
    assert refused > many / 10


def _as_pulumi_says(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry as `pulumi stack history --json` shows what the backend keeps."""
    config = {
        key: {"secret": False, "value": value if isinstance(value, str) else json.dumps(value)}
        for key, value in entry["config"].items()
    }
    hidden = {"friday-litellm:gatewayKey": {"secret": True}}
    times = {"startTime": "2026-11-29T10:00:00.000Z", "endTime": "2026-11-29T10:00:43.000Z"}
    return {**entry, **times, "config": {**config, **hidden}}


SAID = [_as_pulumi_says({**ENTRY, "message": message}) for message in ("promote: 10 -> 50 %", "pause: why", "up: 10 %")]


@EACH_TIME_AND_MANY
def test_a_lock_is_freed_only_when_it_says_that_its_process_is_gone(many: int, backend: Path) -> None:
    folder = backend / "locks" / "organization" / PROJECT / "t"
    folder.mkdir(parents=True)
    lock = {"pid": dead_pid(), "username": "u", "hostname": socket.gethostname(), "timestamp": "2026-11-30T10:00:00Z"}
    refused, freed = 0, 0

    def check(content: bytes) -> None:
        nonlocal refused, freed
        (folder / "x.json").write_bytes(content)
        stack: Any = Stack()
        refused += refusals(
            backend,
            lambda: pulumi_files.is_locked(stack),
            lambda: pulumi_files.note(stack, "up: 10 %"),
            lambda: pulumi_files.holder("t"),
            lambda: pulumi_files.release_dead(stack),
        )
        freed += stack.cancelled
        if stack.cancelled:
            said = json.loads(content)
            assert (said["hostname"], Path(f"/proc/{int(said['pid'])}").exists()) == (lock["hostname"], False)

    fuzzed(check, damaged(mutated(lock).map(json.dumps)), many)
    assert refused > many / 10
    assert freed > many / 100
