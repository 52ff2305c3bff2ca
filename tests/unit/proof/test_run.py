"""A proof runs pytest as it is: what became of each test, what it wrote down, what is left when it is interrupted."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof import place, run
from proof.model import Fact, Level, Proof, State
from proof.run import Request, prove
from testing import rig
from testing.project import Project

CONFTEST = """
import os, pathlib, pytest
from testing.record import ENVIRONMENT, Recorder

@pytest.fixture(scope="session")
def record():
    return Recorder(pathlib.Path(os.environ[ENVIRONMENT]))
"""
TESTS = """
import subprocess, time, pytest
from testing.record import Record

def test_without_records(): assert False, "it is not part of the proof"

def test_good(record): record(Record(group="locks", name="a lock", tried=5, refused=5, seconds=1, figures={"x": 2}))

def test_bad(record):
    assert 1 == 2, "the lock is open"

def test_skipped(record): pytest.skip("no network here")

@pytest.mark.proof
def test_long(record): record(Record(group="locks", name="a soak", tried=7, seconds=1))
"""
HANGS = """
import pathlib, subprocess, time, pytest
from testing.record import Record

@pytest.fixture
def stack():
    yield
    pathlib.Path({removed!r}).touch()

def test_hangs(record, stack):
    pathlib.Path({left!r}).write_text(str(subprocess.Popen(["sleep", "600"]).pid))
    record(Record(group="locks", name="a lock", tried=5, seconds=1))
    time.sleep(600)

def test_after_it(record): pass
"""
QUICK = Request(("locks",), quick=True, command="./fridayctl prove --quick")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let the tests of a proof be those of a folder, which a test writes, and let nothing be asked of an engine."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    monkeypatch.setattr(run, "files", lambda _: [str(tmp_path / "test_it.py")])
    monkeypatch.setattr(run, "group_of", lambda _: "locks")
    monkeypatch.setattr(place, "facts", lambda: iter([Fact(name="friday-litellm", value="0123")]))
    monkeypatch.setattr(rig, "sweep", lambda: None)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take seconds to load, and have no part in this
    monkeypatch.setattr(run, "_STRAGGLER_SECONDS", 1.0)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield tmp_path
    assert list(folder.iterdir()) == [], "something was left behind"


def states(found: Proof) -> dict[str, State]:
    return {check.test.rpartition("::")[2]: check.state for check in found.checks}


def test_what_became_of_each_test_and_what_it_wrote_down(here: Path) -> None:
    (here / "test_it.py").write_text(TESTS)
    said = list[tuple[str, str]]()
    found = prove(QUICK, lambda label, text: said.append((label, text)))
    assert states(found) == {
        "test_good": State.PASSED,
        "test_bad": State.FAILED,
        "test_skipped": State.LEFT_OUT,
        "test_long": State.LEFT_OUT,
    }
    reasons = {check.title: check.reason for check in found.checks}
    assert "the lock is open" in reasons["bad"]
    assert reasons["skipped"] == "no network here"
    assert "--quick" in reasons["long"]
    assert ("locks", "a lock: 5 tried, 0 failed, 5 refused, 1.0 s, x 2.0") in said
    assert [(each.tried, each.refused) for each in found.chapters[0].records] == [(5, 5)]
    assert (found.level, found.problem, found.interrupted, found.commit) == (Level.FAILED, "", False, "0123")


def test_without_quick_what_takes_long_is_run_too(here: Path) -> None:
    (here / "test_it.py").write_text(TESTS)
    found = prove(Request(("locks",), quick=False, command=""), lambda *_: None)
    assert states(found)["test_long"] is State.PASSED
    assert found.tried == 12


def test_ctrl_c_lets_the_tests_take_down_what_they_made_and_keeps_what_was_found(here: Path) -> None:
    removed, left = here / "removed", here / "left"
    (here / "test_it.py").write_text(HANGS.format(removed=str(removed), left=str(left)))

    def interrupt(_: str, text: str) -> None:
        if text.startswith("a lock"):
            raise KeyboardInterrupt

    found = prove(QUICK, interrupt)
    assert (found.level, found.interrupted, found.problem) == (Level.INTERRUPTED, True, "")
    assert states(found)["test_after_it"] is State.CHOSEN
    assert found.tried == 5
    assert removed.exists()
    assert has_ended(int(left.read_text()))


def has_ended(pid: int) -> bool:
    """Return whether a process is gone within some seconds, or only waits for its parent to notice."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("text", "expected"), [("import nowhere", "nowhere"), ("def x(:", "invalid syntax")])
def test_a_file_that_cannot_be_read_is_a_failure(here: Path, text: str, expected: str) -> None:
    (here / "test_it.py").write_text(text)
    found = prove(QUICK, lambda *_: None)
    assert found.level is Level.FAILED
    assert "pytest ended with 2" in found.problem
    assert expected in found.checks[0].details


def test_a_run_without_tests_is_a_failure(here: Path) -> None:
    (here / "test_it.py").write_text("def test_without_records(): pass")
    found = prove(QUICK, lambda *_: None)
    assert (found.level, found.checks) == (Level.FAILED, [])
    assert "pytest ended with 5" in found.problem


def test_after_a_silence_the_running_test_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_SILENCE_SECONDS", 0.5)
    (here / "test_it.py").write_text("import time\ndef test_slow(record): time.sleep(2)")
    said = list[str]()
    prove(QUICK, lambda _, text: said.append(text))
    assert "0 of 1 checks have ended; now: slow" in said


def test_what_a_stack_left_on_the_engine_is_removed_by_its_name(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = list[str]()

    def remove(project: Project) -> int:
        removed.append(project.stack)
        return 3

    monkeypatch.setattr(Project, "remove", remove)
    made = "import pathlib\ndef test_it(record, tmp_path):\n    (tmp_path / 'checkout').mkdir()\n"
    (here / "test_it.py").write_text(f"{made}    (tmp_path / 'checkout' / 'Pulumi.t1a2b3c.yaml').touch()\n")
    said = list[str]()
    assert prove(QUICK, lambda _, text: said.append(text)).level is Level.PASSED
    assert removed == ["t1a2b3c"]
    assert "removed 3 things that the tests had left of their stack t1a2b3c" in said
