"""Waiting for a stack that another update holds: said who does, bounded, and begun again from the start after it."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.commands.when_free import when_free
from ops.errors import EXIT_USAGE
from ops.stacks import pulumi_files
from ops.stacks.pulumi_files import HeldError
from tests.unit.ops.deployed import Played

HELD = HeldError("another update of t is going on", "wait", details="created by anna@ops1")


class Stack(Played):
    """A stack of a file backend; `when_said` is called at each line that is reported."""

    def __init__(self, backend: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[str] = []
        self.when_said: Callable[[], None] = lambda: None
        super().__init__(report=self.take)
        self.lock = backend / ".pulumi" / "locks" / "organization" / "friday-litellm" / "t" / "x.json"
        self.lock.parent.mkdir(parents=True)
        monkeypatch.setenv("PULUMI_BACKEND_URL", backend.as_uri())
        self.slept: list[float] = []
        monkeypatch.setattr("time.sleep", self.slept.append)

    def take(self, label: str, text: str) -> None:
        assert label == "lock"
        self.lines.append(text)
        self.when_said()

    def hold(self, **changes: Any) -> None:
        found = {"pid": os.getpid(), "hostname": socket.gethostname(), "username": "anna"}
        self.lock.write_text(json.dumps({**found, "timestamp": "2026-11-30T16:04:05.123456789+01:00", **changes}))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(tmp_path, monkeypatch)


def test_a_free_stack_is_not_waited_for(stack: Stack) -> None:
    assert when_free(stack, lambda: "done", 60, lambda: pytest.fail("waited")) == "done"
    assert (stack.lines, stack.slept) == ([], [])


def test_without_the_option_nothing_is_looked_at(stack: Stack) -> None:
    stack.hold()
    assert when_free(stack, lambda: "done", 0) == "done"
    assert stack.lines == []


def test_who_holds_it_is_said_and_then_all_begins_again(stack: Stack) -> None:
    stack.hold()
    stack.when_said = lambda: stack.lock.unlink(missing_ok=True)
    stack.given(history=["of before"], stack=object())
    again: list[str] = []
    found = when_free(stack, lambda: "history" in stack.__dict__, 60, lambda: again.append("closed"))
    assert (found, again) == (False, ["closed"])
    who = f"anna@{socket.gethostname()}, process {os.getpid()}, since 2026-11-30 15:04:05 UTC"
    assert stack.lines == [f"t is held by {who}; waiting for 60 s at most", "t is free after 0 s"]


def test_a_lock_of_a_dead_process_is_not_waited_for(stack: Stack) -> None:
    stack.hold(pid=2**22 + 1)
    assert when_free(stack, lambda: "done", 60) == "done"
    assert stack.lines == []


def test_another_machines_process_is_waited_for_and_given_up_in_time(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("time.sleep", sleep)
    stack.hold(hostname="another-machine", username="", timestamp="yesterday")
    with pytest.raises(HeldError) as caught:
        when_free(stack, lambda: pytest.fail("begun"), 40)
    assert caught.value.details == f"held by another-machine, process {os.getpid()}; waited for 40 s"
    assert "--wait" in caught.value.fix
    held = f"t is held by another-machine, process {os.getpid()}; waiting for"
    assert stack.lines == [f"{held} {left} s at most" for left in (40, 25, 10)]


def test_a_lock_that_only_pulumi_knows_lets_the_whole_begin_again(stack: Stack) -> None:
    attempts = [HELD, HELD, None]
    again: list[int] = []

    def operate() -> str:
        if error := attempts.pop(0):
            raise error
        return "done"

    assert when_free(stack, operate, 60, lambda: again.append(1)) == "done"
    assert (len(again), stack.slept) == (2, [10.0, 10.0])
    assert stack.lines[0].startswith("created by anna@ops1; trying again for ")


def test_a_lock_that_nobody_can_read_is_not_waited_for(stack: Stack) -> None:
    stack.lock.write_text("{")
    with pytest.raises(HeldError, match="somebody unknown") as caught:
        when_free(stack, lambda: pytest.fail("begun"), 60)
    assert caught.value.exit_code == EXIT_USAGE

    def operate() -> None:
        raise caught.value

    stack.lock.unlink()
    with pytest.raises(HeldError, match="somebody unknown"):
        when_free(stack, operate, 60)
    assert stack.slept == []


def test_a_state_that_is_no_file_seems_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    assert pulumi_files.holder("t") == ""


def test_the_end_of_the_wait_is_the_end(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def operate() -> None:
        monkeypatch.setattr("time.monotonic", lambda: 1e12)
        raise HELD

    with pytest.raises(HeldError, match="another update"):
        when_free(stack, operate, 60)
