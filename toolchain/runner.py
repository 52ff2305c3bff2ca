"""Runs set-up steps side by side: a finished step is skipped, any other is run, and each line names its step."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TextIO

from toolchain import files, paths

Report = Callable[[str], None]
_Show = Callable[[str, str], None]
_QUIET_SECONDS = 2.0


@dataclass(frozen=True)
class Step:
    """One part of set-up; `why` completes "NAME: it <why>".

    `is_done` tells, in well under a second, whether the step is done, and changes nothing. `run` does the step and
    reports its progress; it raises SetupError when it fails. `needs` are the names of the steps that come before.
    """

    name: str
    why: str
    is_done: Callable[[], bool]
    run: Callable[[Report], None]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The outcome of a step: whether it was `made` now or was there before, and its duration in seconds."""

    name: str
    why: str
    made: bool
    seconds: float


def run_steps(steps: Sequence[Step], out: TextIO | None = None) -> list[Outcome]:
    """Run the steps that are not done, each beside the others once what it needs is done.

    Each is reported on `out` (default: stderr). The first error is raised, and ends the other steps.
    """
    to = out or sys.stderr
    found: dict[str, Outcome] = {}
    for step in steps:
        started = time.monotonic()
        if step.is_done():
            found[step.name] = _finished(step, False, started, to)
    missing = [step for step in steps if step.name not in found]
    if missing:
        found |= _make_all(missing, to)
    return [found[step.name] for step in steps]


def _make_all(steps: Sequence[Step], out: TextIO) -> dict[str, Outcome]:
    """Run steps under the user's set-up lock, so that two clones do not build the same tool twice."""
    from toolchain import together  # noqa: PLC0415 - threads are loaded only for a step that is not done

    with _reporting(out) as show:
        busy = "waiting for another set-up of this user"
        with files.exclusive(paths.user_cache() / "setup.lock", lambda: show("", busy)):
            for step in steps:
                if later := [need for need in step.needs if need in {other.name for other in steps}]:
                    show(step.name, f"waits for {' and '.join(later)}")
            jobs = {step.name: together.Job(partial(_make, step, out, show), step.needs) for step in steps}
            return together.run(jobs, len(jobs))


def _make(step: Step, out: TextIO, show: _Show) -> Outcome:
    started = time.monotonic()
    if step.is_done():  # by now: another set-up made it, or one of the steps before
        return _finished(step, False, started, out)
    _line(out, f"  ..  {step.name:<16} {step.why}")
    step.run(partial(show, step.name))
    return _finished(step, True, started, out)


def _finished(step: Step, made: bool, started: float, out: TextIO) -> Outcome:
    outcome = Outcome(step.name, step.why, made, time.monotonic() - started)
    state = "ready" if made else "already there"
    _line(out, f"  ok  {step.name:<16} {state} ({outcome.seconds:.1f} s)")
    return outcome


def _line(out: TextIO, text: str) -> None:
    # In one piece: several threads write.
    out.write(f"{text}\n")
    out.flush()


@contextmanager
def _reporting(out: TextIO) -> Iterator[_Show]:
    """Yield what shows a step's line: a plain one, and in a terminal also a spinner beside the last of each step."""
    if not out.isatty():
        yield lambda name, line: _line(out, f"      {name:<16} {line}")
        return
    # rich is loaded only for a terminal and a step that is not done.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    console = Console(file=out, highlight=False)
    last: dict[str, str] = {}
    lock = threading.Lock()
    with console.status("") as status:
        started = time.monotonic()

        def show(name: str, line: str) -> None:
            with lock:
                last[name] = line
                if time.monotonic() - started > _QUIET_SECONDS:
                    console.print(f"      {name:<16} {escape(line)}")
                status.update(escape(" · ".join(last.values())))

        yield show
