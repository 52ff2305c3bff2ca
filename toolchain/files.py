"""Files and folders that are written completely or not at all, whenever the program is killed."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """Yield a temporary folder on the file system of `parent`, so that a file can be renamed out of it in one step."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(source: Path, target: Path, mode: int = 0o755) -> None:
    """Move a finished file to its place; at any time there is the old file or the new one."""
    _finish(source, mode)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)


def write_private(target: Path, content: str, *, replace: bool = False) -> None:
    """Write a file that only its owner can read. Raises FileExistsError when it exists and `replace` is false."""
    with scratch(target.parent) as folder:
        new = folder / target.name
        new.write_text(content, encoding="utf-8")
        _finish(new, 0o600)
        if replace:
            new.replace(target)
        else:
            # A hard link is the only way to create a complete file without overwriting another.
            target.hardlink_to(new)
        _sync_folder(target.parent)


def rewrite(path: Path, text: str) -> None:
    """Replace a file's content in one step, also behind a symbolic link. Its mode and its owner stay."""
    target = path.resolve()
    was = target.stat()
    with scratch(target.parent) as folder:
        new = folder / target.name
        new.write_text(text, encoding="utf-8", newline="")
        with contextlib.suppress(PermissionError):  # only root can change the owner
            os.chown(new, was.st_uid, was.st_gid)
        publish(new, target, stat.S_IMODE(was.st_mode))


@contextmanager
def exclusive(path: Path, when_busy: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file for this process; `when_busy` is called once before a wait. A kill frees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            when_busy()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _finish(path: Path, mode: int) -> None:
    path.chmod(mode)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
