"""Puts files back as one change: prepared aside, written down as a plan, and then carried out, by the next command if
this one is killed. Without a plan nothing was changed yet.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from ops.errors import EXIT_USAGE, OperationError, unwritable
from ops.progress import Say
from toolchain import files, paths

_PLAN = "plan.json"


class Move(BaseModel):
    """A file or a folder that is ready at `staged`, and takes the place of what is at `target`.

    A folder is on the file system of its target. A file keeps the target's mode, or gets `mode`.
    """

    staged: Path
    target: Path
    mode: int = 0o600


class Plan(BaseModel):
    """All that is to be put in place, in this order, and which folders go afterwards."""

    moves: list[Move]
    scratch: list[Path]


@contextmanager
def begun(others: Sequence[Path]) -> Iterator[Path]:
    """Yield an empty folder to prepare in, which is nobody else's meanwhile; it and `others` are gone afterwards.

    OperationError (exit code 2) while another restore is going on, or where the folder cannot be written.
    """
    folder = _folder()
    with _alone():
        if (folder / _PLAN).exists():
            _finish(folder)
        _remove(folder, *others)
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise unwritable(folder.parent, error) from error
        try:
            yield folder
        finally:
            if not (folder / _PLAN).exists():
                _remove(folder, *others)


def commit(plan: Plan) -> None:
    """Write a plan down, from where on it holds, and carry it out. OSError when it cannot be written."""
    files.write_private(_folder() / _PLAN, plan.model_dump_json())
    _carry_out(plan)


def finish(say: Say) -> None:
    """Carry out what a killed restore had written down. Called before a command uses a stack.

    OperationError (exit code 2) while a restore is going on, and for one that was killed before: it may have begun to
    put data back on the hosts.
    """
    folder = _folder()
    if not folder.exists():
        return
    with _alone():
        if (folder / _PLAN).exists():
            _finish(folder)
            say("a restore was cut short; it is finished now")
        elif folder.exists():
            fix = f"./fridayctl restore with the same file again; or, to do without it: rm -r {folder}"
            raise OperationError("a restore was cut short before it changed the state", fix, EXIT_USAGE)


def _finish(folder: Path) -> None:
    try:
        _carry_out(Plan.model_validate_json((folder / _PLAN).read_bytes()))
    except OSError as error:
        raise unwritable(folder.parent, error) from error


def _carry_out(plan: Plan) -> None:
    """Put each in its place in one step; what is there already was put there before this was cut short."""
    for each in plan.moves:
        if each.staged.is_dir():
            each.target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if each.target.exists():
                each.target.rename(each.staged.with_name(f"{each.staged.name}.replaced"))
            each.staged.rename(each.target)
        elif each.staged.exists():
            with files.scratch(each.target.parent) as scratch:
                copy = Path(shutil.copyfile(each.staged, scratch / "copy"))
                mode = each.target.stat().st_mode & 0o777 if each.target.exists() else each.mode
                files.publish(copy, each.target, mode)
            each.staged.unlink()
    _remove(*plan.scratch)
    (_folder() / _PLAN).unlink()
    _remove(_folder())


def _remove(*folders: Path) -> None:
    for each in folders:
        shutil.rmtree(each, ignore_errors=True)


@contextmanager
def _alone() -> Iterator[None]:
    def busy() -> None:
        raise OperationError("a restore is going on here", "wait until it is done", EXIT_USAGE)

    folder = paths.state_dir()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    with files.exclusive(folder / "restoring.lock", busy):
        yield


def _folder() -> Path:
    return paths.state_dir() / "restoring"
