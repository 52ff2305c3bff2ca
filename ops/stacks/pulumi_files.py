"""Reads files in a form that is Pulumi's private matter: states, locks, what is wrong in a history.

Nothing else does, but for who has written a state (newer_pulumi.py).

Reading them saves a run of its command line in every update, and nothing else tells who holds a stack. Each file is
checked before anything in it is believed. What is not understood is asked of Pulumi; a damaged or foreign file becomes
one OperationError. The forms: Pulumi's pkg/backend/diy, and sdk/go/common/apitype (`VersionedCheckpoint`).
"""

import datetime as dt
import json
import os
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pulumi import automation as auto
from pydantic import BaseModel, Field, ValidationError

from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError, unwritable
from ops.rollout.history import NAMESPACE
from ops.stacks import newer_pulumi
from ops.stacks.pulumi_errors import refused
from toolchain import files, paths, process
from toolchain.environment import environment

# The key by which a state marks what is no plain value (Pulumi's sdk/go/common/resource/sig, `Key`).
_SIGNATURE = "4dabf18193072939515e22adb298388d"


class Resource(BaseModel):
    """One resource as a state records it: `inputs` the program gave; `id` is "" for what exists in the state only."""

    urn: str
    type: str
    id: str = ""
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    init_errors: list[str] = Field([], alias="initErrors")

    def label(self, name: str) -> str:
        """Return the value of a label that the program gave it, "" where it has none of that name."""
        given = self.inputs.get("labels") or ()
        return next((str(each["value"]) for each in given if each["label"] == name), "")


class Damage(StrEnum):
    """What is wrong with the file of a state, in the words of a message."""

    CUT_SHORT = "was cut short"
    FOREIGN = "is no state of Pulumi"
    UNKNOWN = "cannot be read"


class HeldError(OperationError):
    """Another update holds the stack, or a lock that cannot be read does: this one has changed nothing."""


class _Deployment(BaseModel):
    resources: list[Resource] | None = None


class _Checkpoint(BaseModel):
    latest: _Deployment | None = None


class _State(BaseModel):
    version: Literal[3]  # another one is Pulumi's to read
    checkpoint: _Checkpoint

    @property
    def resources(self) -> list[Resource]:
        return (self.checkpoint.latest and self.checkpoint.latest.resources) or []


class _HistoryEntry(BaseModel):
    kind: str
    result: str
    started: int = Field(alias="startTime")
    config: dict[str, Any]


class _Lock(BaseModel):
    pid: int = Field(gt=0, lt=2**31)  # more than a process can be asked for
    hostname: str = Field(min_length=1)
    username: str = ""
    timestamp: str = ""

    @property
    def may_be_working(self) -> bool:
        """Whether its process may still be at work: numbers of other machines, and of containers, say nothing here."""
        return paths.IN_OPERATOR_IMAGE or self.hostname != socket.gethostname() or process.runs(self.pid)

    @property
    def words(self) -> str:
        who = f"{self.username}@{self.hostname}" if self.username else self.hostname
        # Pulumi writes nanoseconds, in its machine's zone.
        with suppress(ValueError, OverflowError):
            since = dt.datetime.fromisoformat(re.sub(r"\.\d+", "", self.timestamp)).astimezone(dt.UTC)
            return f"{who}, process {self.pid}, since {since:%Y-%m-%d %H:%M:%S} UTC"
        return f"{who}, process {self.pid}"


def local_backend() -> Path | None:
    """Return the folder of a file backend (PULUMI_BACKEND_URL), or None when the state is kept elsewhere."""
    return _local(os.environ.get("PULUMI_BACKEND_URL", ""))


def chosen_backend() -> Path | None:
    """Return the folder of the file backend that commands use, whether a stack is open or not; None as above."""
    return _local(environment().get("PULUMI_BACKEND_URL") or os.environ["PULUMI_BACKEND_URL"])


def _local(url: str) -> Path | None:
    return Path(url.removeprefix("file://")) / ".pulumi" if url.startswith("file://") else None


def state_file(workspace: auto.Workspace, stack: str) -> Path | None:
    """Return the file that holds a stack's state, or None when that is kept elsewhere or not yet made."""
    backend = local_backend()
    path = states_in(backend, workspace.project_settings().name) / f"{stack}.json" if backend else None
    return path if path and path.exists() else None


def states_in(backend: Path, project: str) -> Path:
    """Return the folder of a file backend that has a file of each stack of a project: its state."""
    return backend / "stacks" / project


def local_outputs(workspace: auto.Workspace, stack: str) -> auto.OutputMap | None:
    """Return a stack's outputs; None when Pulumi has to be asked: no file of a known form, or a secret among them."""
    state = _state(state_file(workspace, stack))
    if state is None:
        return None
    found = outputs_of(state.resources)
    if _SIGNATURE in json.dumps(found):
        return None
    return {name: auto.OutputValue(value=value, secret=False) for name, value in found.items()}


def outputs_of(found: Sequence[Resource]) -> dict[str, Any]:
    """Return the stack's outputs among a state's resources."""
    return next((each.outputs for each in found if each.type == "pulumi:pulumi:Stack"), {})


def resources(stack: auto.Stack) -> list[Resource]:
    """Return what a stack's state records; OperationError (exit code 2) when neither we nor Pulumi can read it."""
    path = state_file(stack.workspace, stack.name)
    if state := _state(path):
        return state.resources
    with refused(*unreadable(path, stack.name)):
        return _Deployment.model_validate(stack.export_stack().deployment or {}).resources or []


def unreadable(state: Path | None, stack: str) -> tuple[str, str]:
    """Return the message and the fix for a state that Pulumi cannot read; None: it is not in a local file."""
    if state is None:
        return f"the state of {stack} cannot be read", "check PULUMI_BACKEND_URL, the login and the network"
    if newer := newer_pulumi.of_file(stack, state):
        return f"{newer.message}: {state}", newer.fix
    copies = f"put a whole copy there: some are in {paths.state_dir() / 'backups' / stack}"
    return f"the state of {stack} cannot be read: {state}", f"a newer Pulumi may have written it; else {copies}"


def damage(state: Path) -> Damage | None:
    """Return what is wrong with a state's file; UNKNOWN may be right for Pulumi, which is to be asked."""
    try:
        found = json.loads(state.read_bytes())
    except OSError:
        return Damage.UNKNOWN
    except (ValueError, RecursionError):
        return Damage.CUT_SHORT
    if not isinstance(found, dict) or not isinstance(found.get("version"), int) or not found.get("checkpoint"):
        return Damage.FOREIGN  # Pulumi would take some of these for a stack that has nothing yet
    return None if _state(state) else Damage.UNKNOWN


def history_in_doubt(stack: auto.Stack) -> Path | None:
    """Return the file for which a stack's history cannot be read, else its folder; None when it is not local."""
    backend = local_backend()
    if backend is None:
        return None
    folder = backend / "history" / stack.workspace.project_settings().name / stack.name
    for path in folder.glob("*.history.json"):
        try:
            _HistoryEntry.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return path
    return folder


def note(stack: auto.Stack, doing: str) -> bool:
    """Write down what the update that begins is doing: the next command reads it, should this one be killed.

    A history entry is written only when an update ends. Returns False when another update is going on: this one will
    be refused. OperationError (exit code 2) when that cannot be written: Pulumi could not write the state then either.
    """
    if is_locked(stack):
        return False
    path = _note(stack.name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_private(path, doing, replace=True)
    except OSError as error:
        raise unwritable(path.parent, error) from error
    return True


def is_locked(stack: auto.Stack) -> bool:
    """Return whether an update holds a stack of a file backend; a dead one's lock counts until it is released."""
    return bool(_locks(stack))


def release_dead(stack: auto.Stack) -> str:
    """Free a stack whose lock is held by a process of this machine that is gone; return what that was doing.

    Returns "" when nothing holds it, or something that may still be working. HeldError (exit code 2) for a lock that
    cannot be read: it may be anybody's.
    """
    found = _readable(stack.name, _locks(stack))
    if not found or any(lock.may_be_working for lock in found):
        return ""
    with refused(f"the lock of {stack.name} cannot be freed", _cancel(stack.name)):
        stack.cancel()
    try:
        return _note(stack.name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "of another program"


def holder(name: str) -> str:
    """Return who holds a stack of a file backend and since when, "" when nobody does who may still be at work.

    It asks neither Pulumi nor the backend, so a stack in an object store seems free. HeldError as `release_dead`.
    """
    found = _readable(name, _locks_in(chosen_backend(), NAMESPACE, name))
    return next((lock.words for lock in found if lock.may_be_working), "")


def held(name: str, error: auto.CommandError) -> HeldError:
    """Return the error for a stack that another update holds: who, on which machine, since when."""
    return held_by(name, "\n".join(line.strip() for line in str(error).splitlines() if "created by" in line))


def held_by(name: str, who: str) -> HeldError:
    """Return the error for a stack that is held, in words that say by whom."""
    fix = f"the same command with --wait 600 waits for it; if that process is gone: {_cancel(name)}"
    return HeldError(f"another update of {name} is going on", fix, EXIT_FAILED, who)


def _readable(name: str, found: Sequence[tuple[Path, _Lock | None]]) -> list[_Lock]:
    """Return a stack's locks; HeldError (exit code 2) for one that cannot be read, which may be anybody's."""
    unread = next((path for path, lock in found if lock is None), None)
    if unread:
        message = f"{name} is held by somebody unknown: this lock cannot be read: {unread}"
        raise HeldError(message, f"when no update is going on: {_cancel(name)}", EXIT_USAGE)
    return [lock for _, lock in found if lock]


def _cancel(stack: str) -> str:
    command = f"pulumi cancel -s {stack}"
    return f"docker run … {command}" if paths.IN_OPERATOR_IMAGE else f'eval "$(./fridayctl env)" && {command}'


def _state(path: Path | None) -> _State | None:
    """Return a state of the version that is understood, None for everything else."""
    try:
        return _State.model_validate_json(path.read_bytes()) if path else None
    except (OSError, ValidationError):
        return None


def _locks(stack: auto.Stack) -> list[tuple[Path, _Lock | None]]:
    """Return the locks of a stack with their files; None for one that cannot be read."""
    backend = local_backend()
    return _locks_in(backend, stack.workspace.project_settings().name, stack.name) if backend else []


def _locks_in(backend: Path | None, project: str, stack: str) -> list[tuple[Path, _Lock | None]]:
    found: list[tuple[Path, _Lock | None]] = []
    for path in (backend / "locks").glob(f"*/{project}/{stack}/*.json") if backend else ():
        try:
            found.append((path, _Lock.model_validate_json(path.read_bytes())))
        except FileNotFoundError:
            continue  # its update has just ended
        except (OSError, ValidationError):
            found.append((path, None))
    return found


def _note(stack: str) -> Path:
    return paths.state_dir() / "running" / stack
