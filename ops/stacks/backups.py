"""Copies of a stack's state, one before each update. Pulumi's file backend writes the state dozens of times during an
update, and its own `.bak` beside it: when the disk was full in between, both were found cut short.
"""

import datetime as dt
import json
import os
from pathlib import Path

from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError, unwritable
from ops.stacks.workspace import state_file
from toolchain import files, paths

KEPT = 10
"""Copies of each stack."""
_ROOM = 8
"""How many states fit on the disk at least, before an update: Pulumi leaves five and a half behind, we one."""


def keep(stack: auto.Stack) -> None:
    """Copy the state as it is before an update, and see that there is room for what the update writes.

    Raises OperationError (exit code 2) when there is not, or the copy cannot be written.
    """
    content = _content(stack)
    if not content:
        return  # a new stack
    folder = _folder(stack.name)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        room = os.statvfs(folder)
        if room.f_bavail * room.f_frsize < _ROOM * len(content):
            free = f"{room.f_bavail * room.f_frsize / 1e6:.1f} MB"
            what = f"no space left for the state of {stack.name}: {free} free at {folder.parent}"
            mend = f"make room there (df -h {folder}), then the same command again"
            raise OperationError(f"{what}, {_ROOM * len(content) / 1e6:.1f} MB needed", mend, EXIT_USAGE)
        files.write_private(folder / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%fZ}.json", content)
        for old in sorted(folder.glob("*.json"))[:-KEPT]:
            old.unlink()
    except OSError as error:
        raise unwritable(folder, error) from error


def require_sound(stack: auto.Stack) -> None:
    """Raise OperationError (exit code 2) when the state was cut short; the next update brings a copy back."""
    path = state_file(stack.workspace, stack.name)
    if path and not _is_sound(path):
        mend = f"see that there is room (df -h {path.parent}), then ./fridayctl up {stack.name}: it takes the last copy"
        raise OperationError(f"the state of {stack.name} was cut short: {path}", mend, EXIT_USAGE)


def put_back(stack: auto.Stack) -> str:
    """Put the newest sound copy in the place of a state that was cut short; return its name, or "" for a sound state.

    What the cut update made on the hosts is not in the copy: the hosts have to be read. Raises OperationError (exit
    code 2) when there is no sound copy.
    """
    path = state_file(stack.workspace, stack.name)
    if path is None or _is_sound(path):
        return ""
    folder = _folder(stack.name)
    for copy in sorted(folder.glob("*.json"), reverse=True):
        if _is_sound(copy):
            # As a file of its own first: the state is whole at every moment.
            files.write_private(path, copy.read_text(encoding="utf-8"), replace=True)
            return copy.name
    mend = f"put a whole copy there: Pulumi keeps some in {path.parents[2] / 'backups'}"
    raise OperationError(f"the state of {stack.name} was cut short, and {folder} has no copy: {path}", mend, EXIT_USAGE)


def _content(stack: auto.Stack) -> str:
    path = state_file(stack.workspace, stack.name)
    if path:
        return path.read_text(encoding="utf-8")
    deployment = stack.export_stack()
    return json.dumps(vars(deployment)) if deployment.deployment else ""


def _folder(stack: str) -> Path:
    return paths.state_dir() / "backups" / stack


def _is_sound(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except ValueError:
        return False
