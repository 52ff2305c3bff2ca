"""Streams the images that this checkout builds to a stack's hosts: the layers they lack, over Docker's own API."""

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from itertools import product
from typing import Any, BinaryIO, cast

import docker
from docker.errors import APIError
from requests import HTTPError

from images.tags import local_images
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.image import Image, find
from ops.hosts.image_archive import Archive, ArchiveError, survey
from ops.hosts.images import ImageHost, Need, builder, image_hosts, needs, wrong_architecture
from ops.hosts.machine import Space, machine_of
from ops.progress import Report

ANOTHER_BUILD = "another build"
SERVING = ("present", ANOTHER_BUILD)
"""What `ImageAvailability` says of a host that can run an image."""
_MEGABYTE = 1_000_000
_EVERY_SECONDS = 5.0
_FREE_SOME = "on that host: docker system df, then docker image prune"
_SILENT_SECONDS = 900  # after the last byte the host unpacks, and says nothing
_NOT_UNPACKED = "Error unpacking image"  # containerd's image store keeps what it could not unpack, and goes on


@dataclass(frozen=True)
class Pushed:
    """What one host was sent: the images' references, and the bytes and seconds that they took.

    `left_out_bytes` are those of layers that the host had already.
    """

    host: str
    images: list[str]
    sent_bytes: int
    left_out_bytes: int
    seconds: float


@dataclass(frozen=True)
class ImageAvailability:
    """One image of a stack: its bytes if known; by host `present`, `missing`, or `other` than the one built here.

    `another build` is of the same files, by a colleague: it serves as well.
    """

    image: str
    parts: tuple[str, ...]
    built_here: bool
    size: int | None
    hosts: dict[str, str]


def push(deployment: Deployment) -> list[Pushed]:
    """Send each host of a stack the images it lacks; layers that are there already are not sent again.

    Everything is looked at before anything is sent. Raises OperationError: exit code 2 when an image is not built,
    a host is not reached, has another processor or too little room, 1 when a transfer fails; what had arrived whole
    stays.
    """
    wanted = needs(deployment.name, deployment.settings, local_images())
    return send(deployment, [need for need in wanted if need.built_here], image_hosts(deployment.hosts))


def send(deployment: Deployment, wanted: Sequence[Need], hosts: Sequence[ImageHost]) -> list[Pushed]:
    """Send some hosts of a stack what they lack of images that are built here; as `push`, with its errors."""
    with closing(builder()) as here:
        built = {need.reference: _built(need, here) for need in wanted}
        for host, need in product(hosts, wanted):
            if (architecture := built[need.reference].architecture) != host.architecture:
                raise wrong_architecture(host, need, [architecture])
        lacking = [_lacking(host, wanted, built, deployment.report) for host in hosts]
        sender = _Sender(here, built, deployment)
        return [sender.push(host, lacks) for host, lacks in zip(hosts, lacking, strict=True)]


def _lacking(host: ImageHost, wanted: Sequence[Need], built: Mapping[str, Image], report: Report) -> list[Need]:
    """Return what a host is to be sent; another build of the same files stays there, and is named."""
    states = {
        each.reference: _state(each.reference, host.find(each.reference), built[each.reference]) for each in wanted
    }
    for reference, state in states.items():
        if state == ANOTHER_BUILD:
            report("push", f"{host.address}: {ANOTHER_BUILD} of {reference} is there, and stays")
    return [need for need in wanted if states[need.reference] not in SERVING]


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
    states = {address: _state(need.reference, image, mine) for address, image in found.items()}
    return ImageAvailability(need.reference, need.parts, need.built_here, size, states)


def _state(reference: str, image: Image | None, mine: Image | None) -> str:
    if image is None:
        return "missing"
    if mine is None or mine.same(image):
        return "present"
    return ANOTHER_BUILD if image.fits(reference, mine) else "other"


def _built(need: Need, here: docker.DockerClient) -> Image:
    image = find(here, need.reference)
    if image is None:
        message = f"image {need.reference} ({', '.join(need.parts)}) is not built on this machine"
        raise OperationError(message, "./fridayctl setup builds it", EXIT_USAGE)
    return image


class _Sender:
    """Sends images of this machine's engine; what their archive is made of is read once for all hosts."""

    def __init__(self, here: docker.DockerClient, built: Mapping[str, Image], deployment: Deployment) -> None:
        self._here, self._built = here, built
        self._report, self._settings = deployment.report, deployment.settings
        self._surveyed: dict[tuple[str, ...], Archive] = {}

    def push(self, host: ImageHost, lacks: Sequence[Need]) -> Pushed:
        """Send a host the layers that it lacks, and see that the images are there then as they are here."""
        if not lacks:
            self._report("push", f"{host.address}: every image is there")
            return Pushed(host.address, [], 0, 0, 0.0)
        references = tuple(need.reference for need in lacks)
        archive = self._survey(references)
        known = archive.known(host.chains())
        whole, part = archive.size(), archive.size(known)
        there = f", {_megabytes(whole - part)} MB are there" if known else ""
        about = f"{len(lacks)} of {len(self._built)} images, {_megabytes(part)} MB to send{there}"
        self._report("push", f"{host.address}: {about}")
        self._require_room(host, part)
        started = time.monotonic()
        sent, problem = part, self._deliver(host, references, archive, known)
        if problem and known and not _is_full(problem.details):
            # Another process may have removed a layer since; and an image store may hold it in another form.
            said = f" ({problem.details.strip()})" if problem.details else ""
            self._report("push", f"{host.address}: not whole without them{said}: now all {_megabytes(whole)} MB")
            sent, problem = sent + whole, self._deliver(host, references, archive, frozenset())
        if problem:
            raise problem
        seconds = time.monotonic() - started
        took = f"{_megabytes(sent)} MB in {seconds:.0f} s"
        there = f", {_megabytes(whole - sent)} MB were there already" if sent < whole else ""
        self._report("push", f"{host.address}: arrived, compared by id: {took}{there}")
        return Pushed(host.address, list(references), sent, max(0, whole - sent), round(seconds, 2))

    def _require_room(self, host: ImageHost, size: int) -> None:
        """Raise OperationError (exit code 2) when a host has no room for an archive and for what is in it.

        Containerd's image store reports a full disk as a success. Where the disk is not known the host has its say.
        """
        daemon = host.traits
        space = machine_of(host.address, self._settings).space(daemon)
        if isinstance(space, Space):
            folder, free = space.of_images(daemon.folder)
            needed = max(2 * size, daemon.room(size))
            if free < needed:
                said = f"{_megabytes(needed)} MB for what comes, packed and unpacked, {_megabytes(free)} MB free"
                raise OperationError(f"{host.address}: too little disk: {said} in {folder}", _FREE_SOME, EXIT_USAGE)

    def _survey(self, references: tuple[str, ...]) -> Archive:
        if references not in self._surveyed:
            self._report("push", "reading what the images here consist of")  # it takes seconds
            with self._saved(references) as source:
                self._surveyed[references] = survey(source)
        return self._surveyed[references]

    def _deliver(
        self, host: ImageHost, references: Sequence[str], archive: Archive, without: Set[str]
    ) -> OperationError | None:
        """Send the images without some members of their archive; return why they are not there then."""
        size = archive.size(without)
        with self._saved(references) as source:
            progress = _Progress(host.address, size, self._report)
            said = _load(host, progress.counted(archive.written(source, without)))
        if said:
            needed = archive.size() if said.startswith(_NOT_UNPACKED) else 2 * size  # else files and what is in them
            return _refused(host, needed, said)
        for reference in references:
            found = host.find(reference)
            if not self._built[reference].same(found):
                message = f"{host.address}: image {reference} arrived as {found.id if found else 'nothing'}"
                return OperationError(f"{message}, not as {self._built[reference].id}", "push it again")
        return None

    @contextmanager
    def _saved(self, references: Sequence[str]) -> Iterator[BinaryIO]:
        """Open the archive of images that this machine's engine writes."""
        url = f"{self._here.api.base_url}/v{self._here.api.api_version}/images/get"  # docker-py's takes one image only
        params = {"names": references}
        try:
            with self._here.api.get(url, params=params, stream=True, timeout=_SILENT_SECONDS) as answer:
                answer.raise_for_status()
                yield cast(BinaryIO, answer.raw)
        except (ArchiveError, HTTPError) as error:
            raise OperationError(f"Docker on this machine: {error}", "push again") from error


def _load(host: ImageHost, archive: Iterator[bytes]) -> str:
    """Let a host load an archive; return what it says against that. It unpacks once everything is there."""
    before, host.client.api.timeout = host.client.api.timeout, _SILENT_SECONDS
    try:
        api: Any = host.client.api  # of its answer the library says nothing; requests sends an iterator in chunks
        for line in api.load_image(archive):
            if "error" in line:
                return str(line["error"])
            if str(line.get("stream", "")).startswith(_NOT_UNPACKED):
                return str(line["stream"]).strip()
    except APIError as error:
        return str(error.explanation or error)
    except (OSError, HTTPException) as error:  # out of the answer, which the library reads by itself
        raise OperationError(f"{host.address}: connection lost while it unpacked: {error}", "push again") from error
    finally:
        host.client.api.timeout = before
    return ""


class _Progress:
    """Counts what goes by, and reports it every few seconds."""

    def __init__(self, address: str, size: int, report: Report) -> None:
        self._sent = 0
        self._address, self._size, self._report = address, size, report
        self._started = self._told = time.monotonic()

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            self._sent += len(chunk)
            now = time.monotonic()
            if now - self._told >= _EVERY_SECONDS:
                self._told = now
                done = f"{_megabytes(self._sent)} of {_megabytes(self._size)} MB"
                self._report("push", f"{self._address}: {done}, {now - self._started:.0f} s")


def _refused(host: ImageHost, needed: int, said: str) -> OperationError:
    details = f"  docker | {said}"
    if _is_full(said):
        fix = f"on that host free about {_megabytes(needed)} MB: docker system df, then docker image prune"
        return OperationError(f"{host.address}: the disk of this host is full", fix, details=details)
    return OperationError(f"{host.address}: the images were not taken", "push again", details=details)


def _is_full(said: str) -> bool:
    return "no space left" in said


def _megabytes(size: int) -> str:
    value = size / _MEGABYTE
    return f"{value:.0f}" if value >= 10 or not value else f"{value:.2g}"  # 0.017, 7.1, 130
