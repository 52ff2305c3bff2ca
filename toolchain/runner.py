"""Runs set-up steps: a finished step is skipped, any other is run, one line each."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from toolchain import files, paths

Report = Callable[[str], None]
_QUIET_SECONDS = 2.0


@dataclass(frozen=True)
class Step:
    """One part of set-up; `why` completes "NAME: it <why>".

    `is_done` tells, in well under a second, whether the step is done, and changes nothing. `run` does the step and
    reports its progress; it raises SetupError when it fails.
    """

    name: str
    why: str
    is_done: Callable[[], bool]
    run: Callable[[Report], None]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a step: whether it was `made` now or was there before, and its duration in seconds."""

    name: str
    why: str
    made: bool
    seconds: float


def run_steps(steps: Sequence[Step], out: TextIO | None = None) -> list[Outcome]:
    """Run the steps that are not done, in order, and report each on `out` (default: stderr)."""
    return [_run(step, out or sys.stderr) for step in steps]


def _run(step: Step, out: TextIO) -> Outcome:
    started = time.monotonic()
    made = not step.is_done() and _make(step, out)
    outcome = Outcome(step.name, step.why, made, time.monotonic() - started)
    state = "ready" if made else "already there"
    print(f"  ok  {step.name:<16} {state} ({outcome.seconds:.1f} s)", file=out, flush=True)
    return outcome


def _make(step: Step, out: TextIO) -> bool:
    """Run a step under the user's set-up lock, so that two clones do not build the same tool twice."""
    print(f"  ..  {step.name:<16} {step.why}", file=out, flush=True)
    with _reporting(out) as report:
        busy = "waiting for another set-up of this user"
        with files.exclusive(paths.user_cache() / "setup.lock", lambda: report(busy)):
            if step.is_done():
                return False
            step.run(report)
    return True


@contextmanager
def _reporting(out: TextIO) -> Iterator[Report]:
    """Yield a report that prints plain lines, and in a terminal keeps a spinner beside the last one."""
    if not out.isatty():
        yield lambda line: print(f"      {line}", file=out, flush=True)
        return
    # rich is loaded only for a terminal and a step that is not done.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    console = Console(file=out, highlight=False)
    with console.status("") as status:
        started = time.monotonic()

        def shown(line: str) -> None:
            if time.monotonic() - started > _QUIET_SECONDS:
                console.print(f"      {escape(line)}")
            status.update(escape(line))

        yield shown
