"""The commands of Docker's command line that building images needs."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import IO, Any

from images import ImageError

# What a shell returns for a command that it does not find.
_NO_COMMAND = 127


def exist(*references: str) -> bool:
    """Return whether Docker has an image of each of these names."""
    return _docker("image", "inspect", "--format", "{{.Id}}", *references).returncode == 0


def size_mb(reference: str) -> float:
    """Return an image's size in MB (10^6 bytes), layers shared with others included."""
    return int(_checked("image", "inspect", "--format", "{{.Size}}", reference)) / 1e6


def retag(source: str, target: str) -> None:
    """Give an image a second name."""
    _checked("image", "tag", source, target)


def inspect(reference: str) -> dict[str, Any]:
    """Return what Docker knows of an image, in the words of its API."""
    found: dict[str, Any] = json.loads(_checked("image", "inspect", "--format", "{{json .}}", reference))
    return found


def steps(reference: str) -> list[str]:
    """Return what an image says of how its layers were made, from the bottom."""
    return _checked("history", "--no-trunc", "--format", "{{.CreatedBy}}", reference).splitlines()[::-1]


@contextmanager
def exported(reference: str) -> Iterator[IO[bytes]]:
    """Give an image's root file system as a tar archive, by a container of it that never runs; ImageError else."""
    container = _checked("create", "--network", "none", reference, "none")
    try:
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as exporting:
            assert exporting.stdout  # noqa: S101 - a pipe was asked for
            yield exporting.stdout
            exporting.stdout.read()  # what follows the archive's end: one that is not read to it breaks off
        if exporting.returncode:
            raise ImageError(f"docker export of {reference} failed: read its line above")
    finally:
        _docker("rm", container)


def load(archive: bytes) -> None:
    """Load an archive as `docker save` writes it."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        file.write(archive)
        file.flush()
        _checked("image", "load", "--quiet", "--input", file.name)


def remove_unnamed(image_id: str) -> None:
    """Remove an image, with those of its build's steps, unless it has a name."""
    if not inspect(image_id)["RepoTags"]:
        _checked("image", "rm", image_id)


@cache
def has_containerd_store() -> bool:
    """Return whether containerd keeps the images, and not one of Docker's own graph drivers."""
    return "io.containerd.snapshotter" in _checked("info", "--format", "{{json .DriverStatus}}")


def output_of(reference: str, command: Sequence[str]) -> str:
    """Run a command in a temporary container without network and return its output."""
    return _checked("run", "--rm", "--network", "none", reference, *command)


def remove_dangling() -> None:
    """Remove unnamed images with our stage label; a multi-stage build leaves them."""
    _docker("image", "prune", "--force", "--filter", "dangling=true", "--filter", "label=friday-litellm.stage=builder")


@cache
def has_buildkit() -> bool:
    """Return whether the command line can build with BuildKit; without the plugin only the classic builder works."""
    return _docker("buildx", "version").returncode == 0


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["docker", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # set-up asks for the images before it has made an engine
        return subprocess.CompletedProcess(command, _NO_COMMAND, "", "the docker command is not installed")


def _checked(*arguments: str) -> str:
    result = _docker(*arguments)
    if result.returncode:
        raise ImageError(f"docker {' '.join(arguments[:2])} failed: {result.stderr.strip()}")
    return result.stdout.strip()
