"""The lock of a killed update is freed; the lock of one that is going on is not."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import locks


class Stack:
    name = "t"

    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("stack", "host", "pid", "freed"),
    [
        ("t", socket.gethostname(), "dead", True),
        ("t", socket.gethostname(), "killed, and nobody has taken note", True),
        ("t", socket.gethostname(), "alive", False),
        ("t", "another-machine", "dead", False),
        ("other", socket.gethostname(), "dead", False),
    ],
)
def test_only_the_lock_of_a_dead_process_of_this_machine_is_freed(
    stack: str,
    host: str,
    pid: str,
    freed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    monkeypatch.setenv("FRIDAY_STATE_DIR", str(tmp_path))
    locks.note("t", "promote: 10 -> 50 %")
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "friday-litellm" / stack
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
    locks.note("t", "the second operator's, which will be refused")
    locked = Stack()
    assert locks.release_dead(locked) == ("promote: 10 -> 50 %" if freed else "")  # type: ignore[arg-type]
    assert locked.cancelled == int(freed)


def test_a_folder_that_cannot_be_written_is_named_with_where_to_make_room(state: Path) -> None:
    (state / "running").write_text("in the way")
    with pytest.raises(OperationError, match=r"/running cannot be written \(file exists\)") as caught:
        locks.note("t", "up: 10 %")
    assert caught.value.exit_code == EXIT_USAGE
    assert f"df -h {state}" in caught.value.mend
