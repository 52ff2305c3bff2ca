"""The passphrase of a backup: out of a file, or asked for without showing it; never an argument, which others see."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ops.errors import EXIT_USAGE, OperationError

_SHORTEST = 12
_FIX = "--passphrase-file names a file with one line; at a terminal it is asked for"

passphrase_file_option: Callable[..., Any] = click.option(
    "--passphrase-file", type=click.Path(path_type=Path), help="A file with the passphrase, for use without a terminal."
)


def read_passphrase(file: Path | None, *, new: bool) -> str:
    """Return a backup's passphrase, for a `new` backup asked for twice; OperationError (exit code 2) without one."""
    if file:
        found = _in(file)
    elif sys.stdin.isatty():
        found = click.prompt("passphrase of the backup", hide_input=True, confirmation_prompt=new, err=True)
    else:
        raise OperationError("a backup needs a passphrase", _FIX, EXIT_USAGE)
    if new and len(found) < _SHORTEST:
        what = f"the passphrase has {len(found)} characters, and should have {_SHORTEST} at least"
        raise OperationError(what, "choose four words or more that do not belong together", EXIT_USAGE)
    return found


def _in(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        said = (getattr(error, "strerror", None) or "it is no text").lower()
        raise OperationError(f"--passphrase-file: {file} cannot be read ({said})", _FIX, EXIT_USAGE) from error
    if len(lines) != 1 or not lines[0]:
        raise OperationError(f"--passphrase-file: {file} should have one line (got {len(lines)})", _FIX, EXIT_USAGE)
    return lines[0]
