"""Collects what preflight judges: asks the engines and the machines below them, and changes nothing."""

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import docker
from docker.errors import DockerException

from components.certificate import Certificate
from components.edge import certificate_of
from components.parts import declare
from components.settings.stack import StackSettings
from components.workload import Workload
from images.tags import local_images
from ops.checks.preflight.host_networks import HostNetwork, networks_of
from ops.checks.preflight.upstream import NOT_ASKED, Upstream, learn
from ops.checks.rollback_target import Shelf
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import images, ssh_limits, swarm_nodes
from ops.hosts.docker_host import STACK_LABEL, DockerHost
from ops.hosts.edge_certificate import served_last
from ops.hosts.image import Image, find
from ops.hosts.images import ImageHost, Need
from ops.hosts.machine import Space, machine_of, port_holders, seconds_apart
from ops.hosts.ssh_limits import SshLimits
from ops.hosts.swarm_nodes import Node
from ops.rollout.history import Entry, deployed, good_targets
from ops.stacks.stacks import open_known, read_history, require_readable
from toolchain import docker_endpoint, engine_traits
from toolchain.docker_endpoint import Endpoint
from toolchain.docker_engine import Engine, described
from toolchain.engine_traits import Traits

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Swarm:
    """What an engine says of its Swarm; `nodes` (by id) are known to managers only."""

    active: bool = False
    manager: bool = False
    node: str = ""
    nodes: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """The images of a stack on one host: how many are there, and of each other what it takes there.

    That is in bytes, None where it is not known.
    """

    present: int = 0
    compared: bool = True  # with those of this machine's engine, if that has built them
    missing: tuple[tuple[Need, int | None], ...] = ()
    problems: tuple[OperationError, ...] = ()


@dataclass(frozen=True)
class HostFacts:
    """One host that was reached.

    `seconds_apart` is how far its clock is ahead, beyond doubt. `holders` are who else holds the port of a setting,
    None where the host cannot tell. `published` are the settings whose port the stack itself publishes. `memory` is
    all that the machine has, in bytes; `space` is what is free, or why that is not known, None when it was not asked.
    `own_memory` is what the stack itself uses there now, in bytes: 0 when it was not asked, for instance because there
    is enough without it. `networks` are by name, none where Friday joins no other than the stack's. `ssh` is None
    where it was not asked, or is not the way there.
    """

    engine: Engine
    architecture: str
    seconds_apart: float
    memory: int
    swarm: Swarm
    images: Held
    holders: Mapping[str, str | None]
    traits: Traits = field(default_factory=Traits)
    published: frozenset[str] = frozenset()
    space: Space | str | None = None
    own_memory: int = 0
    networks: Mapping[str, HostNetwork] = field(default_factory=dict)
    ssh: SshLimits | None = None


@dataclass(frozen=True)
class RestoreFacts:
    """Where a rollback could go to: the update that runs, the last good one, and why one could not be made again."""

    current: Entry | None = None
    current_problem: OperationError | None = None
    target: Entry | None = None
    target_problem: OperationError | None = None


@dataclass(frozen=True)
class Builder:
    """The engine that builds the images of this checkout, and each of them as it holds it."""

    endpoint: Endpoint
    traits: Traits
    images: Mapping[str, Image | None]


@dataclass(frozen=True)
class Facts:
    """All that is known before a verdict: the settings, what they declare, and each host or why it is not reached."""

    stack: str
    settings: StackSettings
    workloads: Sequence[Workload]
    hosts: Mapping[str, HostFacts | OperationError]
    upstream: Upstream = NOT_ASKED
    restore: RestoreFacts | OperationError | None = None  # None: not asked for
    builder: Builder | OperationError | None = None  # None: nothing of the stack is built here, or there is no engine
    certificate: Certificate | None = None  # None: users come without HTTPS
    served_until: datetime | None = None  # when the one ends that an edge serves now; None: none does, or none says so
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    restoring: bool = False  # what is asked for is a way back


class Collector:
    """Asks the hosts of a stack and its upstream side by side.

    `thorough` also asks what takes longer, and the history; without `upstream` OpenRouter is left alone.
    """

    def __init__(self, deployment: Deployment, *, thorough: bool, upstream: bool = True) -> None:
        self._deployment = deployment
        self._stack, self._settings = stack, settings = deployment.name, deployment.settings
        self._thorough = thorough
        self._upstream = upstream
        built = local_images()
        self._workloads = declare(stack, settings, built)
        self._needs = images.needs_of(self._workloads, built)

    def collect(self) -> Facts:
        """Return the facts."""
        workloads, addresses = self._workloads, self._settings.hosts
        with ThreadPoolExecutor(len(addresses) + 3) as pool:
            built = pool.submit(self._builder)
            found = {address: pool.submit(self._host, address, built) for address in addresses}

            def reached() -> list[DockerHost]:
                wait(found.values())  # so that their connections are free: each more is a handshake
                return list(self._deployment.hosts.connected.values())

            upstream = pool.submit(learn, self._deployment, workloads, reached) if self._upstream else None
            history = pool.submit(_history, self._stack) if self._thorough else None
            hosts = {address: host.result() for address, host in found.items()}
            restore = self._restore(history.result(), hosts) if history else None
            learned = upstream.result() if upstream else NOT_ASKED
            certificate = certificate_of(self._stack, self._settings)
            served = served_last(reached(), self._stack) if certificate else None
            return Facts(
                self._stack, self._settings, workloads, hosts, learned, restore, built.result(), certificate, served
            )

    def _restore(
        self, entries: Sequence[Entry] | OperationError, hosts: Mapping[str, HostFacts | OperationError]
    ) -> RestoreFacts | OperationError:
        if isinstance(entries, OperationError):
            return entries
        reached = [
            ImageHost(address, self._deployment.hosts.client(address), host.architecture)
            for address, host in hosts.items()
            if isinstance(host, HostFacts)
        ]
        shelf = Shelf(self._stack, reached)
        current, target = deployed(entries), next(iter(good_targets(entries)), None)
        # Whether what is built here is there, is the check of images already.
        problems = [shelf.problem(each, built_here=False) if each else None for each in (current, target)]
        return RestoreFacts(current, problems[0], target, problems[1])

    def _builder(self) -> Builder | OperationError | None:
        """Return the engine that builds the images; it is not asked when the stack runs none that is built here."""
        wanted = [need.reference for need in self._needs if need.built_here]
        if not wanted:
            return None
        endpoint = docker_endpoint.endpoint()
        try:
            with closing(images.builder(endpoint)) as here:
                traits = engine_traits.read(here.info())
                return Builder(endpoint, traits, {reference: find(here, reference) for reference in wanted})
        except OperationError as error:
            # Whoever only drives other machines needs none here. The names alone say what an image was made of.
            return None if self._settings.is_remote else error

    def _host(self, address: str, built: Future[Builder | OperationError | None]) -> HostFacts | OperationError:
        try:
            return self._facts(address, self._deployment.hosts.client(address), built.result())
        except OperationError as error:
            return error
        except DockerException as error:
            fix = "fix what its daemon says, or upgrade it: https://docs.docker.com/engine/install"
            return OperationError(f"{address}: its Docker daemon refuses an answer: {error}", fix, EXIT_USAGE)

    def _facts(self, address: str, client: docker.DockerClient, built: Builder | OperationError | None) -> HostFacts:
        before = time.time()
        info: dict[str, Any] = client.info()
        after = time.time()
        version: dict[str, Any] = client.version()
        traits = engine_traits.read(info)
        held = self._images(ImageHost(address, client, str(version["Arch"])), traits, built)
        machine = machine_of(address, self._settings)
        publishing = DockerHost(client).published_ports()
        # Whatever comes to a host that lacks images needs room before it comes.
        space = machine.space(traits) if self._thorough or held.missing else None
        limits = memory_limits(self._workloads, len(self._settings.hosts))
        # An engine takes a second for each container: they are asked only where the answer decides.
        by_ssh = self._thorough and address.startswith("ssh://")
        tight = self._thorough and isinstance(space, Space) and space.memory < limits
        return HostFacts(
            engine=described(version),
            architecture=str(version["Arch"]),
            seconds_apart=seconds_apart(str(info["SystemTime"]), before, after),
            memory=int(info["MemTotal"]),
            swarm=_swarm(info["Swarm"], client),
            images=held,
            holders=port_holders(self._stack, self._settings, publishing, machine.listener),
            traits=traits,
            published=frozenset(
                setting
                for setting, (_, port) in self._settings.host_ports.items()
                if publishing.get(port, ("", ""))[1] == self._stack
            ),
            space=space,
            own_memory=_own_memory(self._stack, client) if tight else 0,
            networks=networks_of(client) if self._settings.friday.networks else {},
            ssh=ssh_limits.measure(address, self._settings.ssh) if by_ssh else None,
        )

    def _images(self, host: ImageHost, traits: Traits, built: Builder | OperationError | None) -> Held:
        if isinstance(built, OperationError):
            return Held(problems=(built,))
        here = built.images if built else {}
        held = {need.reference: host.find(need.reference) for need in self._needs}
        missing = [need for need in self._needs if held[need.reference] is None]

        def takes(need: Need) -> int | None:
            if not built or not (image := here.get(need.reference)):
                return None
            # A containerd store counts what it holds packed and unpacked already.
            return image.size if built.traits.containerd_store else traits.room(image.size)

        return Held(
            present=len(self._needs) - len(missing),
            compared=built is not None or not any(need.built_here for need in self._needs),
            missing=tuple((need, takes(need)) for need in missing),
            problems=tuple(images.problems(self._stack, self._needs, host, held, here)),
        )


def memory_limits(workloads: Sequence[Workload], hosts: int) -> int:
    """Return the bytes that a stack's parts may use on one host. A Swarm spreads replicas; one alone goes anywhere."""
    return sum(each.memory_mb * math.ceil(each.replicas / hosts) for each in workloads) * MEBIBYTE


def _history(stack: str) -> list[Entry] | OperationError:
    """Return a stack's history, nothing for a stack that its backend does not know."""
    try:
        opened = open_known(stack)
        if opened is None:
            return []
        require_readable(opened)  # an update, or a rollback, needs more than the history
        return read_history(opened)
    except OperationError as error:
        return error


def _swarm(info: Mapping[str, Any], client: docker.DockerClient) -> Swarm:
    manager = bool(info["ControlAvailable"])
    known = swarm_nodes.nodes(client.api) if manager else {}
    return Swarm(info["LocalNodeState"] == "active", manager, str(info["NodeID"]), known)


def _own_memory(stack: str, client: docker.DockerClient) -> int:
    """Return the bytes that a stack's containers use, without the files that the kernel would let go of."""
    running = client.api.containers(filters={"label": f"{STACK_LABEL}={stack}"})
    found = [client.api.stats(each["Id"], stream=False, one_shot=True).get("memory_stats", {}) for each in running]
    return sum(each.get("usage", 0) - each.get("stats", {}).get("inactive_file", 0) for each in found)
