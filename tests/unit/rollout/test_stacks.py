"""The lock of a killed update is freed; the lock of one that is going on is not."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from rollout.stacks import release_dead_lock


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
        ("t", socket.gethostname(), "alive", False),
        ("t", "another-machine", "dead", False),
        ("other", socket.gethostname(), "dead", False),
    ],
)
def test_only_the_lock_of_a_dead_process_of_this_machine_is_freed(
    stack: str, host: str, pid: str, freed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "friday-litellm" / stack
    folder.mkdir(parents=True)
    number = dead_pid() if pid == "dead" else os.getpid()
    (folder / "x.json").write_text(json.dumps({"pid": number, "hostname": host, "username": "u"}))
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    locked = Stack()
    assert release_dead_lock(locked) is freed  # type: ignore[arg-type]
    assert locked.cancelled == int(freed)
