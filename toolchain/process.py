"""Runs other programs without showing their output; errors contain their last lines."""

import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from toolchain.errors import SetupError

TAIL_LINES = 15
_READ_SECONDS = 20.0
REGISTRY_SECONDS = 120.0
"""For a question to a package registry, which may be far away, or behind a slow proxy."""
_END_SECONDS = 5
# States of a process that is no more: proc(5), /proc/pid/stat, and ps(1).
_ENDED = ("Z", "X")
_lock = threading.Lock()
_running: set[subprocess.Popen[str]] = set()
_stops = 0


def read(
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = _READ_SECONDS,
) -> str | None:
    """Return the output of a command, or None when it is missing, fails or takes more than some seconds."""
    try:
        result = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            cwd=cwd,
            env={**os.environ, **(env or {})},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def runs(pid: int) -> bool:
    """Return whether a process works: a killed one stays in the list until its parent, or init, has taken note."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # Debian's slim images lack `ps`, and macOS lacks /proc. Who can be asked neither way is taken for a worker.
    table = Path(f"/proc/{pid}/stat")
    state = table.read_text().rpartition(")")[2] if table.exists() else read(["ps", "-o", "state=", "-p", str(pid)])
    return not (state or "?").strip().startswith(_ENDED)


class StoppedError(SetupError):
    """A command was interrupted, because another one failed or the user wants it."""


@contextmanager
def stopping() -> Iterator[None]:
    """Interrupt every command of `run` and let none begin, until the block ends."""
    global _stops  # noqa: PLW0603 - commands of all threads are meant
    with _lock:
        _stops += 1
        stopped = list(_running)
    for child in stopped:
        _interrupt(child)
    try:
        yield
    finally:
        with _lock:
            _stops -= 1


def _interrupt(child: subprocess.Popen[str]) -> None:
    """Let a command and what it has started end as at Ctrl-C; after a while they have to."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_END_SECONDS)
            return


@contextmanager
def stoppable(child: subprocess.Popen[str], to_the_end: bool = False) -> Iterator[None]:
    """Let a command, which leads a process group, be interrupted: at Ctrl-C, and by `stopping`.

    The latter not when it has to come `to_the_end`.
    """
    with _lock:
        if not to_the_end:
            _running.add(child)
        too_late = _stops and not to_the_end
    try:
        if too_late:
            _interrupt(child)
        yield
    except BaseException:
        _interrupt(child)
        raise
    finally:
        with _lock:
            _running.discard(child)


def run(
    command: Sequence[str | Path],
    what: str,
    fix: str,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    to_the_end: bool = False,
    others_first: bool = False,
) -> None:
    """Run a long command without showing its output. Raises SetupError with its last lines when it fails.

    When another command fails meanwhile, it is interrupted (StoppedError), unless it has to come `to_the_end`. With
    `others_first` it takes the processor time that nobody else wants, where there is a `nice`.
    """
    words = [str(word) for word in command]
    nice = ["nice"] if others_first and shutil.which("nice") else []
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        with subprocess.Popen(
            [*nice, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=cwd,
            env={**os.environ, **(env or {})},
            # With all that it starts it can be interrupted.
            process_group=0,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            with stoppable(process, to_the_end):
                tail.extend(line.rstrip() for line in process.stdout)
    except OSError as error:
        raise SetupError(f"{what} failed: {error}", words[0], fix) from error
    if process.returncode and _stops and not to_the_end:
        raise StoppedError(f"{what} was stopped", words[0], "run this again")
    if process.returncode:
        shown = "".join(f"\n  | {line}" for line in tail)
        raise SetupError(f"{what} failed with exit status {process.returncode}{shown}", words[0], fix)
