"""A volume's files, out of a real engine and into it, without anything that runs there."""

import io
import tarfile
import uuid
from collections.abc import Iterator
from typing import IO

import docker
import pytest
from docker.errors import NotFound

from ops.errors import OperationError
from ops.hosts import volumes
from toolchain.tar_members import END, header, padding

pytestmark = [pytest.mark.engine, pytest.mark.beside]

OWNER = (10001, 10002)
FILES = {"wal/00000001": b"seen " * 1000, "wal/checkpoint/00": b"", "lock": b"x"}


@pytest.fixture(scope="module")
def client() -> docker.DockerClient:
    return docker.from_env()


@pytest.fixture
def volume(client: docker.DockerClient) -> Iterator[str]:
    """A name for a volume, and for what is made beside it; nothing of it is left."""
    name = f"friday-t-{uuid.uuid4().hex[:8]}"
    yield name
    for each in client.containers.list(all=True, filters={"name": name}):
        each.remove(force=True)
    for found in client.volumes.list(filters={"name": name}):
        found.remove()


def empty_images(client: docker.DockerClient) -> set[str]:
    return {str(each["Id"]) for each in client.api.images() if not each["Size"]}


def archive(files: dict[str, bytes]) -> Iterator[bytes]:
    yield header("data", folder=True, owner=OWNER)
    for folder in ("wal", "wal/checkpoint"):
        yield header(f"data/{folder}", folder=True, owner=OWNER)
    for name, content in files.items():
        yield header(f"data/{name}", len(content), owner=OWNER)
        yield from (each for each in (content, padding(len(content))) if each)
    yield END


def read(client: docker.DockerClient, volume: str) -> dict[str, bytes]:
    found = {}

    def take(path: str, size: int, content: IO[bytes]) -> None:
        found[path] = content.read()
        assert len(found[path]) == size

    volumes.read(client, "t", volume, take)
    return found


def test_what_is_put_in_comes_out(client: docker.DockerClient, volume: str) -> None:
    before = empty_images(client)
    assert not volumes.has_volume(client, volume)
    volumes.fill(client, "t", volume, archive(FILES))
    assert volumes.has_volume(client, volume)
    assert read(client, volume) == FILES
    assert volumes.owner_of(client, "t", volume) == OWNER
    assert client.volumes.get(volume).attrs["Labels"] == {"friday-litellm.stack": "t"}
    assert not client.containers.list(all=True, filters={"name": volume})
    assert empty_images(client) == before
    assert not volumes.discard_cut_short(client, volume)


def test_a_filling_that_fails_leaves_no_volume(client: docker.DockerClient, volume: str) -> None:
    def broken() -> Iterator[bytes]:
        yield header("data", folder=True, owner=OWNER)
        yield header("data/wal", 1000)

    with pytest.raises(OperationError, match="could not be filled"):
        volumes.fill(client, "t", volume, broken())
    assert not volumes.has_volume(client, volume)


def test_one_that_was_killed_is_known_and_removed(client: docker.DockerClient, volume: str) -> None:
    class Killed(BaseException):
        """The process ends here."""

    def killed() -> Iterator[bytes]:
        yield header("data", folder=True, owner=OWNER)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        # A process that is killed tidies nothing up.
        patch.setattr(docker.APIClient, "remove_container", lambda *_, **__: None)
        patch.setattr(docker.APIClient, "remove_image", lambda *_, **__: None)
        patch.setattr(docker.APIClient, "remove_volume", lambda *_, **__: None)
        with pytest.raises(Killed):
            volumes.fill(client, "t", volume, killed())
    assert volumes.has_volume(client, volume)
    assert volumes.discard_cut_short(client, volume)
    assert not volumes.has_volume(client, volume)
    with pytest.raises(NotFound):
        client.containers.get(f"{volume}-fill")


def test_a_file_that_grows_is_taken_as_long_as_it_was(client: docker.DockerClient, volume: str) -> None:
    volumes.fill(client, "t", volume, archive({"wal/00000001": b"x" * 4_000_000}))
    grows = client.containers.run(
        _image(client),
        ["bash", "-c", "while :; do printf %01000d 1; done >> /data/wal/00000001"],
        entrypoint=[],
        user="0",
        name=f"{volume}-writer",
        volumes={volume: {"bind": "/data", "mode": "rw"}},
        network_mode="none",
        detach=True,
    )
    try:
        found = read(client, volume)
    finally:
        grows.remove(force=True)
    assert len(found["wal/00000001"]) >= 4_000_000


def test_files_that_come_meanwhile_are_noticed(client: docker.DockerClient, volume: str) -> None:
    volumes.fill(client, "t", volume, archive(FILES))
    more = io.BytesIO()
    with tarfile.open(fileobj=more, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("00000002"), io.BytesIO())
    writer = client.containers.create(
        _image(client), ["never"], volumes={volume: {"bind": "/data"}}, name=f"{volume}-w"
    )

    def take(_: str, __: int, ___: IO[bytes]) -> None:
        writer.put_archive("/data/wal", more.getvalue())

    with pytest.raises(volumes.MovingError, match="were rearranged"):
        volumes.read(client, "t", volume, take)


def _image(client: docker.DockerClient) -> str:
    """Return an image with a shell: Prometheus' own."""
    tags = [str(tag) for each in client.api.images() for tag in each["RepoTags"] or ()]
    return next(tag for tag in tags if tag.startswith("friday-litellm/prometheus:"))
