"""The lock of a killed update is freed; the lock of one that is going on is not."""

import json
import os
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import pulumi_files
from ops.stacks.pulumi_files import HeldError


class Stack:
    name = "t"
    workspace = SimpleNamespace(project_settings=lambda: SimpleNamespace(name="friday-litellm"))

    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("held", "host", "pid", "freed"),
    [
        ("friday-litellm/t", socket.gethostname(), "dead", True),
        ("friday-litellm/t", socket.gethostname(), "killed, and nobody has taken note", True),
        ("friday-litellm/t", socket.gethostname(), "alive", False),
        ("friday-litellm/t", "another-machine", "dead", False),
        ("friday-litellm/other", socket.gethostname(), "dead", False),
        ("another-project/t", socket.gethostname(), "dead", False),
    ],
)
def test_only_the_lock_of_a_dead_process_of_this_machine_is_freed(
    held: str,
    host: str,
    pid: str,
    freed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(tmp_path))
    locked = Stack()
    assert pulumi_files.note(locked, "promote: 10 -> 50 %")  # type: ignore[arg-type]
    folder = tmp_path / ".pulumi" / "locks" / "organization" / held
    folder.mkdir(parents=True)
    if pid.startswith("killed"):
        zombie = subprocess.Popen(["sleep", "60"])
        zombie.kill()
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        request.addfinalizer(zombie.wait)
        number = zombie.pid
    else:
        number = dead_pid() if pid == "dead" else os.getpid()
    (folder / "x.json").write_text(json.dumps({"pid": number, "hostname": host, "username": "u"}))
    ours = held == "friday-litellm/t"
    assert pulumi_files.note(locked, "promote: 10 -> 50 %") != ours  # type: ignore[arg-type]
    assert pulumi_files.release_dead(locked) == ("promote: 10 -> 50 %" if freed else "")  # type: ignore[arg-type]
    assert locked.cancelled == int(freed)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"pid": 12, "host',
        b"\xff\x00",
        b"[]",
        b"{}",
        b'{"pid": 0, "hostname": ""}',
        b'{"pid": "x", "hostname": "h"}',
        b'{"pid": 2147483648, "hostname": "h"}',
    ],
)
def test_a_lock_that_cannot_be_read_is_held_by_somebody_unknown(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    lock = tmp_path / ".pulumi" / "locks" / "organization" / "friday-litellm" / "t" / "x.json"
    lock.parent.mkdir(parents=True)
    lock.write_bytes(content)
    stack = Stack()
    assert pulumi_files.is_locked(stack)  # type: ignore[arg-type]
    with pytest.raises(HeldError, match=f"somebody unknown.*: {lock}$") as caught:
        pulumi_files.release_dead(stack)  # type: ignore[arg-type]
    assert caught.value.exit_code == EXIT_USAGE
    assert "pulumi cancel -s t" in caught.value.fix
    assert (stack.cancelled, lock.read_bytes()) == (0, content)


def test_a_folder_that_cannot_be_written_is_named_with_where_to_make_room(state: Path) -> None:
    (state / "running").write_text("in the way")
    with pytest.raises(OperationError, match=r"/running cannot be written \(file exists\)") as caught:
        pulumi_files.note(Stack(), "up: 10 %")  # type: ignore[arg-type]
    assert caught.value.exit_code == EXIT_USAGE
    assert f"df -h {state}" in caught.value.fix


def test_a_lock_of_no_moment_that_there_is_is_shown_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    lock = tmp_path / ".pulumi" / "locks" / "organization" / "friday-litellm" / "t" / "x.json"
    lock.parent.mkdir(parents=True)
    lock.write_text('{"pid": 12, "hostname": "elsewhere", "timestamp": "0001-01-01T00:00:00+14:00"}')
    assert pulumi_files.holder("t") == "elsewhere, process 12"
