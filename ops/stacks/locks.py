"""Who holds a stack, and what became of an update that was killed while it held it.

Pulumi's file backend keeps a lock file for each running update, with the process and its machine. What that update was
doing stands beside the state, because a history entry is written only when an update ends.
"""

import contextlib
import json
import socket
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from ops.errors import OperationError, unwritable
from ops.stacks.workspace import local_backend
from toolchain import files, paths

# States of a process that is no more: proc(5), /proc/pid/stat.
_ENDED = ("Z", "X")


class HeldError(OperationError):
    """Another update holds the stack: this one was refused, and has changed nothing."""


def note(stack: str, doing: str) -> bool:
    """Write down what the update that begins is doing: the next command reads it, should this one be killed.

    Returns False when another update is going on: this one will be refused.
    OperationError (exit code 2) when that cannot be written: Pulumi could not write the state then either.
    """
    if is_locked(stack):
        return False
    path = _note(stack)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_private(path, doing, replace=True)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    return True


def is_locked(stack: str) -> bool:
    """Tell whether an update holds a stack of a file backend; a dead one's lock counts until it is released."""
    return bool(_locks(stack))


def release_dead(stack: auto.Stack) -> str:
    """Free a stack whose lock is held by a process of this machine that is gone; return what that was doing.

    Returns "" when nothing holds it, or something that may still be working.
    """
    found = _locks(stack.name)
    if not found or any(lock.get("hostname") != socket.gethostname() or _runs(int(lock["pid"])) for lock in found):
        return ""
    stack.cancel()
    try:
        return _note(stack.name).read_text(encoding="utf-8")
    except OSError:
        return "of another program"


def held(name: str, error: auto.CommandError) -> HeldError:
    """Return the error for a stack that another update holds: who, on which machine, since when."""
    holder = [line.strip() for line in str(error).splitlines() if "created by" in line]
    mend = f'wait for it; if that process is gone: eval "$(./fridayctl env)" && pulumi cancel -s {name}'
    return HeldError(f"another update of {name} is going on", mend, details="\n".join(holder))


def _locks(stack: str) -> list[dict[str, Any]]:
    backend = local_backend()
    found = []
    for path in (backend / "locks").rglob("*.json") if backend else ():
        if path.parent.name == stack:
            with contextlib.suppress(FileNotFoundError):  # its update has just ended
                found.append(json.loads(path.read_text()))
    return found


def _note(stack: str) -> Path:
    return paths.state_dir() / "running" / stack


def _runs(pid: int) -> bool:
    """Tell whether a process works. One that was killed stays in the list until its parent, or init, has taken note."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in _ENDED
