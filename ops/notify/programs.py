"""Runs an operator's own program with a message: bounded in time and in what it may print, never a traceback."""

import errno
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ops.notify.message import Message, one_printable_line
from ops.progress import Say

_LAST_LINES = 15
_SHOWN_LINES = 100
_LINE_BYTES = 2000
_CHUNK_BYTES = 65536
_LETTING_END_SECONDS = 2.0
_READING_SECONDS = 1.0


class NotRunError(Exception):
    """The program could not be started; its text says why, and what helps."""


@dataclass
class Output:
    """What a program prints: its first lines are shown as they come, its last ones are kept, the rest is counted."""

    say: Say
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))
    lines: int = 0
    _rest: bytes = b""

    def take(self, chunk: bytes) -> None:
        """Take what was read; "" at its end. Of a line that has no end its beginning is kept."""
        *whole, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[:_LINE_BYTES]
        for each in whole:
            self._line(each)

    def end(self) -> None:
        """Take what is left as the last line, and say how many were not shown."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""
        if self.lines > _SHOWN_LINES:
            self.say(f"({self.lines - _SHOWN_LINES} lines more)")

    def _line(self, line: bytes) -> None:
        self.lines += 1
        text = one_printable_line(line.decode(errors="replace").rstrip("\r"))
        self.last.append(text)
        if self.lines <= _SHOWN_LINES:
            self.say(text)


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code, None when it was killed because its time was over; its last lines."""

    exit_code: int | None
    last: tuple[str, ...]


def run(words: Sequence[str], message: Message, folder: Path, seconds: float, say: Say) -> Ended:
    """Run a program to its end, with the message on its stdin and in its environment, at most so many seconds.

    It and all that it has started are killed after that time, and at Ctrl-C. Raises NotRunError.
    """
    output = Output(say)
    process = _start(words, message, folder)
    try:
        assert process.stdin is not None  # noqa: S101 - pipes were asked for
        assert process.stdout is not None  # noqa: S101
        reader = threading.Thread(target=_read, args=(process.stdout, output), daemon=True)
        reader.start()
        with suppress(OSError):  # one that reads nothing of it
            process.stdin.write(message.document())
        with suppress(OSError):
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        exit_code = process.poll()
        if exit_code is None:
            _kill(process)
    except BaseException:
        _kill(process)
        raise
    reader.join(_READING_SECONDS)  # what it leaves behind may hold the pipe open
    output.end()
    return Ended(exit_code, tuple(output.last))


def _start(words: Sequence[str], message: Message, folder: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            cwd=folder,
            env={**os.environ, **message.variables()},
            process_group=0,  # with all that it starts it can be killed
        )
    except (OSError, ValueError) as error:
        raise NotRunError(_why_not(folder / words[0], error)) from error


def _why_not(program: Path, error: Exception) -> str:
    """Return why a program cannot be started; the system's own words do not say which file is meant."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOENT and program.exists():
        return f"the interpreter that its first line names is not there ({_first_line(program)})"
    if code == errno.ENOEXEC:
        return f"it is no program: its first line should name one, such as #!/bin/sh ({_first_line(program)})"
    if code == errno.EACCES and program.is_file() and not os.access(program, os.X_OK):
        return f"it may not be run: chmod +x {program}"
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _first_line(program: Path) -> str:
    with program.open("rb") as file:
        return one_printable_line(file.readline(80).decode(errors="replace").strip())


def _read(pipe: IO[bytes], output: Output) -> None:
    with suppress(OSError, ValueError):
        while chunk := pipe.read(_CHUNK_BYTES):
            output.take(chunk)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Let it and its children end, and kill what does not."""
    deadline = time.monotonic() + _LETTING_END_SECONDS
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        os.killpg(process.pid, signal.SIGKILL)  # also when the first one has ended: its children may go on
    process.wait()
