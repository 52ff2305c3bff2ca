"""Runs set-up steps: what is right is skipped, what is missing is made, one line each."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TextIO

from toolchain import files, paths

Report = Callable[[str], None]
_QUIET_SECONDS = 2.0


class Step(Protocol):
    """One thing that a machine needs; `why` completes "NAME: it <why>"."""

    @property
    def name(self) -> str:
        """Return the short name for the screen."""

    @property
    def why(self) -> str:
        """Return what the thing is for."""

    def is_done(self) -> bool:
        """Tell in well under a second whether it is right already, changing nothing."""

    def run(self, report: Report) -> None:
        """Make it right, saying now and then what is happening; SetupError when that cannot be."""


@dataclass(frozen=True)
class Outcome:
    """What became of a step: `made` now or there before, and how long that took, in seconds."""

    name: str
    why: str
    made: bool
    seconds: float


def run_steps(steps: Sequence[Step], out: TextIO | None = None) -> list[Outcome]:
    """Run the steps in order, each only when it is not done, and tell `out` (default: stderr) about each."""
    out = out or sys.stderr
    return [_run(step, out) for step in steps]


def _run(step: Step, out: TextIO) -> Outcome:
    started = time.monotonic()
    made = False
    if not step.is_done():
        made = _make(step, out)
    outcome = Outcome(step.name, step.why, made, time.monotonic() - started)
    state = "ready" if made else "already there"
    print(f"  ok  {step.name:<16} {state} ({outcome.seconds:.1f} s)", file=out, flush=True)
    return outcome


def _make(step: Step, out: TextIO) -> bool:
    """Make a step under the user's set-up lock, so two clones do not build the same tool twice."""
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

    def plain(line: str) -> None:
        print(f"      {line}", file=out, flush=True)

    if not out.isatty():
        yield plain
        return
    # Only a terminal and a step that has work to do pay for rich.
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
