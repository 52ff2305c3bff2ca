"""Machines that operators work on: a checkout with stack files, and a state."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.commands.backup import BackupRequest, save
from ops.commands.restore_backup import Restored, RestoreRequest, restore
from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import stack_file
from tests.unit.ops.backup.backups import PASSPHRASE
from toolchain import paths

SETTINGS = "config:\n  friday-litellm:upstream: simulator\n  friday-litellm:rolloutPercentage: '{}'\n"
STATE = {"version": 3, "checkpoint": {"stack": "t", "latest": {"resources": []}}}


class Machine:
    """A machine: a checkout with stack files, and a state folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.root, self.state = folder, folder / "checkout", folder / "state"
        self.root.mkdir(parents=True)
        self._patch = patch
        self.use()

    def use(self) -> None:
        """Be the machine that commands run on."""
        for module in (stack_file, paths):
            self._patch.setattr(module, "STACKS", self.root)
        self._patch.setattr(paths, "ROOT", self.root)
        self._patch.setenv("FRIDAY_STATE_DIR", str(self.state))
        for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            self._patch.delenv(name, raising=False)

    def path(self, *parts: str) -> Path:
        return self.state.joinpath("pulumi", ".pulumi", *parts)

    def add(self, name: str = "t", updates: int = 2, percentage: int = 50) -> "Machine":
        """Make a stack with a history."""
        (self.root / f"Pulumi.{name}.yaml").write_text(SETTINGS.format(percentage))
        state = self.path("stacks", "friday-litellm", f"{name}.json")
        history = self.path("history", "friday-litellm", name)
        for folder in (state.parent, history):
            folder.mkdir(parents=True, exist_ok=True)
        state.write_text(json.dumps(STATE | {"number": updates}))
        for number in range(updates):
            (history / f"{name}-{number}.history.json").write_text(f'{{"number": {number}}}')
        self.path("meta.yaml").write_text("version: 1\n")
        (self.state / "passphrase").write_text(f"passphrase of {self.folder.name}")
        (self.state / "secrets.json").write_text("{}")
        return self

    def seen(self) -> dict[str, str]:
        """Return all files that count, by their paths."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.name != "restoring.lock")
        return {str(path.relative_to(self.folder)): path.read_text() for path in sorted(files)}


Machines = Callable[[str], Machine]


def quiet(*_: str) -> None:
    """Report to nobody."""


def saved(file: Path, *names: str) -> Path:
    save(BackupRequest(names, file, PASSPHRASE, metrics=False), quiet)
    return file


def put_back(file: Path, **options: Any) -> Restored:
    return restore(RestoreRequest(file, PASSPHRASE, metrics=False, **options), quiet)


def refused(act: Callable[[], object], code: int = EXIT_USAGE) -> str:
    with pytest.raises(OperationError) as caught:
        act()
    assert caught.value.exit_code == code, caught.value.render()
    return caught.value.render()
