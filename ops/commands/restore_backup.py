"""Puts a backup back: checked as a whole, then metrics on hosts that have none, then state and settings in one step."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from components.settings.source import SettingsError
from components.workload import data_volume_name
from ops.backup.archive import Backup
from ops.backup.manifest import Manifest, SavedData, SavedStack, is_data, member_of, settings_of
from ops.commands.backup import require_hosts
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError, unwritable
from ops.hosts import volumes
from ops.hosts.machine import Space, machine_of
from ops.progress import Report
from ops.stacks import pulumi_files, restoring, saved_files
from ops.stacks.restoring import Plan
from ops.stacks.stack_file import read_file
from toolchain import engine_traits, paths, versions
from toolchain.tar_members import END, header, streamed

_ROOM = 3  # times what is put back: prepared, kept of what is replaced, and in its place


@dataclass(frozen=True)
class RestoreRequest:
    """Which backup is put back, whether over what is here (`replace`), and whether with what Prometheus saw."""

    source: Path
    passphrase: str
    replace: bool = False
    metrics: bool = True


@dataclass
class Restored:
    """A backup that is back. `kept` is where what was replaced is, None when nothing was.

    `filled` are the volumes that were made on hosts, `missing` the images that ran and that a host has no more.
    """

    manifest: Manifest
    kept: Path | None = None
    filled: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def restore(request: RestoreRequest, report: Report) -> Restored:
    """Put a backup back, all of it or nothing.

    Raises SettingsError or OperationError with exit code 2 before anything changed: for what is no whole backup or
    does not open, is newer than this checkout, would replace what is here, or does not fit on a disk; HeldError while
    somebody updates one of its stacks; exit code 1 when a host is lost meanwhile, with this machine as it was.
    """
    backup = Backup(request.source, request.passphrase)
    manifest = backup.check()
    report(
        "backup", f"of {manifest.made_at:%Y-%m-%d %H:%M} UTC on {manifest.made_on}: whole, {len(manifest.files)} files"
    )
    _require_readable_here(request.source, manifest)
    for stack in manifest.stacks:
        if holder := pulumi_files.holder(stack.name):
            raise pulumi_files.held_by(stack.name, f"held by {holder}")
    saved_files.require_fitting(manifest)
    if (found := saved_files.differences(manifest)) and not request.replace:
        fix = "--replace puts the backup in its place, and keeps what is here in the state folder, below replaced/"
        raise OperationError(
            "this would replace what is here", fix, EXIT_USAGE, "\n".join(f"  {each}" for each in found)
        )
    done = Restored(manifest)
    beside = saved_files.beside_histories(manifest)
    with restoring.begun([beside]) as folder:
        plan = _prepare(backup, manifest, folder, beside)
        deployments = [_read(each.name, folder, manifest, report) for each in manifest.stacks]
        if request.metrics:
            for each in deployments:
                require_hosts(each)
            _fill(backup, manifest, deployments, done)
        done.kept = _commit(manifest, plan)
    for stack in manifest.stacks:
        report("state", f"{stack.name}: {saved_files.in_words(stack.updates, stack.last_update)}")
    if request.metrics:
        done.missing = [each for pair in zip(deployments, manifest.stacks, strict=True) for each in _missing(*pair)]
    return done


def _require_readable_here(source: Path, manifest: Manifest) -> None:
    """Raise OperationError (exit code 2) for a state that this checkout's Pulumi may not read."""
    if versions.numbers(manifest.pulumi) > versions.numbers(versions.PULUMI):
        what = f"{source} was written with Pulumi {manifest.pulumi}, and this checkout has {versions.PULUMI}"
        commit = f"git pull, or git checkout {manifest.commit[:12]}" if manifest.commit else "git pull"
        raise OperationError(what, f"{commit}; then the same command again", EXIT_USAGE)


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < _ROOM * size:
        needed = f"{free / 1e6:.1f} MB free at {folder}, {_ROOM * size / 1e6:.1f} MB needed"
        fix = f"make room there (df -h {folder}), then the same command again"
        raise OperationError(f"no space left for the backup: {needed}", fix, EXIT_USAGE)


def _prepare(backup: Backup, manifest: Manifest, folder: Path, beside: Path) -> Plan:
    """Write the files of state and settings beside their places, and return what makes them the ones in use."""
    small = {name: each.size for name, each in manifest.files.items() if not is_data(name)}
    _require_room(folder, sum(small.values()))
    try:
        with backup.members() as members:
            for name, content in members:
                if name in small:
                    staged = saved_files.staged(name, folder, beside)
                    staged.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                        shutil.copyfileobj(content, file)
    except OSError as error:
        raise unwritable(folder, error) from error
    return Plan(moves=saved_files.moves(manifest, folder, beside), scratch=[beside])


def _read(name: str, folder: Path, manifest: Manifest, report: Report) -> Deployment:
    """Return a stack as its settings in a backup have it; SettingsError when they are none for this checkout."""
    try:
        return Deployment(name, read_file(saved_files.staged(settings_of(name), folder, folder)), report)
    except SettingsError:
        if manifest.commit:
            report(
                "settings", f"they were written for commit {manifest.commit[:12]}: git checkout {manifest.commit[:12]}"
            )
        raise


def _fill(backup: Backup, manifest: Manifest, deployments: Sequence[Deployment], done: Restored) -> None:
    """Put data on hosts that have none; what a host has is newer than any backup, and stays."""
    saved = {each.name: each for each in manifest.stacks}
    wanted = [
        (deployment, data, address)
        for deployment in deployments
        for data in saved[deployment.name].data
        for address in _without(deployment, data)
    ]
    for deployment, data, address in wanted:
        _require_room_there(deployment, address, manifest.size_of(deployment.name, data.part))
    for deployment, data, address in wanted:
        volume = data_volume_name(deployment.name, data.part)
        with backup.members() as members:
            content = _content(members, manifest, member_of(deployment.name, "data", data.part, ""), data.owner)
            volumes.fill(deployment.hosts.client(address), deployment.name, volume, content)
        size = manifest.size_of(deployment.name, data.part) / 1e6
        deployment.report("metrics", f"{volume}: {size:.1f} MB, to {address}")
        done.filled.append(volume)


def _without(deployment: Deployment, data: SavedData) -> list[str]:
    """Return the hosts of a stack, when none of them has a part's data."""
    volume = data_volume_name(deployment.name, data.part)
    addresses = deployment.hosts.addresses
    for address in addresses:
        client = deployment.hosts.client(address)
        if volumes.discard_cut_short(client, volume):
            deployment.report(
                "metrics", f"{volume} on {address} was filled in part, by a restore that was killed: removed"
            )
    if there := [each for each in addresses if volumes.has_volume(deployment.hosts.client(each), volume)]:
        deployment.report("metrics", f"{volume} is on {there[0]}, and stays as it is")
        return []
    return list(addresses)


def _require_room_there(deployment: Deployment, address: str, size: int) -> None:
    """Raise OperationError (exit code 2) where a host's disk is known to be too small."""
    daemon = engine_traits.read(deployment.hosts.client(address).info())
    space = machine_of(address, deployment.settings).space(daemon)
    if isinstance(space, Space) and space.disk < 2 * size:
        what = f"{2 * size / 1e6:.0f} MB for metrics, {space.disk / 1e6:.0f} MB free in {daemon.folder}"
        fix = "make room on that host, or --no-metrics puts all else back"
        raise OperationError(f"{address}: too little disk: {what}", fix, EXIT_USAGE)


def _content(
    members: Iterator[tuple[str, IO[bytes]]], manifest: Manifest, prefix: str, owner: tuple[int, int]
) -> Iterator[bytes]:
    """Yield the archive that `volumes.fill` takes, of the members whose names have a prefix."""
    folders = {PurePosixPath()}
    yield header(volumes.FOLDER, folder=True, owner=owner)
    for name, content in members:
        if not name.startswith(prefix):
            continue
        path = PurePosixPath(name.removeprefix(prefix))
        for each in reversed(path.parents):
            if each not in folders:
                folders.add(each)
                yield header(f"{volumes.FOLDER}/{each}", folder=True, owner=owner)
        yield from streamed(f"{volumes.FOLDER}/{path}", manifest.files[name].size, content, owner)
    yield END


def _commit(manifest: Manifest, plan: Plan) -> Path | None:
    """Keep what is replaced and carry the plan out; return where that is kept, None when nothing was replaced."""
    kept = paths.state_dir() / "replaced" / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}"
    try:
        is_kept = saved_files.keep(manifest, kept)
        restoring.commit(plan)
    except OSError as error:
        raise unwritable(paths.state_dir(), error) from error
    return kept if is_kept else None


def _missing(deployment: Deployment, saved: SavedStack) -> list[str]:
    """Return the images that ran when a stack was saved, and that none of the hosts that answer has now."""
    hosts = deployment.hosts.answering(deployment.say("host")).values()
    return [image for image in saved.images if not any(host.has(image) for host in hosts)] if hosts else []
