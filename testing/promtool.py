"""Runs promtool's tests of rules in a container of Prometheus' image: one container for many tests."""

import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import docker
from docker.models.containers import Container

from images.tags import local_images

_FOLDER = "/tmp"  # noqa: S108 - the container's own


class Promtool:
    """The `promtool` of a running container, which has nothing to do but this."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def run(self, files: Mapping[str, str], *arguments: str) -> tuple[int, str]:
        """Run it beside these files, given by their names; return its exit code and what it says."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(text.encode()), 0o644
                archive.addfile(member, io.BytesIO(text.encode()))
        self._container.put_archive(_FOLDER, packed.getvalue())
        code, said = self._container.exec_run(["promtool", *arguments], workdir=_FOLDER)
        assert code is not None
        assert isinstance(said, bytes)
        return code, said.decode()


@contextmanager
def promtool() -> Iterator[Promtool]:
    """Yield a promtool, of the release that stacks run."""
    engine = docker.from_env()
    container = engine.containers.run(
        local_images()["prometheus"], ["infinity"], entrypoint=["sleep"], network_mode="none", detach=True
    )
    try:
        yield Promtool(container)
    finally:
        container.remove(force=True, v=True)
        engine.close()
