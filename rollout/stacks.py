"""Stacks through Pulumi's Automation API: open, update, destroy, read."""

import contextlib
import json
import os
import shutil
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent, OpType

from components.settings import SECRET_KEYS, StackSettings
from components.settings_source import from_stack_file, generated_secrets
from rollout.errors import EXIT_USAGE, OperationError
from toolchain.environment import environment
from toolchain.paths import ROOT

# The engine's words for a container that the state does not know, and for one that only the state knows.
SURPRISES = ("is already in use by container", "No such container")
Tell = Callable[[str], None]
_VERBS = {
    OpType.CREATE: "created",
    OpType.CREATE_REPLACEMENT: "created",
    OpType.UPDATE: "changed",
    OpType.DELETE: "removed",
    OpType.DELETE_REPLACED: "removed",
}
_STARTS = (OpType.CREATE, OpType.CREATE_REPLACEMENT)
_SHOWN = ("docker:index/container:Container", "docker:index/service:Service", "docker:index/network:Network")


@dataclass(frozen=True)
class Update:
    """What an update did: how many resources it changed, and the stack's outputs."""

    changed: int
    outputs: dict[str, object]


def stack_file(name: str) -> Path:
    """Return where a stack's settings stand."""
    return ROOT / f"Pulumi.{name}.yaml"


def read_settings(name: str) -> StackSettings:
    """Read and check a stack's settings; SettingsError or OperationError (exit code 2) says what is wrong."""
    if not stack_file(name).exists():
        known = ", ".join(sorted(path.suffixes[0][1:] for path in ROOT.glob("Pulumi.*.yaml")))
        mend = f"name one of the stacks here ({known}), or copy a file from examples/ to Pulumi.{name}.yaml"
        raise OperationError(f"stack {name!r}: there is no Pulumi.{name}.yaml", mend, EXIT_USAGE)
    # Before the first set-up there are no generated secrets: the rest of the file can be checked without them.
    secrets = generated_secrets(environment()) or {key: f"not-generated-yet-{key}" for key in SECRET_KEYS}
    return from_stack_file(stack_file(name), secrets)


def open_stack(name: str) -> auto.Stack:
    """Select a stack, making it in the backend when it is new there."""
    threading.excepthook = _ignore_closed_pipes
    # Pulumi's library looks for its command line on this process' own PATH.
    os.environ.update(environment())
    if not shutil.which("pulumi"):
        raise OperationError("pulumi is not set up on this machine", "./fridayctl setup", EXIT_USAGE)
    try:
        return auto.select_stack(name, work_dir=str(ROOT))
    except auto.StackNotFoundError:
        return auto.create_stack(name, work_dir=str(ROOT))
    except auto.CommandError as error:
        said = "\n".join(line for line in str(error).splitlines() if "error:" in line)
        mend = "./fridayctl setup makes a local state; for another backend check PULUMI_BACKEND_URL and the login"
        raise OperationError(f"the state of {name} cannot be opened", mend, EXIT_USAGE, said) from error


def _ignore_closed_pipes(failure: threading.ExceptHookArgs) -> None:
    """Keep Pulumi's reader threads quiet after Ctrl-C: they complain of the pipes that were closed under them."""
    if failure.exc_type is not ValueError or "closed file" not in str(failure.exc_value):
        threading.__excepthook__(failure)


def container_ids(stack: auto.Stack) -> set[str]:
    """Return the ids of the containers that a stack's state knows."""
    resources = (stack.export_stack().deployment or {}).get("resources", [])
    return {str(each["id"]) for each in resources if each["type"] == "docker:index/container:Container"}


def update(stack: auto.Stack, message: str, tell: Tell, *, refresh: bool = False) -> Update:
    """Bring a stack to what its settings say; OperationError with Pulumi's own diagnostics when that fails.

    `message` goes into the history. `refresh` reads the hosts first, for containers that vanished.
    """
    watcher = _Watcher(tell)
    try:
        result = stack.up(
            message=message, refresh=refresh, on_event=watcher.see, suppress_progress=True, show_secrets=False
        )
    except auto.ConcurrentUpdateError as error:
        raise _locked(stack.name, error) from error
    except auto.CommandError as error:
        mend = f"mend what it names, then ./fridayctl up {stack.name}; what served before goes on serving"
        raise OperationError(f"the update of {stack.name} failed", mend, details=watcher.said(error)) from error
    outputs = {key: output.value for key, output in result.outputs.items()}
    changes = result.summary.resource_changes or {}
    return Update(sum(count for op, count in changes.items() if op != OpType.SAME), outputs)


def destroy(stack: auto.Stack, tell: Tell) -> None:
    """Remove everything that a stack runs; its history stays. OperationError when that fails."""
    watcher = _Watcher(tell)
    try:
        # A container that somebody removed by hand would fail its own removal: look first.
        stack.destroy(refresh=True, on_event=watcher.see, suppress_progress=True)
    except auto.ConcurrentUpdateError as error:
        raise _locked(stack.name, error) from error
    except auto.CommandError as error:
        mend = f"mend what it names, then ./fridayctl down {stack.name}"
        raise OperationError(f"taking {stack.name} down failed", mend, details=watcher.said(error)) from error


def release_dead_lock(stack: auto.Stack) -> bool:
    """Free a stack whose lock is held by a process of this machine that is gone (killed); tell whether it was so."""
    backend = Path(os.environ.get("PULUMI_BACKEND_URL", "").removeprefix("file://"))
    held = []
    for path in (backend / ".pulumi" / "locks").rglob("*.json"):
        if path.parent.name == stack.name:
            with contextlib.suppress(FileNotFoundError):  # its update has just ended
                held.append(json.loads(path.read_text()))
    if not held or any(lock.get("hostname") != socket.gethostname() or _runs(int(lock["pid"])) for lock in held):
        return False
    stack.cancel()
    return True


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _locked(name: str, error: auto.CommandError) -> OperationError:
    holder = [line.strip() for line in str(error).splitlines() if "created by" in line]
    mend = f'wait for it; if that process is gone: eval "$(./fridayctl env)" && pulumi cancel -s {name}'
    return OperationError(f"another update of {name} is going on", mend, details="\n".join(holder))


class _Watcher:
    """Turns the engine's events into a line for each thing that changed, and keeps what failed."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._errors: list[str] = []

    def see(self, event: EngineEvent) -> None:
        if event.diagnostic_event and event.diagnostic_event.severity == "error":
            self._errors.append(event.diagnostic_event.message.strip())
        if event.resource_pre_event and not event.resource_pre_event.planning:
            metadata = event.resource_pre_event.metadata
            name = metadata.urn.rsplit("::", 1)[1]
            if metadata.type == _SHOWN[0] and metadata.op in _STARTS and "-files-" not in name:
                self._tell(f"starting {name}, waiting until it is healthy")
        if event.res_outputs_event:
            metadata = event.res_outputs_event.metadata
            if metadata.type in _SHOWN and metadata.op in _VERBS:
                self._tell(f"{_VERBS[metadata.op]} {metadata.urn.rsplit('::', 1)[1]}")

    def said(self, error: auto.CommandError) -> str:
        """Return the diagnostics, or the command's last lines when it died before it could give any."""
        return "\n".join(dict.fromkeys(self._errors)) or "\n".join(str(error).splitlines()[-20:])
