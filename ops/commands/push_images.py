"""Streams the images that this checkout builds to the hosts of a stack: what they lack, over Docker's own API."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from typing import Any

import docker
from docker.errors import APIError, ImageLoadError

from images.tags import local_images
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.docker_host import Image, find
from ops.hosts.images import ImageHost, Need, builder, image_hosts, needs, wrong_architecture
from ops.progress import Report

_MEGABYTE = 1_000_000
_CHUNK_BYTES = 1 << 20
_EVERY_SECONDS = 5.0
_SILENT_SECONDS = 900  # after the last byte the host unpacks, and says nothing


@dataclass(frozen=True)
class Pushed:
    """What one host was sent: the images' references, and the bytes and seconds that they took."""

    host: str
    images: list[str]
    sent_bytes: int
    seconds: float


@dataclass(frozen=True)
class ImageAvailability:
    """One image of a stack: its bytes if known; by host `present`, `missing`, or `other` than the one built here."""

    image: str
    parts: tuple[str, ...]
    built_here: bool
    size: int | None
    hosts: dict[str, str]


def push(deployment: Deployment) -> list[Pushed]:
    """Send each host of a stack the images it lacks; what is there already is not sent again.

    Everything is looked at before anything is sent. Raises OperationError: exit code 2 when an image is not built,
    a host is not reached or has another processor, 1 when a transfer fails; what had arrived whole stays.
    """
    wanted = [need for need in needs(deployment.name, deployment.settings, local_images()) if need.built_here]
    hosts = image_hosts(deployment.hosts)
    with closing(builder()) as here:
        built = {need.reference: _built(need, here) for need in wanted}
        for host, need in product(hosts, wanted):
            if (architecture := built[need.reference].architecture) != host.architecture:
                raise wrong_architecture(host, need, [architecture])
        lacking = [
            [need for need in wanted if not built[need.reference].same(host.find(need.reference))] for host in hosts
        ]
        return [_push(host, lacks, built, here, deployment.report) for host, lacks in zip(hosts, lacking, strict=True)]


def availability(deployment: Deployment) -> list[ImageAvailability]:
    """Return where each image of a stack is; OperationError (exit code 2) when a host is not reached."""
    hosts = image_hosts(deployment.hosts)
    wanted = needs(deployment.name, deployment.settings, local_images())
    try:
        with closing(builder()) as here:
            mine = {need.reference: find(here, need.reference) for need in wanted if need.built_here}
    except OperationError:
        if not deployment.settings.is_remote:
            raise
        mine = {}  # whoever only drives other machines needs no engine here
    return [_of(need, mine.get(need.reference), hosts) for need in wanted]


def _of(need: Need, mine: Image | None, hosts: Sequence[ImageHost]) -> ImageAvailability:
    found = {host.address: host.find(need.reference) for host in hosts}
    size = next((image.size for image in (mine, *found.values()) if image), None)
    states = {address: _state(image, mine) for address, image in found.items()}
    return ImageAvailability(need.reference, need.parts, need.built_here, size, states)


def _state(image: Image | None, mine: Image | None) -> str:
    if image is None:
        return "missing"
    return "other" if mine and not mine.same(image) else "present"


def _built(need: Need, here: docker.DockerClient) -> Image:
    image = find(here, need.reference)
    if image is None:
        message = f"image {need.reference} ({', '.join(need.parts)}) is not built on this machine"
        raise OperationError(message, "./fridayctl setup builds it", EXIT_USAGE)
    return image


def _push(
    host: ImageHost, lacks: Sequence[Need], built: Mapping[str, Image], here: docker.DockerClient, report: Report
) -> Pushed:
    if not lacks:
        report("push", f"{host.address}: every image is there")
        return Pushed(host.address, [], 0, 0.0)
    references = [need.reference for need in lacks]
    about = _together(here, references)
    report("push", f"{host.address}: {len(lacks)} of {len(built)} images, about {about / _MEGABYTE:.0f} MB")
    started = time.monotonic()
    sent = _stream(host, references, about, here, report)
    for need in lacks:
        found = host.find(need.reference)
        if not built[need.reference].same(found):
            message = f"{host.address}: image {need.reference} arrived as {found.id if found else 'nothing'}"
            raise OperationError(f"{message}, not as {built[need.reference].id}", "push it again")
    seconds = time.monotonic() - started
    report("push", f"{host.address}: arrived, compared by id: {sent / _MEGABYTE:.0f} MB in {seconds:.0f} s")
    return Pushed(host.address, references, sent, round(seconds, 2))


def _together(here: docker.DockerClient, references: Sequence[str]) -> int:
    """Return the bytes of several images in one archive, where a layer that they share is once."""
    layers: dict[tuple[object, ...], int] = {}
    for reference in references:
        below: tuple[object, ...] = ()
        for layer in reversed(here.images.get(reference).history()):
            below = (*below, layer["Created"], layer["CreatedBy"])
            layers[below] = int(layer["Size"])
    return sum(layers.values())


def _stream(host: ImageHost, references: Sequence[str], about: int, here: docker.DockerClient, report: Report) -> int:
    """Send images as one archive and return its bytes; the host unpacks it once it is there, image by image."""
    progress = _Progress(host.address, about, report)
    url = f"{here.api.base_url}/v{here.api.api_version}/images/get"  # docker-py's own method takes one image only
    with here.api.get(url, params={"names": references}, stream=True, timeout=_SILENT_SECONDS) as archive:
        archive.raise_for_status()
        before, host.client.api.timeout = host.client.api.timeout, _SILENT_SECONDS
        try:
            stream: Any = progress.counted(archive.iter_content(_CHUNK_BYTES))  # what requests sends in chunks
            host.client.images.load(stream)
        except (APIError, ImageLoadError) as error:
            raise _refused(host, about, str(getattr(error, "explanation", None) or error)) from error
        finally:
            host.client.api.timeout = before
    return progress.sent


class _Progress:
    """Counts what goes by, and reports it every few seconds."""

    def __init__(self, address: str, about: int, report: Report) -> None:
        self.sent = 0
        self._address, self._about, self._report = address, about, report
        self._started = self._told = time.monotonic()

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            self.sent += len(chunk)
            now = time.monotonic()
            if now - self._told >= _EVERY_SECONDS:
                self._told = now
                done = f"{self.sent / _MEGABYTE:.0f} of about {self._about / _MEGABYTE:.0f} MB"
                self._report("push", f"{self._address}: {done}, {now - self._started:.0f} s")


def _refused(host: ImageHost, about: int, said: str) -> OperationError:
    if "no space left" in said:
        fix = f"on that host free about {2 * about / _MEGABYTE:.0f} MB: docker system df, then docker image prune"
        return OperationError(f"{host.address}: the disk of this host is full", fix, details=f"  docker | {said}")
    return OperationError(f"{host.address}: the images were not taken", "push again", details=f"  docker | {said}")
