"""Raises one pinned version: resolves everything in a copy, puts the result into the checkout, and tests it there."""

import filecmp
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ops.commands.pins import PINS, Pin
from ops.errors import EXIT_USAGE, OperationError
from ops.progress import Report
from toolchain import checkout, files, lock, paths, pins, process, versions
from toolchain.errors import SetupError
from toolchain.lock import Move

_IMAGES = "import json; from images.tags import local_images; print(json.dumps(local_images()))"


@dataclass(frozen=True)
class Status:
    """A pin as it is: `newest` of its line, `beyond` the newest of another line, `problem` when nobody answered."""

    name: str
    what: str
    current: str
    newest: str = ""
    beyond: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Upgraded:
    """What raising a pin changed, or with a dry run would change; nothing when `old` is `new` and `files` is empty."""

    pin: str
    old: str
    new: str
    files: list[str] = field(default_factory=list)
    packages: list[Move] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    users: str = ""
    by_hand: list[str] = field(default_factory=list)


def statuses(report: Report) -> list[Status]:
    """Return every pin with the newest version that is served; a registry that does not answer is a pin's problem."""
    report("asking", "pip, Go and apt which versions are served")
    with ThreadPoolExecutor(len(PINS)) as pool:
        return list(pool.map(partial(_status, report), PINS.values()))


def upgrade(pin: Pin, to: str, report: Report, *, dry_run: bool) -> Upgraded:
    """Raise a pin to `to`, or to the newest of its line when that is "", and run the tests that matter for it.

    OperationError and SetupError with exit code 2: nothing was changed. OperationError with exit code 1: the tests
    failed, and every file is as it was; a patch keeps what was tried. An interrupt puts the files back too.
    """
    if not dry_run:
        _require_clean(pin)
    current = pin.current(paths.ROOT)
    target = _target(pin, current, to, report)
    if target == current and not pin.follows_alone:
        return Upgraded(pin.name, current, current)
    with files.scratch(paths.user_cache()) as scratch:
        report("copying", "the checkout, to resolve the new versions there")
        checkout.copy_to(scratch)
        pin.write(scratch, target, partial(report, pin.name))
        done = _described(pin, current, target, scratch)
        if done.files and not dry_run:
            with _restored_on_failure(done, scratch, report):
                _check(pin, report)
    return done


def _status(report: Report, pin: Pin) -> Status:
    current = pin.current(paths.ROOT)
    if not pin.sites:
        locked = {name for source in lock.sources(paths.ROOT) for name in lock.pinned(source.with_suffix(".txt"))}
        return Status(pin.name, pin.what, f"{len(locked)} packages")
    try:
        served = pin.served(partial(report, "asking"))
    except SetupError as error:
        return Status(pin.name, pin.what, current, problem=str(error))
    newest = pins.newest(current, served, pin.line)
    beyond = pins.newest(current, served, 0)
    return Status(pin.name, pin.what, current, newest, "" if beyond == newest else beyond)


def _target(pin: Pin, current: str, to: str, report: Report) -> str:
    """Return the version to take; OperationError (exit code 2) for one that is not served or that is no raise."""
    if not pin.sites:
        if to:
            raise OperationError(f"{pin.name} is many packages, no one version", "leave --to out", EXIT_USAGE)
        return ""
    if to and versions.rank(to) < versions.rank(current):
        fix = "git revert the commit that raised it"
        raise OperationError(f"{pin.name} {to} is older than {current}, which is pinned", fix, EXIT_USAGE)
    served = _served(pin, report) if pin.all_listed or not to else []
    if not to:
        return pins.newest(current, served, pin.line)
    if to not in served and pin.all_listed:
        newer = [version for version in served if versions.rank(version) > versions.rank(current)]
        fix = f"one of these: {', '.join(newer)}" if newer else f"nothing newer than {current} is served"
        raise OperationError(f"{pin.name} {to} is not served", fix, EXIT_USAGE)
    if pins.line_of(to, pin.line) != pins.line_of(current, pin.line):
        report("line", f"{to} is of another line than {current}: {pin.other_line or 'expect changes by hand'}")
    return to


def _served(pin: Pin, report: Report) -> list[str]:
    report("asking", f"which versions of {pin.name} are served")
    return pin.served(partial(report, "asking"))


def _require_clean(pin: Pin) -> None:
    """Raise OperationError (exit code 2) when a file that may change has changes that git does not have."""
    sources = [path.relative_to(paths.ROOT) for path in lock.sources(paths.ROOT)]
    locks = [name.as_posix() for source in sources for name in (source, source.with_suffix(".txt"))]
    changed = checkout.uncommitted([*locks, *(site.file for site in pin.sites), *pin.files])
    if changed:
        message = f"these files have changes that are not committed: {', '.join(changed)}"
        raise OperationError(message, "commit them, or git stash; then the same command again", EXIT_USAGE)


def _described(pin: Pin, old: str, new: str, scratch: Path) -> Upgraded:
    changed = sorted(
        name
        for path in scratch.rglob("*")
        if path.is_file()
        and (paths.ROOT / (name := path.relative_to(scratch).as_posix())).is_file()
        and not filecmp.cmp(path, paths.ROOT / name, shallow=False)
    )
    before, after = _images(paths.ROOT), _images(scratch)
    images = [part for part in after if before.get(part) != after[part]]
    packages = lock.moves(paths.ROOT, scratch)
    return Upgraded(pin.name, old, new, changed, packages, images, list(pin.checks), pin.users, _by_hand(pin))


def _by_hand(pin: Pin) -> list[str]:
    return [
        *pin.by_hand,
        "./fridayctl up twice on a stack that the old version deployed: the second says `nothing to change`",
        "./fridayctl test --all, and CHANGELOG.md: what users notice",
        f"docs/UPGRADING.md#{pin.section}",
    ]


def _images(root: Path) -> dict[str, str]:
    """Return the tag of each image as a checkout's own code names it."""
    printed = process.read([sys.executable, "-B", "-c", _IMAGES], {"PYTHONPATH": str(root)}, root)
    tags: dict[str, str] = json.loads(printed or "{}")
    return tags


@contextmanager
def _restored_on_failure(done: Upgraded, scratch: Path, report: Report) -> Iterator[None]:
    """Put the changed files into the checkout, and back again when what follows fails or is interrupted."""
    before = {name: (paths.ROOT / name).read_bytes().decode() for name in done.files}
    try:
        for name in done.files:
            files.rewrite(paths.ROOT / name, (scratch / name).read_bytes().decode())
        yield
    except BaseException:
        kept = _keep_patch(done)
        for name, text in before.items():
            files.rewrite(paths.ROOT / name, text)
        report("restored", f"{', '.join(done.files)}; {kept}")
        raise


def _keep_patch(done: Upgraded) -> str:
    """Write what was tried to a patch in the folder of state, and return how to get at it."""
    path = paths.state_dir() / f"upgrade-{done.pin}.patch"
    try:
        files.write_private(path, checkout.difference(done.files), replace=True)
    except (OSError, SetupError) as error:  # the files have to come back all the same
        return f"what was tried could not be kept: {error}"
    return f"to work on what was tried: git apply {path}"


def _check(pin: Pin, report: Report) -> None:
    """Run a pin's tests in a process of their own, for the packages of this one are old by then."""
    report("testing", f"./fridayctl test {' '.join(pin.checks)}")
    if code := _run([str(paths.ROOT / "fridayctl"), "test", *pin.checks]):
        fix = "read the failures above, and docs/UPGRADING.md#" + pin.section
        raise OperationError(f"the tests of {pin.name} failed (exit code {code})", fix)


def _run(command: Sequence[str]) -> int:
    """Run a command with our stderr as its output, and let it clean up before an interrupt goes on.

    As in CI: without a Docker engine the tests that need one are a failure, and not left out.
    """
    env = {**os.environ, "CI": "true"}
    with subprocess.Popen(command, cwd=paths.ROOT, env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr) as process_:
        try:
            return process_.wait()
        except KeyboardInterrupt:
            process_.wait()
            raise
