"""Which files of this machine are a stack: what a backup takes, and where a restore puts it."""

import datetime as dt
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.backup.manifest import META, PASSPHRASE, SECRETS, Manifest, member_of, settings_of
from ops.errors import EXIT_USAGE, OperationError
from ops.rollout.history import NAMESPACE
from ops.stacks.pulumi_files import chosen_backend, states_in
from ops.stacks.restoring import Move
from ops.stacks.stack_file import stack_file
from toolchain import checkout, paths
from toolchain.environment import environment
from toolchain.errors import SetupError

_STATE, _HISTORY = "state.json", "history"
_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"
_UPDATE = ".history.json"  # how the file of one update ends


@dataclass(frozen=True)
class Placed:
    """A member of a backup, and the file that it is here."""

    member: str
    path: Path


@dataclass(frozen=True)
class StackFiles:
    """Where one stack's files are on this machine; `state` and `history` are None with another backend than files."""

    name: str
    settings: Path
    state: Path | None
    history: Path | None

    @property
    def files(self) -> Iterator[Placed]:
        """The files that are there now, the settings first."""
        if self.settings.is_file():
            yield Placed(settings_of(self.name), self.settings)
        if self.state and self.state.is_file():
            yield Placed(member_of(self.name, _STATE), self.state)
        for each in sorted(self.history.iterdir()) if self.history and self.history.is_dir() else ():
            if each.is_file():
                yield Placed(member_of(self.name, _HISTORY, each.name), each)

    def updates(self) -> tuple[int, dt.datetime | None]:
        """Return how many updates the history has here, and when the last one was written."""
        ends = [each.path.stat().st_mtime for each in self.files if each.path.name.endswith(_UPDATE)]
        return len(ends), dt.datetime.fromtimestamp(max(ends), dt.UTC) if ends else None


def files_of(name: str) -> StackFiles:
    """Return where a stack's files are, whether they are there or not."""
    backend = chosen_backend()
    if backend is None:
        return StackFiles(name, stack_file(name), None, None)
    state = states_in(backend, NAMESPACE) / f"{name}.json"
    return StackFiles(name, stack_file(name), state, backend / "history" / NAMESPACE / name)


def known() -> list[str]:
    """Return the stacks whose state is in files here."""
    backend = chosen_backend()
    return sorted(path.stem for path in states_in(backend, NAMESPACE).glob("*.json")) if backend else []


def has_own_passphrase() -> bool:
    """Return whether the stacks are encrypted with the passphrase that set-up has made, and no other is chosen."""
    chosen = environment().get(_FILE) or os.environ.get(_FILE)
    return chosen == str(paths.passphrase_file()) and "PULUMI_CONFIG_PASSPHRASE" not in os.environ


def shared() -> Iterator[Placed]:
    """Yield what all stacks of this machine have in common; a passphrase that the user has chosen is the user's."""
    if has_own_passphrase():
        yield Placed(PASSPHRASE, paths.passphrase_file())
    yield Placed(SECRETS, paths.secrets_file())
    if backend := chosen_backend():
        yield Placed(META, backend / "meta.yaml")


def require_fitting(manifest: Manifest) -> None:
    """Raise OperationError (exit code 2) where a stack that is not in a backup could no longer be read after it."""
    others = sorted(set(known()) - {each.name for each in manifest.stacks})
    changed = [each for each in shared() if each.member != META and _differs(manifest, each)]
    if others and changed:
        what = f"{', '.join(others)}: here with another {changed[0].path.name} than the backup's"
        fix = "restore into a clone of its own, or into a state folder of its own: FRIDAY_STATE_DIR=DIR ./fridayctl …"
        raise OperationError(what, fix, EXIT_USAGE)


def differences(manifest: Manifest) -> list[str]:
    """Return what is here that a restore would replace and nobody else has, each in words.

    A stack file as git has it is in git; passphrase and secrets count with the stacks that they are for.
    """
    found = []
    for each in manifest.stacks:
        here = files_of(each.name)
        others = [file for file in here.files if _differs(manifest, file)]
        if any(file.path == here.settings for file in others) and not _is_committed(here.settings):
            found.append(f"{here.settings.name} has changes that are neither in the backup nor committed")
        if any(file.path != here.settings for file in others):
            saved = in_words(each.updates, each.last_update)
            found.append(f"the state of {each.name}: {in_words(*here.updates())} here, {saved} in the backup")
    return found


def keep(manifest: Manifest, folder: Path) -> bool:
    """Copy what a restore will replace to a folder; return whether there was anything. OSError when it is full."""
    for each in shared():
        if each.member != META and each.path.is_file() and _differs(manifest, each):
            _copy(each.path, folder / each.path.name)
    for stack in manifest.stacks:
        for each in files_of(stack.name).files:
            if _differs(manifest, each):
                _copy(each.path, folder / each.member)
    return folder.exists()


def beside_histories(manifest: Manifest) -> Path:
    """Return a folder on the file system of the histories; OperationError (exit code 2) where they have no place."""
    backend = chosen_backend()
    if backend is None and any(
        name.startswith(member_of(each.name, "state")) for each in manifest.stacks for name in manifest.files
    ):
        what = "the backup holds states in files, and PULUMI_BACKEND_URL names another backend"
        raise OperationError(what, "unset PULUMI_BACKEND_URL, or name a folder: file:///…", EXIT_USAGE)
    return (backend or paths.state_dir()) / "restoring-history"


def staged(member: str, folder: Path, beside: Path) -> Path:
    """Return where a member of a backup is prepared: a history in the folder beside its place, all else in `folder`."""
    area, name, *rest = member.split("/", 2)
    if area == "stacks" and rest[0].startswith(f"{_HISTORY}/"):
        return beside / name / rest[0].removeprefix(f"{_HISTORY}/")
    return folder / (stack_file(name).name if member == settings_of(name) else member)


def moves(manifest: Manifest, folder: Path, beside: Path) -> list[Move]:
    """Return what puts a prepared backup in its place, each stack's state last: with it, it is the stack of before."""
    common = {each.member: each.path for each in shared()}
    found = [Move(staged=folder / name, target=path) for name, path in common.items() if name in manifest.files]
    for each in manifest.stacks:
        here = files_of(each.name)
        if here.history and (beside / each.name).is_dir():
            found.append(Move(staged=beside / each.name, target=here.history))
        settings = settings_of(each.name)
        found.append(Move(staged=staged(settings, folder, beside), target=here.settings, mode=0o644))
        if here.state and (state := member_of(each.name, _STATE)) in manifest.files:
            found.append(Move(staged=folder / state, target=here.state))
    return found


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _differs(manifest: Manifest, file: Placed) -> bool:
    """Return whether a backup has another file in this place than is here; none on either side is another too."""
    saved = manifest.files.get(file.member)
    if not file.path.is_file():
        return False
    return saved is None or saved.sha256 != hashlib.sha256(file.path.read_bytes()).hexdigest()


def in_words(updates: int, last: dt.datetime | None) -> str:
    """Return how many updates a history has, and when the last one ended."""
    many = "1 update" if updates == 1 else f"{updates} updates"
    return f"{many}, the last of {last:%Y-%m-%d %H:%M} UTC" if last else many


def _is_committed(file: Path) -> bool:
    """Return whether git has a file as it is here."""
    try:
        return file.parent == paths.ROOT and not checkout.uncommitted([file.name])
    except SetupError:
        return False
