"""Which images a stack needs, which of its hosts hold them, and what is wrong before an update finds out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import docker
from docker.errors import APIError
from docker.utils import version_lt

from components.parts import declare
from components.settings.hosts import SshSettings, TlsSettings
from components.settings.stack import StackSettings
from components.workload import Workload
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.connection import connect
from ops.hosts.hosts import Hosts
from ops.hosts.image import Image, find
from ops.hosts.image_archive import Chain
from toolchain import docker_endpoint, engine_traits
from toolchain.docker_endpoint import Endpoint
from toolchain.engine_traits import Traits

_TELLS_WHAT_IS_THERE = "1.48"  # the first API in which containerd's image store says whether an image is whole


@dataclass(frozen=True)
class Need:
    """One image of a stack: its reference, the parts that run it, and whether this checkout builds it."""

    reference: str
    parts: tuple[str, ...]
    built_here: bool


@dataclass(frozen=True)
class ImageHost:
    """A Docker daemon that runs a stack's containers, by the address that the stack file has."""

    address: str
    client: docker.DockerClient
    architecture: str

    def find(self, reference: str) -> Image | None:
        """Return an image that the daemon holds."""
        return find(self.client, reference)

    def chains(self) -> set[Chain]:
        """Return the layers that an archive for this daemon may leave out.

        There are none where nobody could tell afterwards whether an image that arrived without a layer is whole.
        """
        if version_lt(self.client.api.api_version, _TELLS_WHAT_IS_THERE) and self.traits.containerd_store:
            return set()
        held = [self.find(each) for each in {str(image["Id"]) for image in self.client.api.images()}]
        layers = [image.layers for image in held if image]
        return {each[:number] for each in layers for number in range(1, len(each) + 1)}

    @property
    def traits(self) -> Traits:
        """Return what the daemon says of itself, asked now."""
        return engine_traits.read(self.client.info())


def needs(stack: str, settings: StackSettings, built: Mapping[str, str]) -> list[Need]:
    """Return what `needs_of` does for the parts that a stack's settings declare."""
    return needs_of(declare(stack, settings, built), built)


def needs_of(workloads: Sequence[Workload], built: Mapping[str, str]) -> list[Need]:
    """Return each image that workloads are made of, once; `built` are the local builds by part."""
    parts: dict[str, list[str]] = {}
    for workload in workloads:
        parts.setdefault(workload.image, []).append(workload.part)
    return [Need(reference, tuple(found), reference in built.values()) for reference, found in parts.items()]


def image_hosts(hosts: Hosts) -> list[ImageHost]:
    """Return every host of a stack as what holds images; OperationError (exit code 2) when one is not reached."""
    clients = {address: hosts.client(address) for address in hosts.addresses}
    return [image_host(address, client) for address, client in clients.items()]


def image_host(address: str, client: docker.DockerClient) -> ImageHost:
    """Return a daemon as what holds images."""
    return ImageHost(address, client, str(client.version()["Arch"]))


def builder(used: Endpoint | None = None) -> docker.DockerClient:
    """Return the daemon that builds the images (default: the one that `docker` uses).

    Raises OperationError (exit code 2) when it does not answer, or its address is none.
    """
    used = used or docker_endpoint.endpoint()
    if not used.address.startswith(("unix:///", "ssh://", "tcp://")):
        message = f"{used.shown}: should be unix:///path, ssh://user@host[:port] or tcp://host:port"
        raise OperationError(message, used.undo or "docker context ls shows what there is", EXIT_USAGE)
    tls = None
    if folder := used.tls_folder:
        tls = TlsSettings(ca_file=folder / "ca.pem", cert_file=folder / "cert.pem", key_file=folder / "key.pem")
    return connect(used.address, SshSettings(), tls)


def builder_here() -> ImageHost | None:
    """Return the daemon that builds the images; whoever only drives other machines has none."""
    try:
        return image_host("this machine", builder())
    except OperationError:
        return None


def problems(
    stack: str,
    wanted: Sequence[Need],
    host: ImageHost,
    held: Mapping[str, Image | None],
    built: Mapping[str, Image | None],
) -> list[OperationError]:
    """Return what would stop an update, each with its fix: images missing on a host, other than named, or unfit.

    `held` are the images as the host has them, `built` as this machine does, by their references. An image of a
    registry that the host does not hold yet is asked for there.
    """
    missing = [need.reference for need in wanted if need.built_here and held[need.reference] is None]
    found = []
    if missing:
        message = f"{host.address}: lacks images that this checkout builds: {', '.join(missing)}"
        found.append(OperationError(message, f"./fridayctl images push {stack}", EXIT_USAGE))
    for need in wanted:
        if need.reference not in missing:
            try:
                _require_fit(stack, need, host, held[need.reference], built.get(need.reference))
            except OperationError as problem:
                found.append(problem)
    return found


def _require_fit(stack: str, need: Need, host: ImageHost, image: Image | None, mine: Image | None) -> None:
    if image and mine and not image.fits(need.reference, mine):
        text = f"is {image.id} there and {mine.id} here: not the same image"
        fix = f"./fridayctl images push {stack}; where several machines build, name images of a registry by digest"
        raise _refusal(host, need, text, fix)
    architectures = {image.architecture} if image else _offered(need, host)
    if host.architecture not in architectures:
        raise wrong_architecture(host, need, sorted(architectures))


def lost(need: Need, host: ImageHost, here: ImageHost | None) -> OperationError | None:
    """Return why a host neither holds an image nor is given it, by a registry or from `here`; None when it can run it.

    `here` is the engine that builds images, None where there is none.
    """
    if host.find(need.reference):
        return None
    if need.built_here:
        if here and here.find(need.reference):
            return None
        message = f"{host.address}: lacks an image that this checkout builds, and this machine has not built it"
        return OperationError(f"{message}: {need.reference}", "./fridayctl setup builds it; then again", EXIT_USAGE)
    try:
        _offered(need, host)
    except OperationError as error:
        return error
    return None


def _offered(need: Need, host: ImageHost) -> set[str]:
    """Return the architectures that a registry offers to a host; OperationError (exit code 2) in words."""
    try:
        offered = host.client.images.get_registry_data(need.reference).attrs["Platforms"]
    except APIError as error:
        raise unavailable(need, host, str(error.explanation or error)) from error
    return {str(platform["architecture"]) for platform in offered or ()}


def pull(need: Need, host: ImageHost) -> None:
    """Let a host pull an image of a registry; OperationError (exit code 2) in words.

    The daemon compares the digest. This machine's `docker login` is handed on, the host needs none of its own.
    """
    repository, separator, version = need.reference.partition("@")
    if not separator:
        repository, _, version = need.reference.rpartition(":")
    try:
        for line in host.client.api.pull(repository, tag=version, stream=True, decode=True):
            if "error" in line:
                raise unavailable(need, host, str(line["error"]))
    except APIError as error:
        raise unavailable(need, host, str(error.explanation or error)) from error


def unavailable(need: Need, host: ImageHost, said: str) -> OperationError:
    """Return the words for a registry that does not give an image to a host."""
    if "verification failed" in said:
        what = "the registry serves something else under this digest"
        fix = "do not deploy it; push the right image again and name the digest that docker push prints"
    elif "no space left" in said:
        what, fix = "the disk of this host is full", "on that host: docker system df, then docker image prune"
    elif "unauthorized" in said or "denied" in said:
        what, fix = "the registry wants a login", "docker login on this machine: it is handed on to the host"
    elif "not found" in said or "manifest unknown" in said:
        what, fix = "the registry does not have it", "correct the reference in the stack file: docker push prints it"
    else:
        what = "the registry cannot be asked from this host"
        fix = f"on that host: docker pull {need.reference} shows why"
    return OperationError(f"{host.address}: image {need.reference}: {what}", fix, EXIT_USAGE, f"  registry | {said}")


def wrong_architecture(host: ImageHost, need: Need, found: Sequence[str]) -> OperationError:
    """Return the words for an image that this host's processor cannot run."""
    text = f"is for {', '.join(found) or 'an unknown processor'}, and this host is {host.architecture}"
    return _refusal(host, need, text, f"build it for {host.architecture} and name that image")


def _refusal(host: ImageHost, need: Need, text: str, fix: str) -> OperationError:
    return OperationError(f"{host.address}: image {need.reference} ({', '.join(need.parts)}) {text}", fix, EXIT_USAGE)
