"""Copies of a stack's state, one before each update: a disk that fills up cuts the state short, and Pulumi's `.bak`."""

import datetime as dt
import json
import os
from pathlib import Path

from pulumi import automation as auto

from ops.errors import EXIT_USAGE, OperationError, unwritable
from ops.stacks.pulumi_errors import refused
from ops.stacks.pulumi_files import Damage, damage, state_file, unreadable
from toolchain import files, paths

KEPT = 10  # copies of each stack
_ROOM = 8  # states that fit on the disk at least, before an update: Pulumi leaves five and a half behind, we one


def keep(stack: auto.Stack) -> None:
    """Copy the state before an update; OperationError (exit code 2) without room for what that and the update write."""
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
            fix = f"make room there (df -h {folder}), then the same command again"
            raise OperationError(f"{what}, {_ROOM * len(content) / 1e6:.1f} MB needed", fix, EXIT_USAGE)
        files.write_private(folder / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%fZ}.json", content)
        for old in sorted(folder.glob("*.json"))[:-KEPT]:
            old.unlink()
    except OSError as error:
        raise unwritable(folder, error) from error


def require_sound(stack: auto.Stack) -> None:
    """Raise OperationError (exit code 2) for a damaged state; the next update repairs one that was cut short."""
    path, found = _looked_at(stack)
    if found:
        fix = f"see that there is room (df -h {path.parent}), then ./fridayctl up {stack.name}: it takes the last copy"
        raise OperationError(f"the state of {stack.name} {found}: {path}", fix, EXIT_USAGE)


def put_back(stack: auto.Stack) -> str:
    """Put the newest sound copy in the place of a state that was cut short; return its name, or "" for a sound state.

    What the cut update made on the hosts is not in the copy: the hosts have to be read. Raises OperationError (exit
    code 2) when there is no sound copy, or the state is damaged in another way: it may be somebody's.
    """
    path, found = _looked_at(stack)
    if not found:
        return ""
    folder = _folder(stack.name)
    for copy in sorted(folder.glob("*.json"), reverse=True):
        if damage(copy) is None:
            try:
                # As a file of its own first: the state is whole at every moment.
                files.write_private(path, copy.read_text(encoding="utf-8"), replace=True)
            except OSError as error:
                raise unwritable(path.parent, error) from error
            return copy.name
    fix = f"put a whole copy there: Pulumi keeps some in {path.parents[2] / 'backups'}"
    raise OperationError(f"the state of {stack.name} {found}, and {folder} has no copy: {path}", fix, EXIT_USAGE)


def _looked_at(stack: auto.Stack) -> tuple[Path, Damage | None]:
    """Return a state's file, and whether it was cut short; OperationError (exit code 2) for any other damage."""
    path = state_file(stack.workspace, stack.name)
    found = damage(path) if path else None
    if found is Damage.UNKNOWN:
        with refused(*unreadable(path, stack.name)):
            stack.export_stack()  # perhaps Pulumi can read it
        found = None
    if found is Damage.FOREIGN:
        fix = f"move it away, and put a whole copy there: some are in {_folder(stack.name)}"
        raise OperationError(f"the state of {stack.name} {found}: {path}", fix, EXIT_USAGE)
    return path or Path(), found


def _content(stack: auto.Stack) -> str:
    path = state_file(stack.workspace, stack.name)
    if path:
        return path.read_text(encoding="utf-8")
    deployment = stack.export_stack()
    return json.dumps(vars(deployment)) if deployment.deployment else ""


def _folder(stack: str) -> Path:
    return paths.state_dir() / "backups" / stack
