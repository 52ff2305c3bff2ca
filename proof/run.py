"""Runs the tests of a proof, reports as they go on, and leaves nothing of them behind, however they end."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ops.progress import Report
from proof import place, plugin
from proof.model import Check, Proof, State, chapters
from proof.selection import files, group_of
from testing import record, rig
from testing.project import Project
from testing.record import Group, Record
from toolchain.paths import ROOT

_POLL_SECONDS: Final = 0.3
_SILENCE_SECONDS: Final = 15.0
"""After how long without a word the running test is named."""
_END_SECONDS: Final = 300.0
"""What pytest has for taking its stacks down when it is interrupted."""
_STRAGGLER_SECONDS: Final = 30.0
_PYTEST_SAYS_OK: Final = (0, 1)
"""All passed, or some failed; else it was interrupted, or could not run them."""
_LAST_LINES: Final = 15


@dataclass(frozen=True)
class Request:
    """Which groups to try, and whether to leave out the tests that take long."""

    groups: tuple[Group, ...]
    quick: bool
    command: str
    """What the user ran, to run again."""


def prove(request: Request, report: Report) -> Proof:
    """Run the tests and return what they found.

    Ctrl-C ends them early, and what was found until then is returned. Raises OSError when nothing can be written
    below the folder for temporary files, and ImageError when an image does not say what is in it.
    """
    began, clock = datetime.now(UTC), time.monotonic()
    facts = tuple(place.facts())
    report("proof", f"trying {', '.join(request.groups)}, on stacks of its own")
    with _folder(report) as folder:
        watched = _Watched(folder, report)
        code, interrupted = _run(request, watched, report)
        problem = "" if interrupted or code in _PYTEST_SAYS_OK else _last_words(code, watched.said)
        checks = watched.checks
    return Proof(
        commit=facts[0].value,
        began=began,
        seconds=time.monotonic() - clock,
        command=request.command,
        interrupted=interrupted,
        problem=problem,
        chapters=tuple(chapters(request.groups, _by_group(checks), watched.records)),
        facts=facts,
    )


class _Watched:
    """What pytest has written so far: the last word on each test, and the records."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.checks_file, self.records_file, self.said = (folder / name for name in ("checks", "records", "output"))
        for file in (self.checks_file, self.records_file):
            file.touch()
        self._report = report
        self._last_word = time.monotonic()
        self.records: list[Record] = []

    @property
    def checks(self) -> list[Check]:
        """Return each test as it was last heard of, in the order of their first lines."""
        found: dict[str, Check] = {}
        for line in _whole_lines(self.checks_file):
            check = Check.model_validate_json(line)
            found[check.test] = check
        return list(found.values())

    def look(self) -> None:
        """Report what is new; after a while without anything new, which test is running."""
        lines = _whole_lines(self.records_file)
        for line in lines[len(self.records) :]:
            said = Record.model_validate_json(line)
            self.records.append(said)
            self._say(said.group, summary(said))
        if time.monotonic() - self._last_word > _SILENCE_SECONDS:
            checks = self.checks
            ended = sum(check.state in (State.PASSED, State.FAILED) for check in checks)
            total = sum(check.state is not State.LEFT_OUT for check in checks)
            running = next((check for check in checks if check.state is State.RUNNING), None)
            now = f"; now: {running.title}" if running else ""
            self._say(group_of(running.test) if running else "proof", f"{ended} of {total} checks have ended{now}")

    def _say(self, label: str, text: str) -> None:
        self._last_word = time.monotonic()
        self._report(label, text)


def summary(said: Record) -> str:
    """Return a record in a line."""
    refused = f", {said.refused:,} refused" if said.refused else ""
    figures = "".join(f", {name} {value}" for name, value in said.figures.items())
    return f"{said.name}: {said.tried:,} tried, {said.failed:,} failed{refused}, {said.seconds:.1f} s{figures}"


def _run(request: Request, watched: _Watched, report: Report) -> tuple[int, bool]:
    """Run pytest to its end; return its exit code, and whether Ctrl-C ended it."""
    environment = {plugin.FILE: str(watched.checks_file), record.ENVIRONMENT: str(watched.records_file)}
    quick = {plugin.QUICK: "1"} if request.quick else {}
    options = ["-p", "proof.plugin", "-p", "no:cacheprovider", f"--basetemp={watched.said.parent / 'tests'}"]
    with watched.said.open("w", encoding="utf-8") as output:
        # In a session of its own: Ctrl-C reaches it once, by us, and a second one does not end it while it cleans up.
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *files(request.groups)],
            cwd=ROOT,
            env={**os.environ, **environment, **quick},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    interrupted = False
    try:
        while process.poll() is None:
            time.sleep(_POLL_SECONDS)
            watched.look()
        watched.look()
    except KeyboardInterrupt:
        interrupted = True
        report("proof", "interrupted: taking down what the tests have made, which takes a minute or two")
    finally:
        with _deaf():
            _end(process)
            _end_stragglers(process)
    return process.returncode, interrupted


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a pytest that still runs end as Ctrl-C does it, so that it takes down what it made."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)


def _end_stragglers(process: subprocess.Popen[bytes]) -> None:
    """Wait for what is left of the process group; kill what does not end by itself."""
    deadline = time.monotonic() + _STRAGGLER_SECONDS
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(_POLL_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _deaf() -> Iterator[None]:
    """Do not hear Ctrl-C for a while: what is done then must be done whole."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _folder(report: Report) -> Iterator[Path]:
    """Give a folder for everything that tests write; in the end remove it, and what its stacks left on the engine."""
    folder = Path(tempfile.mkdtemp(prefix="friday-prove-"))
    try:
        yield folder
    finally:
        with _deaf():
            _sweep(folder, report)


def _sweep(folder: Path, report: Report) -> None:
    for file in folder.rglob("checkout/Pulumi.t*.yaml"):
        left = Project(file.parent, file.name.split(".")[1])
        if number := left.remove():
            report("proof", f"removed {number} things that the tests had left of their stack {left.stack}")
    rig.sweep()
    shutil.rmtree(folder, ignore_errors=True)


def _by_group(checks: Sequence[Check]) -> dict[Group, list[Check]]:
    found: dict[Group, list[Check]] = {}
    for check in checks:
        found.setdefault(group_of(check.test), []).append(check)
    return found


def _whole_lines(file: Path) -> list[str]:
    """Return the lines of a file that somebody is still writing, without one that is not at its end."""
    text = file.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1].splitlines()


def _last_words(code: int, said: Path) -> str:
    lines = said.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([f"pytest ended with {code}", *lines[-_LAST_LINES:]])
