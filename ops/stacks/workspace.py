"""How a stack is opened: Pulumi's workspace without what takes time and tells nothing new here.

Two calls of its command line cost 0.15 s each, a second Python for the program with the search for its plugins 0.7 s,
and somebody may be waiting for a rollback.
"""

import json
import os
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi import log
from semver import VersionInfo

from ops.stacks import history_at_hand
from ops.stacks.pulumi_errors import wrong_passphrase
from program import program
from toolchain import versions
from toolchain.paths import ROOT

# The key by which a state marks what is no plain value (Pulumi's sdk/go/common/resource/sig, `Key`).
_SIGNATURE = "4dabf18193072939515e22adb298388d"


def local_backend() -> Path | None:
    """Return the folder of a file backend (PULUMI_BACKEND_URL), or None when the state is kept elsewhere."""
    url = os.environ.get("PULUMI_BACKEND_URL", "")
    return Path(url.removeprefix("file://")) / ".pulumi" if url.startswith("file://") else None


def state_file(workspace: auto.Workspace, stack: str) -> Path | None:
    """Return the file that holds a stack's state, or None when that is kept elsewhere or not yet made."""
    folder = _kept(workspace, "stacks")
    path = folder / f"{stack}.json" if folder else None
    return path if path and path.exists() else None


def _kept(workspace: auto.Workspace, what: str) -> Path | None:
    """Return where a file backend keeps the `stacks` or the `history` of the project; None with another backend."""
    backend = local_backend()
    return backend / what / workspace.project_settings().name if backend else None


class Stack(auto.Stack):
    """A stack whose history is read where it is at hand: Pulumi's library asks for it after each update, too."""

    def history(
        self, page_size: int | None = None, page: int | None = None, show_secrets: bool = True
    ) -> list[auto.UpdateSummary]:
        """Return it as Pulumi does, newest first; secrets and later pages are Pulumi's to read."""
        folder = None if show_secrets or page not in (None, 1) else _kept(self.workspace, "history")
        found = history_at_hand.read(folder / self.name, page_size) if folder else None
        return super().history(page_size, page, show_secrets) if found is None else found


def open_workspace(checkout: Path = ROOT) -> auto.LocalWorkspace:
    """Return the workspace of a checkout, this one unless told otherwise.

    This one's program runs in this process, another's as plain `pulumi` would run it: its code is not loaded here.
    """
    return _Workspace(work_dir=str(checkout), pulumi_command=_Pinned(), program=_quietly if checkout == ROOT else None)


def _quietly() -> None:
    """Run the program without the debug messages of Pulumi's library.

    Each is a call that waits for the engine, 54 kinds of them, some for every resource: a fifth of a second before the
    first container is made. Only `pulumi up --debug` shows them, and there the program runs on its own.
    """
    log.debug = lambda *_, **__: None
    program()


class _Pinned(auto.PulumiCommand):
    """The command line whose version set-up has checked: it is not asked again."""

    def __init__(self) -> None:
        self.command = "pulumi"
        self.version = VersionInfo.parse(versions.PULUMI)

    def run(self, *given: Any, **named: Any) -> auto.CommandResult:
        """Run a command; OperationError (exit code 2) when the passphrase is wrong, CommandError else."""
        try:
            return super().run(*given, **named)
        except auto.CommandError as error:
            if refused := wrong_passphrase(error):
                raise refused from error
            raise


class _Workspace(auto.LocalWorkspace):
    def select_stack(self, stack_name: str) -> None:
        """Do nothing for a stack whose state is at hand: each command is given the stack's name anyway."""
        if state_file(self, stack_name) is None:
            super().select_stack(stack_name)

    def stack_outputs(self, stack_name: str) -> auto.OutputMap:
        """Read them in the state at hand, where none is a secret: Pulumi's two calls take 0.7 s of every update."""
        path = state_file(self, stack_name)
        found = _outputs_in(path) if path else None
        return super().stack_outputs(stack_name) if found is None else found


def resources_in(state: Path) -> list[dict[str, Any]]:
    """Return what a state at hand records; ValueError or KeyError when the file was cut short or is no state."""
    latest = json.loads(state.read_bytes())["checkpoint"]["latest"] or {}
    return list(latest.get("resources") or [])


def _outputs_in(state: Path) -> auto.OutputMap | None:
    """Return a stack's outputs; None when Pulumi has to say, for what the file has is no state or is encrypted."""
    try:
        resources = resources_in(state)
    except (ValueError, KeyError):
        return None  # cut short: Pulumi has the words for that
    found = (each.get("outputs", {}) for each in resources if each["type"] == "pulumi:pulumi:Stack")
    outputs: dict[str, Any] = next(found, {})
    if _SIGNATURE in json.dumps(outputs):
        return None
    return {name: auto.OutputValue(value=value, secret=False) for name, value in outputs.items()}
