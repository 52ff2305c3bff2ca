"""Where a command writes its page or its data: a file, or the screen."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from ops.errors import unwritable

SCREEN: Final = "-"
"""What a user says for standard output."""


def _place(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Refuse a place where no file can be: nobody waits for what cannot be written."""
    if not value or value == SCREEN:
        return value or None
    file = Path(value)
    try:
        is_folder, has_folder = file.is_dir(), file.parent.is_dir()
    except OSError as error:
        raise unwritable(Path(), error) from error
    if is_folder:
        raise click.BadParameter(f"{file} is a folder")
    if not has_folder:
        raise click.BadParameter(f"the folder {file.parent} is not there: mkdir -p {file.parent}")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise click.BadParameter(f"{file} cannot be written by this user")
    return value


output_option: Callable[..., Any] = click.option(
    "-o", "--output", metavar="FILE", callback=_place, help="Where to write; - is standard output."
)


def write_out(text: str, output: str | None, name: str | None) -> Path | None:
    """Write to what the user named, else to a file of this name here, else (without a name) to the screen.

    Return the file, None for the screen; OperationError (exit code 2) when it cannot be written.
    """
    if output == SCREEN or not (output or name):
        click.echo(text)
        return None
    file = Path(output or name or "")
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(file.parent, error) from error
    return file
