"""Compares containers, as `docker inspect` shows them, with the workload that a part declares: plain data only."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.container_engine import files_name, instance_of
from components.friday_environment import REQUIRED, VARIABLES
from components.swarm_service import dropped_capabilities
from components.workload import Workload
from ops.checks.report import Check, compared
from ops.hosts.docker_host import JOB_LABEL, PART_LABEL, REPLICA_LABEL

MEBIBYTE = 1024 * 1024
_LOGS = {"max-file": "3", "max-size": "10m"}


@dataclass(frozen=True)
class InspectedContainer:
    """One container of a stack, with all that `docker inspect` says of it."""

    stack: str
    inspected: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.inspected["Name"]).lstrip("/")

    @property
    def short(self) -> str:
        """Its name without the stack's."""
        return self.name.removeprefix(f"friday-{self.stack}-")

    @property
    def part(self) -> str:
        """The part that it is a replica of; empty for one that only holds files."""
        return self._labels.get(PART_LABEL, "") if REPLICA_LABEL in self._labels else ""

    @property
    def is_job(self) -> bool:
        """Return whether it ran, or runs, once: a migration."""
        return JOB_LABEL in self._labels

    @property
    def _labels(self) -> Mapping[str, str]:
        return self.inspected["Config"]["Labels"] or {}

    @property
    def running(self) -> bool:
        """Return whether commands can be run in it."""
        return str(self.inspected["State"]["Status"]) == "running"

    @property
    def env(self) -> dict[str, str]:
        """Its environment, the image's variables included."""
        return dict(entry.split("=", 1) for entry in self.inspected["Config"]["Env"] or ())

    @property
    def published(self) -> set[tuple[str, int, int]]:
        """What it publishes: (address of the host, port of the host, port of the container)."""
        ports: Mapping[str, Any] = self.inspected["NetworkSettings"]["Ports"] or {}
        return {
            (binding["HostIp"], int(binding["HostPort"]), int(port.split("/")[0]))
            for port, bindings in ports.items()
            for binding in bindings or ()
            if ":" not in binding["HostIp"]  # an IPv6 twin of the same binding
        }


@dataclass(frozen=True)
class Comparison:
    """One part's containers on one host, beside what the part declares; `image_id` is what its reference names there,
    and `built_here` whether this checkout builds it.

    In a Swarm the engine itself counts replicas, names containers and restarts them.
    """

    workload: Workload
    seen: Sequence[InspectedContainer]
    image_id: str
    built_here: bool
    stack: str
    swarm: bool

    def checks(self, secrets: Mapping[str, str]) -> list[Check]:
        """Return every check that needs no look inside; `secrets` are values by their settings' names."""
        part = self.workload.part
        number = [] if self.swarm else [compared(part, "runs in the declared number", self._number())]
        made_of = f"made of {self.workload.image}"
        no_image = compared(part, made_of, [f"{self.workload.image} is not on this host; {self._sends}"])
        if not self.seen:
            # The rest would be said of nothing, but what is missing has to be made of something.
            return [*number, *([] if self.image_id or not self.workload.replicas else [no_image])]
        networks = [*self.workload.networks, *self.workload.outer_networks]
        own_folders = {*self.workload.tmpfs, *self.workload.volumes}
        ports = ", ".join(f"{address}:{port}" for address, port, _ in sorted(self._declared_ports()))
        return [
            *number,
            self._each(f"healthy ({len(self.seen)})", self._health),
            *([] if self.workload.image_stays else [self._each(made_of, self._image) if self.image_id else no_image]),
            self._each("command and user as declared", self._command),
            self._each("environment as declared", self._environment),
            *([self._each("may write to the folders that are declared", self._folders)] if own_folders else []),
            self._each("locked down: privileges, memory, logs, root file system", self._confinement),
            self._each(f"publishes {ports or 'no port'}", self._ports),
            self._each(f"only on the networks {', '.join(networks)}", self._networks),
            self._each("shows no secret to docker inspect", lambda each: self._secrets(each, secrets)),
        ]

    @property
    def _sends(self) -> str:
        """Return what brings the part's image to the host: nobody else has one that is built here."""
        if self.built_here:
            return f"./fridayctl setup && ./fridayctl images push {self.stack} brings it"
        return f"the next ./fridayctl up {self.stack} pulls it"

    def _each(self, name: str, problems: Callable[[InspectedContainer], Iterable[str]]) -> Check:
        found = (f"{each.short}: {problem}" for each in self.seen for problem in problems(each))
        return compared(self.workload.part, name, found)

    def _number(self) -> Iterator[str]:
        wanted = set(self.workload.instance_names())
        found: set[str] = set()
        for each in sorted(self.seen, key=lambda each: each.name):
            instance = instance_of(self.stack, self.workload, each.name)
            if instance not in wanted or instance in found:
                yield f"{each.name} is not what the stack file declares now; ./fridayctl up {self.stack} replaces it"
            found.add(instance)
        yield from (f"friday-{self.stack}-{instance} is missing" for instance in sorted(wanted - found))

    def _health(self, each: InspectedContainer) -> Iterator[str]:
        state = each.inspected["State"]
        health = state.get("Health", {}).get("Status", "no probe")
        if not each.running or health != "healthy":
            yield f"{state['Status']}, {health}"

    def _image(self, each: InspectedContainer) -> Iterator[str]:
        if each.inspected["Image"] != self.image_id:
            yield f"runs {each.inspected['Image']}, and that name is {self.image_id}"

    def _command(self, each: InspectedContainer) -> Iterator[str]:
        config = each.inspected["Config"]
        command = [*(config["Entrypoint"] or ()), *(config["Cmd"] or ())]
        # What an earlier version declared stays as it is.
        declared = [list(each.command) for each in (self.workload, self.workload.earlier) if each and each.command]
        if declared and command not in declared:
            yield f"runs {' '.join(command)}, declared is {' '.join(self.workload.command)}"
        if config["User"] != self.workload.user:
            yield f"user {config['User'] or 'root'}, declared is {self.workload.user}"

    def _environment(self, each: InspectedContainer) -> Iterator[str]:
        for name, value in self.workload.env.items():
            if (found := each.env.get(name)) != value:
                yield f"{name} is {'not set' if found is None else found!r}, declared is {value!r}"
        for name, value in self.workload.secret_env.items():
            if each.env.get(name) != value:
                yield f"{name} is not the secret that is set"

    def _confinement(self, each: InspectedContainer) -> Iterator[str]:
        host = each.inspected["HostConfig"]
        expected = {
            "Memory": (host["Memory"] // MEBIBYTE, self.workload.memory_mb),
            "ReadonlyRootfs": (host["ReadonlyRootfs"], self.workload.read_only),
            "Privileged": (host["Privileged"], False),
            "LogConfig": (host["LogConfig"], {"Type": "json-file", "Config": _LOGS}),
            "CapAdd": (host["CapAdd"] or [], []),
        }
        if not self.swarm or dropped_capabilities(self.workload):
            expected["CapDrop"] = (host["CapDrop"], ["ALL"])
        if not self.swarm:
            expected |= {
                "MemorySwap": (host["MemorySwap"] // MEBIBYTE, self.workload.memory_mb),
                "SecurityOpt": (host["SecurityOpt"], ["no-new-privileges:true"]),
                "RestartPolicy": (host["RestartPolicy"]["Name"], "always"),
            }
        for name, (found, wanted) in expected.items():
            if found != wanted:
                yield f"{name} is {found}, declared is {wanted}"

    def _folders(self, each: InspectedContainer) -> Iterator[str]:
        mounted = {mount["Destination"]: mount for mount in each.inspected["Mounts"]}
        for path, name in self.workload.volumes.items():
            wanted = self.workload.volume_name(self.stack, name)
            if (found := mounted.get(path, {}).get("Name")) != wanted:
                yield f"{path} is {found or 'no volume'}, declared is {wanted}"
        # A Swarm's engine shows its own among the mounts, another's beside them.
        in_memory = {*(each.inspected["HostConfig"].get("Tmpfs") or ()), *_tmpfs_of(mounted.values())}
        yield from (f"{path} is not in memory" for path in sorted(self.workload.tmpfs.keys() - in_memory))

    def _declared_ports(self) -> set[tuple[str, int, int]]:
        # A Swarm publishes on every address of the host.
        return {("0.0.0.0" if self.swarm else p.address, p.host, p.container) for p in self.workload.ports}  # noqa: S104

    def _ports(self, each: InspectedContainer) -> Iterator[str]:
        declared = self._declared_ports()
        for address, port, inside in sorted(each.published - declared):
            yield f"publishes {address}:{port} (to {inside}), which is not declared"
        for address, port, inside in sorted(declared - each.published if each.running else ()):
            yield f"does not publish {address}:{port} (to {inside})"

    def _networks(self, each: InspectedContainer) -> Iterator[str]:
        wanted = {f"friday-{self.stack}-{network}" for network in self.workload.networks}
        wanted.update(self.workload.outer_networks)
        found = set(each.inspected["NetworkSettings"]["Networks"])
        yield from (f"is not on {name}" for name in sorted(wanted - found))
        yield from (f"is on {name}, which is not declared" for name in sorted(found - wanted))

    def _secrets(self, each: InspectedContainer, secrets: Mapping[str, str]) -> Iterator[str]:
        allowed, shown = self.workload.secret_env.values(), json.dumps(each.inspected)
        yield from (f"shows {name}" for name, value in secrets.items() if value not in allowed and value in shown)


def _tmpfs_of(mounts: Iterable[Mapping[str, Any]]) -> set[str]:
    return {str(mount["Destination"]) for mount in mounts if mount["Type"] == "tmpfs"}


def leftovers(stack: str, seen: Sequence[InspectedContainer], workloads: Sequence[Workload]) -> Check:
    """Check that only replicas, the containers of their files and what ran once carry the stack's label on a host."""
    parts = {workload.part for workload in workloads if workload.replicas}
    files = {f"{workload.part}-files-{workload.files_digest()}" for workload in workloads}
    lasting = (each for each in seen if not each.is_job)
    orphans = (each.short for each in lasting if each.part not in parts and each.short not in files)
    return compared("host", "nothing else carries the stack's label", (f"{name} is not declared" for name in orphans))


def files_kept(stack: str, seen: Sequence[InspectedContainer], workload: Workload) -> Check:
    """Check that the container is there which holds a part's files for the next replica; it never runs.

    Whoever removes stopped containers (`docker container prune`) removes it too. What runs keeps its files.
    """
    name = files_name(stack, workload)
    fix = f"what runs is not touched; ./fridayctl drift {stack} --fix makes it again"
    gone = () if any(each.name == name for each in seen) else (f"{name} is gone; {fix}",)
    return compared(workload.part, "its files are kept for the next replica", gone)


def contract(seen: Sequence[InspectedContainer]) -> Check:
    """Check the environment that Friday AI reads, as it stands in the containers."""
    problems = (f"{each.short}: {problem}" for each in seen for problem in _broken_terms(each.env))
    return compared("friday", "keeps Friday AI's environment contract", problems)


def _broken_terms(env: Mapping[str, str]) -> Iterator[str]:
    for each in VARIABLES:
        if each.rule and not re.fullmatch(each.pattern, env.get(each.name, "")):
            yield f"{each.name} should be {each.rule} (is {env.get(each.name)!r})"
    for name in REQUIRED:
        if not env.get(name) and not env.get(f"{name}_FILE"):
            yield f"{name} or {name}_FILE should be set"
