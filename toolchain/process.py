"""Runs other programs without showing their output; errors contain their last lines."""

import os
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.errors import SetupError

TAIL_LINES = 15
_READ_SECONDS = 20.0
REGISTRY_SECONDS = 120.0
"""For a question to a package registry, which may be far away, or behind a slow proxy."""


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


def run(
    command: Sequence[str | Path], what: str, fix: str, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run a long command without showing its output. Raises SetupError with its last lines when it fails."""
    words = [str(word) for word in command]
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        with subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=cwd,
            env={**os.environ, **(env or {})},
        ) as process:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            tail.extend(line.rstrip() for line in process.stdout)
    except OSError as error:
        raise SetupError(f"{what} failed: {error}", words[0], fix) from error
    if process.returncode:
        shown = "".join(f"\n  | {line}" for line in tail)
        raise SetupError(f"{what} failed with exit status {process.returncode}{shown}", words[0], fix)
