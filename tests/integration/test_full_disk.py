"""The disk that holds the state is full: at the start of an update, or in the middle of it. Nothing may be lost."""

import json
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.slow]
DISK = "size=32m"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Give a stack whose state is on a small disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("a disk of its own needs root: mount")
    project = Project.create(Path(tmp_path_factory.mktemp("disk")))
    project.configure({"litellm": {"memoryMb": 640, "replicas": 1}, "rolloutPercentage": 10})
    state = project.root / ".state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(state)], check=True)
    try:
        project.fridayctl("up", project.stack)
        yield project
    finally:
        try:
            filling(project).unlink(missing_ok=True)
            project.remove()
        finally:
            subprocess.run(["umount", str(state)], check=True)


def filling(project: Project) -> Path:
    return project.root / ".state" / "filling"


def fill(project: Project) -> None:
    """Leave not a byte of the disk."""
    with filling(project).open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


@contextmanager
def kept_full(project: Project) -> Iterator[None]:
    """Keep the disk full for a while: what is removed meanwhile would make room for a write that is to fail."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.001):
            fill(project)

    filler = threading.Thread(target=go_on)
    fill(project)
    filler.start()
    try:
        yield
    finally:
        over.set()
        filler.join()


def iter_until(lines: Iterable[str], words: str) -> Iterator[str]:
    """Yield lines, the one that holds these words as the last."""
    for line in lines:
        yield line
        if words in line:
            return


def percentages(project: Project) -> list[int]:
    """Return the percentage of each update that the history has, the last first; without a fix's look at the host."""
    entries = json.loads(project.fridayctl("history", project.stack, "--json").out)
    return [entry["percentage"] for entry in entries if (entry["kind"], entry["result"]) == ("update", "succeeded")]


def test_an_update_that_finds_no_room_changes_nothing(stack: Project) -> None:
    before = {container.id for container in stack.everything()}
    stack.configure({"rolloutPercentage": 20})
    fill(stack)
    refused = stack.fridayctl("up", stack.stack, code=2)
    assert "no space left" in refused.err
    assert "fix: " in refused.err
    assert {container.id for container in stack.everything()} == before
    assert stack.chat(7).status == 200
    filling(stack).unlink()
    assert percentages(stack) == [10]
    stack.fridayctl("up", stack.stack)
    assert percentages(stack) == [20, 10]
    assert (stack.chat(17).path, stack.chat(20).path) == ("litellm", "direct")


def test_a_disk_that_fills_up_during_an_update_loses_neither_state_nor_service(stack: Project) -> None:
    stack.configure({"rolloutPercentage": 30})
    process = subprocess.Popen(
        ["./fridayctl", "up", stack.stack],
        cwd=stack.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = list(iter_until(process.stdout, "starting friday"))
    with kept_full(stack):
        said += process.stdout
        assert process.wait(timeout=120) == 1, "".join(said)
    assert "no space left" in "".join(said)
    assert stack.chat(7).status == 200
    filling(stack).unlink()
    stack.fridayctl("up", stack.stack)
    assert percentages(stack) == [30, 20, 10]
    assert (stack.chat(27).path, stack.chat(30).path) == ("litellm", "direct")
    assert "nothing to change" in stack.fridayctl("up", stack.stack).out
