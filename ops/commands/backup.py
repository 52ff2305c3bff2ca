"""Saves what a stack cannot do without, if this machine is lost: state, history, settings, secrets and metrics."""

import datetime as dt
import hashlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import docker
from pydantic import BaseModel

from components.parts import declare
from components.workload import Workload, data_volume_name
from images.tags import local_images
from ops.backup import archive
from ops.backup.archive import Writer
from ops.backup.manifest import Manifest, SavedData, SavedStack, member_of
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError, unwritable
from ops.hosts import volumes
from ops.hosts.docker_host import DockerHost
from ops.hosts.volumes import MovingError
from ops.progress import Report
from ops.stacks import pulumi_files, saved_files, worktree
from ops.stacks.saved_files import Placed
from toolchain import files, paths, versions

_ATTEMPTS = 3
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class BackupRequest:
    """Which stacks are saved (none: all whose state is here), to which file, and whether with what Prometheus saw."""

    stacks: Sequence[str]
    target: Path
    passphrase: str
    metrics: bool = True


@dataclass(frozen=True)
class Saved:
    """A backup that was written: its bytes as a file, and what is in it."""

    path: Path
    size: int
    manifest: Manifest


def save(request: BackupRequest, report: Report) -> Saved:
    """Write a backup, which is there whole or not at all, with mode 0600.

    Raises SettingsError or OperationError with exit code 2 for an unknown stack, a damaged state, a file that is there
    already or a host that is not reached; HeldError while somebody updates a stack; exit code 1 when a host is lost or
    the disk is full.
    """
    deployments = [Deployment.open(name, report) for name in request.stacks or _all()]
    for each in deployments:
        _require_still(each.name)
        if request.metrics:
            require_hosts(each)
    folder = request.target.absolute().parent
    if request.target.exists() or not folder.is_dir():
        what = f"{request.target}: " + (
            "is there already" if request.target.exists() else f"there is no folder {folder}"
        )
        raise OperationError(what, "name another file with -o", EXIT_USAGE)
    try:
        with files.scratch(folder) as scratch:
            manifest = _written(scratch, request, deployments, report)
            written = scratch / request.target.name
            size = written.stat().st_size
            files.publish(written, request.target, 0o600)
    except OSError as error:
        raise unwritable(folder, error) from error
    return Saved(request.target, size, manifest)


def require_hosts(deployment: Deployment) -> None:
    """Connect to every host of a stack; OperationError (exit code 2) also says how to do without one."""
    for address in deployment.hosts.addresses:
        try:
            deployment.hosts.client(address)
        except OperationError as error:
            error.fix = f"{error.fix}; or the same command with --no-metrics, which leaves the hosts alone"
            raise


def _all() -> list[str]:
    if found := saved_files.known():
        return found
    where = "no stack has its state in files here"
    raise OperationError(where, "name the stacks: ./fridayctl backup STACK", EXIT_USAGE)


def _require_still(name: str) -> str:
    """Return the digest of a stack's state; HeldError while it is updated, OperationError (exit code 2) if damaged."""
    if holder := pulumi_files.holder(name):
        raise pulumi_files.held_by(name, f"held by {holder}")
    state = saved_files.files_of(name).state
    if state is None or not state.is_file():
        return ""
    if found := pulumi_files.damage(state):
        fix = f"./fridayctl up {name} repairs a state that was cut short; then the same command again"
        raise OperationError(f"the state of {name} {found}: {state}", fix, EXIT_USAGE)
    return hashlib.sha256(state.read_bytes()).hexdigest()


def _written(folder: Path, request: BackupRequest, deployments: Sequence[Deployment], report: Report) -> Manifest:
    """Write to a file of the target's name in a folder; once more while Prometheus rearranges what it has."""
    target = folder / request.target.name

    def fill(writer: Writer) -> Manifest:
        for each in saved_files.shared():
            _add(writer, each)
        stacks = tuple(_save_stack(writer, each, metrics=request.metrics) for each in deployments)
        return Manifest(
            made_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
            made_on=socket.gethostname(),
            commit=worktree.head(),
            pulumi=versions.PULUMI,
            stacks=stacks,
            files=writer.files,
        )

    for left in reversed(range(_ATTEMPTS)):
        try:
            return archive.write(target, request.passphrase, fill)
        except MovingError as error:
            if not left:
                raise
            report("metrics", f"{error.message}; once more")
            target.unlink()
    raise AssertionError  # the last attempt has returned or raised


def _save_stack(writer: Writer, deployment: Deployment, *, metrics: bool) -> SavedStack:
    before = _require_still(deployment.name)
    here = saved_files.files_of(deployment.name)
    for each in here.files:
        _add(writer, each)
    if _require_still(deployment.name) != before:
        raise pulumi_files.held_by(deployment.name, "it was updated while it was saved")
    updates, last = here.updates()
    deployment.report("state", f"{deployment.name}: {saved_files.in_words(updates, last)}")
    images = sorted({each.image for each in deployment.hosts.manager.instances(deployment.name)}) if metrics else []
    return SavedStack(
        name=deployment.name,
        updates=updates,
        last_update=last,
        data=tuple(_save_data(writer, deployment)) if metrics else (),
        images=tuple(images),
        left_out=tuple(_left_out(deployment, here.state is None)),
    )


def _add(writer: Writer, file: Placed) -> None:
    if file.path.is_file():
        writer.add(file.member, file.path.read_bytes())


def _save_data(writer: Writer, deployment: Deployment) -> Iterator[SavedData]:
    """Save the data of each part that keeps some: what Prometheus saw, and which alerts Alertmanager has told."""
    name = deployment.name
    for workload in declare(name, deployment.settings, local_images()):
        if not workload.data or not (found := _where(deployment, workload)):
            continue
        address, client = found
        volume, sizes = data_volume_name(name, workload.part), [0]

        def take(path: str, size: int, content: IO[bytes], part: str = workload.part, sizes: list[int] = sizes) -> None:
            chunks = iter(lambda: content.read(_CHUNK_BYTES), b"")
            writer.add_from(member_of(name, "data", part, path), size, chunks)
            sizes.append(size)

        owner = volumes.owner_of(client, name, volume)
        volumes.read(client, name, volume, take)
        deployment.report("metrics", f"{volume}: {sum(sizes) / 1e6:.1f} MB in {len(sizes) - 1} files, from {address}")
        yield SavedData(part=workload.part, host=address, owner=owner)


def _where(deployment: Deployment, workload: Workload) -> tuple[str, docker.DockerClient] | None:
    """Return the host that has a part's data, and its client; of several the one on which the part runs."""
    found = []
    for address in deployment.hosts.addresses:
        client = deployment.hosts.client(address)
        if volumes.has_volume(client, data_volume_name(deployment.name, workload.part)):
            running = DockerHost(client).runs(deployment.name, workload.part, workload.image)
            found.append((not running, address, client))
    return min(found, key=lambda each: each[:2])[1:] if found else None


def _left_out(deployment: Deployment, is_elsewhere: bool) -> Iterator[str]:
    """Yield what of a stack is not in its backup, and has to be kept in another way."""
    yield from (f"{path} ({setting})" for setting, path in _named_files(deployment.settings))
    if (paths.STACKS / "hooks").is_dir():
        yield "the hooks"
    if is_elsewhere:
        yield "state and history, which PULUMI_BACKEND_URL keeps"
    if not saved_files.has_own_passphrase():
        yield "the passphrase, which PULUMI_CONFIG_PASSPHRASE or its file has"


def _named_files(settings: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Yield each setting that names a file of this machine, with the file."""
    for name, info in type(settings).model_fields.items():
        value, key = getattr(settings, name), prefix + (info.alias or name)
        if isinstance(value, Path):
            yield key, value
        elif isinstance(value, BaseModel):
            yield from _named_files(value, f"{key}.")
