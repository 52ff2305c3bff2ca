"""Jobs side by side: their order, the first error, and what becomes of the others."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain import process, together
from toolchain.errors import SetupError
from toolchain.together import Job

LONG = 60


def sleep() -> None:
    process.run(["sleep", str(LONG)], "sleeping", "wake up")


def test_each_begins_when_those_before_it_are_done() -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[], str]:
        return lambda: order.append(name) or name  # type: ignore[func-returns-value]

    jobs = {
        "last": Job(note("last"), ["middle", "first"]),
        "middle": Job(note("middle"), ["first"]),
        "first": Job(note("first"), ["made long ago"]),
    }
    done = together.run(jobs, 2)
    assert order == ["first", "middle", "last"]
    assert list(done.items()) == [(name, name) for name in jobs]


def test_what_needs_nothing_of_each_other_runs_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=20)
    together.run({"one": Job(meeting.wait), "other": Job(meeting.wait)}, 2)


def test_the_first_error_ends_the_others_and_what_has_not_begun() -> None:
    begun: list[str] = []

    def fail() -> None:
        raise SetupError("no network", "PyPI", "set HTTPS_PROXY")

    started = time.monotonic()
    jobs = {"long": Job(sleep), "bad": Job(fail), "later": Job(lambda: begun.append("later"), ["long"])}
    with pytest.raises(SetupError, match="no network"):
        together.run(jobs, 3)
    assert time.monotonic() - started < LONG
    assert begun == []
    process.run(["true"], "after it", "nothing is stopped any more")


def test_an_error_inside_a_job_of_jobs_is_the_one_that_is_raised() -> None:
    def inner() -> None:
        together.run({"long": Job(sleep), "bad": Job(lambda: process.run(["false"], "failing", "none"))}, 2)

    with pytest.raises(SetupError, match="failing failed with exit status 1"):
        together.run({"beside": Job(sleep), "inner": Job(inner)}, 2)


def test_what_has_to_come_to_its_end_does(tmp_path: Path) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"

    def install() -> None:
        script = f"touch {begun}; sleep 1; touch {ended}"
        process.run(["sh", "-c", script], "installing", "none", to_the_end=True)
        process.run(["touch", str(tmp_path / "next")], "the next step", "none")

    def fail() -> None:
        while not begun.exists():
            time.sleep(0.01)
        raise SetupError("no network", "PyPI", "set HTTPS_PROXY")

    with pytest.raises(SetupError, match="no network"):
        together.run({"install": Job(install), "bad": Job(fail)}, 2)
    assert ended.exists()


def test_a_command_that_does_not_listen_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process, "_END_SECONDS", 0.2)
    begun = tmp_path / "begun"
    script = (
        f"import signal,time,pathlib; signal.signal(signal.SIGINT, signal.SIG_IGN); pathlib.Path('{begun}').touch(); "
    )

    def deaf() -> None:
        process.run([sys.executable, "-c", f"{script} time.sleep({LONG})"], "not listening", "none")

    def fail() -> None:
        while not begun.exists():
            time.sleep(0.01)
        raise SetupError("no network", "PyPI", "set HTTPS_PROXY")

    with pytest.raises(SetupError, match="no network"):
        together.run({"deaf": Job(deaf), "bad": Job(fail)}, 2)


def test_ctrl_c_ends_everything() -> None:
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        sleep()

    with pytest.raises(KeyboardInterrupt):
        together.run({"long": Job(sleep), "user": Job(interrupt)}, 2)


def test_ctrl_c_reaches_a_command_that_runs_alone() -> None:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sleep()
    assert time.monotonic() - started < LONG


@pytest.mark.parametrize(("others_first", "nicer"), [(False, 0), (True, 10)])
def test_a_command_may_leave_the_processor_to_others(others_first: bool, nicer: int, tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = f"import os; open({str(said)!r}, 'w').write(str(os.nice(0)))"
    process.run([sys.executable, "-c", script], "saying how nice it is", "none", others_first=others_first)
    assert int(said.read_text()) == min(os.nice(0) + nicer, 19)


def test_who_leaves_the_processor_to_others_is_named_in_an_error() -> None:
    with pytest.raises(SetupError) as caught:
        process.run(["false"], "failing", "none", others_first=True)
    assert caught.value.where == "false"
