"""A volume's files out of a host and into another, over Docker's own API: nothing runs on the host for it.

A container that never starts, of an image with nothing in it, has the volume mounted; Docker reads and writes the
files of such a one too.
"""

import base64
import json
import tarfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

import docker
import requests
from docker.errors import APIError, NotFound
from urllib3.exceptions import HTTPError

from ops.errors import OperationError
from ops.hosts.docker_host import STACK_LABEL
from toolchain.tar_members import END

FOLDER = "data"
"""Where a volume's files are in the archives that Docker reads and writes."""
_CHUNK_BYTES = 1 << 20
_SILENT_SECONDS = 900  # a disk that is busy writes what has come before it answers
_PLAIN = {"Accept-Encoding": "identity"}  # the host need not press what is pressed already
_REARRANGED = ("wal", "chunks_head")
TakeFile = Callable[[str, int, IO[bytes]], None]
"""Takes a file's path in its volume, its length in bytes, and what its content is read from."""


class MovingError(OperationError):
    """The files changed in a way in which a copy of them is not one state."""


def has_volume(client: docker.DockerClient, name: str) -> bool:
    """Return whether a host has a volume."""
    with suppress(NotFound):
        client.volumes.get(name)
        return True
    return False


def owner_of(client: docker.DockerClient, stack: str, volume: str) -> tuple[int, int]:
    """Return the user and group, by number, whose folder a volume is; OperationError when the host is lost."""
    with _mounted(client, stack, volume, "ro") as container, _opened(client, container) as archive:
        first = archive.next()
        return (first.uid, first.gid) if first else (0, 0)


def read(client: docker.DockerClient, stack: str, volume: str, take: TakeFile) -> None:
    """Let `take` have each file of a volume, in the order of their paths, while others may be writing to it.

    A file that grows, as the log that Prometheus writes, is taken as long as it was when its turn came. Raises
    MovingError when a file came or went meanwhile at the top or in the log: so Prometheus turns its log into a block,
    and one of the two may be missing. OperationError when the host is lost.
    """
    with _mounted(client, stack, volume, "ro") as container:
        before = _changed_last(client, container)
        with _opened(client, container) as archive:
            for each in archive:
                if content := archive.extractfile(each) if each.isreg() else None:
                    take(each.name.partition("/")[2], each.size, content)
        if _changed_last(client, container) != before:
            fix = "the same command again: this is over in seconds"
            raise MovingError(f"the files of {volume} were rearranged while they were read", fix)


def fill(client: docker.DockerClient, stack: str, volume: str, archive: Iterator[bytes]) -> None:
    """Make a volume with the files of an archive, whose names begin with `FOLDER`; OperationError when that fails.

    There is none then. One that was cut short is known by its container (`discard_cut_short`).
    """
    client.volumes.create(volume, labels={STACK_LABEL: stack})
    api: Any = client.api
    before, api.timeout = api.timeout, _SILENT_SECONDS
    is_filled = False
    try:
        with _mounted(client, stack, volume, "rw", _filler(volume)) as container:
            api.put_archive(container, "/", archive)
        is_filled = True
    except (APIError, OSError) as error:
        said = str(getattr(error, "explanation", None) or error)
        fix = "make room on that host if its disk is full (docker system df), then the same command again"
        raise OperationError(f"{volume} could not be filled", fix, details=f"  docker | {said}") from error
    finally:
        api.timeout = before
        if not is_filled:  # Ctrl-C too
            with suppress(APIError, OperationError):
                client.volumes.get(volume).remove()


def discard_cut_short(client: docker.DockerClient, volume: str) -> bool:
    """Remove a volume whose filling was killed, if there is one; return whether there was."""
    try:
        filler = client.containers.get(_filler(volume))
    except NotFound:
        return False
    filler.remove(force=True)
    with suppress(NotFound):
        client.api.remove_image(filler.attrs["Image"])
    with suppress(NotFound):
        client.volumes.get(volume).remove()
    return True


def _filler(volume: str) -> str:
    return f"{volume}-fill"


@contextmanager
def _mounted(client: docker.DockerClient, stack: str, volume: str, mode: str, name: str = "") -> Iterator[str]:
    """Yield the id of a container that never starts, with a volume at `FOLDER`; it is removed afterwards."""
    api: Any = client.api
    image = json.loads(api.import_image_from_data(END))["status"]  # of nothing: one archive's end
    try:
        made = api.create_container(
            image,
            ["never"],
            name=name or f"{volume}-read-{uuid.uuid4().hex[:6]}",
            labels={STACK_LABEL: stack},
            network_disabled=True,
            host_config=api.create_host_config(binds={volume: {"bind": f"/{FOLDER}", "mode": mode}}),
        )["Id"]
        try:
            yield made
        finally:
            with suppress(NotFound):  # an update takes it for an orphan
                api.remove_container(made)
    finally:
        with suppress(NotFound):
            api.remove_image(image)


@contextmanager
def _opened(client: docker.DockerClient, container: str) -> Iterator[tarfile.TarFile]:
    params = {"path": f"/{FOLDER}"}
    try:
        with client.api.get(
            _url(client, container), params=params, headers=_PLAIN, stream=True, timeout=_SILENT_SECONDS
        ) as answer:
            answer.raise_for_status()
            with tarfile.open(fileobj=cast(IO[bytes], answer.raw), mode="r|", bufsize=_CHUNK_BYTES) as archive:
                yield archive
    except (requests.HTTPError, HTTPError, tarfile.TarError) as error:
        raise OperationError(f"Docker broke off: {error}", "the same command again") from error


def _changed_last(client: docker.DockerClient, container: str) -> list[str]:
    """Return when a file last came or went in each folder that Prometheus rearranges; "" where there is no such one."""
    found = []
    for folder in (FOLDER, *(f"{FOLDER}/{name}" for name in _REARRANGED)):
        answer = client.api.head(_url(client, container), params={"path": f"/{folder}"}, timeout=_SILENT_SECONDS)
        about = answer.headers.get("X-Docker-Container-Path-Stat", "")
        found.append(str(json.loads(base64.b64decode(about))["mtime"]) if about else "")
    return found


def _url(client: docker.DockerClient, container: str) -> str:
    return f"{client.api.base_url}/v{client.api.api_version}/containers/{container}/archive"
