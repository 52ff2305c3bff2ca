"""What a Docker host holds: a stack's containers, their health, commands in them, and images."""

import datetime as dt
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from ops.hosts.exec_stream import ONCE_HEARD, talk
from ops.hosts.image import find
from ops.hosts.last_words import complaint_of
from ops.waiting import look_until

STACK_LABEL = "friday-litellm.stack"
PART_LABEL = "friday-litellm.part"
REPLICA_LABEL = "friday-litellm.replica"
FORM_LABEL = "friday-litellm.form"  # of what keeps its image while it stays in the same form
JOB_LABEL = "friday-litellm.job"  # what runs once, outside of Pulumi's state (one_off.py)
_ENDED = "is not running"  # the daemon's words
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_FIRST_PROBE_SECONDS = 15.0  # an interval, and a probe that is as slow as it may be
_EVERY_SECONDS = 0.2
BY_FORCE = {"force": True, "v": True}  # a container that runs, with the volumes that have no name


@dataclass(frozen=True)
class Instance:
    """One container of a stack. `health` is healthy, unhealthy, starting or none; `age_seconds` since its start.

    `addresses` are its own on the stack's networks.
    """

    name: str
    part: str
    image: str
    state: str
    health: str
    age_seconds: float
    addresses: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Return whether it runs and passes its probe."""
        return self.state == "running" and self.health == "healthy"


class DockerHost:
    """One Docker daemon, read and tidied by label; it declares nothing, that is the program's part."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def instances(self, stack: str) -> list[Instance]:
        """Return a stack's containers, stopped ones too, sorted by name; not the ones that only hold files."""
        # Containers are made from ids, which have these names here.
        images = self._client.api.images()
        names = {each["Id"]: [*(each["RepoTags"] or ()), *(each["RepoDigests"] or ())] for each in images}
        found = (_instance(container) for container in self._working(stack))
        named = [replace(each, image=(names.get(each.image) or [each.image])[0]) for each in found if each]
        return sorted(named, key=lambda each: each.name)

    def names(self, stack: str) -> set[str]:
        """Return the names of all of a stack's containers."""
        # The plain list, in one request: the library's own objects would ask for each container again.
        found = self._client.api.containers(all=True, filters={"label": f"{STACK_LABEL}={stack}"})
        return {each["Names"][0].lstrip("/") for each in found}

    def addresses(self, stack: str, part: str, network: str) -> dict[str, str]:
        """Return the address on a network of each running container of a part, by the container's name."""
        labels = [f"{STACK_LABEL}={stack}", f"{PART_LABEL}={part}"]
        return {
            container["Names"][0].lstrip("/"): container["NetworkSettings"]["Networks"][network]["IPAddress"]
            for container in self._client.api.containers(filters={"label": labels, "status": "running"})
            if network in container["NetworkSettings"]["Networks"]
        }

    def replicas(self, stack: str, parts: Collection[str], but_not: Collection[str] = ()) -> list[Container]:
        """Return the containers of some parts, stopped ones too; those with an id of `but_not` are not looked at."""
        listed = self._client.api.containers(all=True, filters={"label": f"{STACK_LABEL}={stack}"})
        found = []
        for each in listed:
            if each["Labels"].get(PART_LABEL) in parts and each["Id"] not in but_not:
                with suppress(NotFound):  # gone between the listing and the look
                    found.append(self._client.containers.get(each["Id"]))
        return found

    def stop(self, container: str, seconds: int) -> None:
        """Stop a container; one that does not end by itself within so many seconds is killed."""
        with suppress(NotFound):  # somebody else was quicker
            self._client.api.stop(container, timeout=seconds)

    def end(self, container: str, seconds: int) -> None:
        """Stop a container by its image's own stop signal, whatever signal it was given; else as `stop` does."""
        with suppress(NotFound):
            api: Any = self._client.api
            image = api.inspect_image(api.inspect_container(container)["Image"])
            with suppress(APIError):  # it has just ended by itself
                api.kill(container, image["Config"].get("StopSignal") or "SIGTERM")
            self.stop(container, seconds)

    def published_ports(self) -> dict[int, tuple[str, str]]:
        """Return (container name, its stack or "") of what publishes each host port."""
        # In one request, as above.
        return {
            int(port["PublicPort"]): (container["Names"][0].lstrip("/"), container["Labels"].get(STACK_LABEL, ""))
            for container in self._client.api.containers()
            for port in container["Ports"]
            if "PublicPort" in port
        }

    def runs(self, stack: str, part: str, image: str) -> list[bool]:
        """Return of each running container of a part whether it is made of an image, as this host has that now."""
        found = self._client.api.containers(filters={"label": f"{STACK_LABEL}={stack}"})
        running = [str(each["ImageID"]) for each in found if each["Labels"].get(PART_LABEL) == part]
        declared = find(self._client, image) if running else None
        return [declared is not None and declared.id == each for each in running]

    def kept_images(self, stack: str) -> dict[str, str]:
        """Return the image of each running container that says in which form it runs, by that form."""
        labels = [f"{STACK_LABEL}={stack}", FORM_LABEL]
        found = self._client.api.containers(filters={"label": labels, "status": "running"})
        return {each["Labels"][FORM_LABEL]: str(each["ImageID"]) for each in found}

    def has(self, image: str) -> bool:
        """Return whether this host has an image, by its name or id."""
        return find(self._client, image) is not None

    def swarm_node(self) -> str:
        """Return the id of the Swarm's node that this host is, "" where it is none."""
        return str(self._client.info()["Swarm"]["NodeID"])

    def complaint(self, stack: str) -> str:
        """Return name, state, last probe output and last log lines of each container that is not healthy."""
        if self._all_healthy(stack):
            return ""
        # One that has just started gets a while: the plugin has seen it healthy, and the daemon has yet to ask.
        settled = look_until(
            lambda: self._working(stack),
            lambda found: not any(map(_is_new, found)),
            _FIRST_PROBE_SECONDS,
            _EVERY_SECONDS,
        )
        return _complaints(settled)

    def _all_healthy(self, stack: str) -> bool:
        """Return whether all are healthy, in two requests: to look at each container costs one more for each."""
        labels = [f"{STACK_LABEL}={stack}", REPLICA_LABEL]
        api = self._client.api
        healthy = api.containers(filters={"label": labels, "status": "running", "health": "healthy"})
        return len(healthy) == len(api.containers(all=True, filters={"label": labels}))

    def reasons(self, stack: str) -> str:
        """Return why an update failed: what `complaint` says, without any wait."""
        return _complaints(self._working(stack))

    def logs(self, stack: str, part: str, tail: int) -> Iterator[tuple[str, Iterator[bytes], Container]]:
        """Yield (name, lines so far, container) of each container of a part ("" for all parts)."""
        for container in self._working(stack):
            if part in ("", container.labels.get(PART_LABEL)):
                lines = container.logs(tail=tail, timestamps=True).splitlines()
                yield str(container.name), iter(lines), container

    def run_in(
        self, stack: str, part: str, command: list[str], stdin: bytes = b"", *, only: str = ""
    ) -> dict[str, str]:
        """Run a command in each running container of a part; return what each printed, by the container's name.

        `only` is the name of the one that is meant. `stdin` is for what nobody else may see. A command that is given
        some has to read exactly that many bytes. Of one that is given none, and is not bash, the beginning may be lost
        when it prints at once.
        """
        answers = {}
        api = self._client.api
        if not stdin and command[0] == "bash":
            command, stdin = [*ONCE_HEARD, *command], b"\n"
        # Not the library's own objects: they ask for each container once more, and for an exit code afterwards, which
        # costs a connection, for the one that the command ran over is gone.
        for found in api.containers(filters={"label": [f"{STACK_LABEL}={stack}", f"{PART_LABEL}={part}"]}):
            if only and f"/{only}" not in found["Names"]:
                continue
            try:
                made = api.exec_create(found["Id"], command, stdin=bool(stdin))["Id"]
                printed = talk(api, made, stdin) if stdin else api.exec_start(made)
            except APIError as error:
                if isinstance(error, NotFound) or _ENDED in str(error):
                    continue  # gone, or in a Swarm only ended, between the listing and the command
                raise
            answers[found["Names"][0].lstrip("/")] = printed.decode(errors="replace")
        return answers

    def remove_orphans(self, stack: str, known: set[str]) -> list[str]:
        """Remove the containers whose ids are not `known`, as a killed update leaves them; return their names."""
        found = [container for container in self.containers(stack) if JOB_LABEL not in container.labels]
        orphans = [container for container in found if container.id not in known]
        return _removed(orphans, **BY_FORCE)

    def remove_unhealthy(self, stack: str, ids: Collection[str]) -> dict[str, str]:
        """Remove those of a stack's containers with these ids that are not healthy now; return their names by id."""
        found = [container for container in self.containers(stack) if container.id in ids and not _is_well(container)]
        for container in found:
            with suppress(NotFound):  # gone between the listing and the removal
                container.remove(**BY_FORCE)
        return {str(container.id): str(container.name) for container in found}

    def guests(self, stack: str) -> list[tuple[str, str]]:
        """Return (network, container) of each container that is on a network of the stack's and none of its own."""
        filters: dict[str, Any] = {"label": f"{STACK_LABEL}={stack}"}
        own = {each["Id"] for each in self._client.api.containers(all=True, filters=filters)}
        return [
            (str(network["Name"]), str(endpoint["Name"]))
            for listed in self._client.api.networks(filters=filters)
            for network in [self._client.api.inspect_network(listed["Id"])]
            for container, endpoint in sorted((network.get("Containers") or {}).items())
            # A Swarm's networks have endpoints too that are no containers.
            if container not in own and _CONTAINER_ID.fullmatch(container)
        ]

    def remove_leftovers(self, stack: str) -> list[str]:
        """Remove what carries the stack's label once it is destroyed, left by a killed update; return the names."""
        filters = {"label": f"{STACK_LABEL}={stack}"}
        removed = _removed(self.containers(stack), **BY_FORCE)
        removed += _removed(self._client.networks.list(filters=filters))
        return removed + _removed(self._client.volumes.list(filters=filters))

    def remove_volume(self, name: str) -> list[str]:
        """Remove a volume by its name, if it is there; return what was removed."""
        with suppress(NotFound):
            return _removed([self._client.volumes.get(name)])
        return []

    def join(self, network: str, container: str, aliases: Sequence[str]) -> None:
        """Connect a running container to a network, under the names by which the others look for it there."""
        self._client.networks.get(network).connect(container, aliases=list(aliases))

    def leave(self, network: str, container: str) -> None:
        """Take a container off a network."""
        self._client.networks.get(network).disconnect(container)

    def _working(self, stack: str) -> list[Container]:
        return [container for container in self.containers(stack) if REPLICA_LABEL in container.labels]

    def containers(self, stack: str) -> list[Container]:
        """Return all of a stack's containers, stopped ones and those that hold files or ran once too."""
        filters: dict[str, str | list[str] | bool] = {"label": f"{STACK_LABEL}={stack}"}
        return list(self._client.containers.list(all=True, filters=filters, ignore_removed=True))


def _removed(found: Sequence[Any], **options: bool) -> list[str]:
    """Remove containers, networks or volumes; return their names."""
    for each in found:
        each.remove(**options)
    return [str(each.name) for each in found]


def _instance(container: Container) -> Instance | None:
    try:
        attributes: dict[str, Any] = container.attrs
        state = attributes["State"]
        started = dt.datetime.fromisoformat(state["StartedAt"][:19] + "+00:00")
        return Instance(
            name=str(container.name),
            part=container.labels.get(PART_LABEL, ""),
            image=str(attributes["Config"]["Image"]),
            state=str(state["Status"]),
            health=str(state.get("Health", {}).get("Status", "none")),
            age_seconds=(dt.datetime.now(dt.UTC) - started).total_seconds(),
            addresses=tuple(each["IPAddress"] for each in attributes["NetworkSettings"]["Networks"].values()),
        )
    except NotFound:
        return None  # gone between the listing and the look


def _is_well(container: Container) -> bool:
    state: dict[str, Any] = container.attrs["State"]
    return (state["Status"], state.get("Health", {}).get("Status")) == ("running", "healthy")


def _is_new(container: Container) -> bool:
    """Return whether it runs, has not been asked yet and has not failed before."""
    state = container.attrs["State"]
    starting = state["Status"] == "running" and state.get("Health", {}).get("Status") == "starting"
    return starting and not container.attrs["RestartCount"]


def _complaints(containers: Sequence[Container]) -> str:
    return "\n".join(complaint_of(each) for each in containers if not ((found := _instance(each)) and found.healthy))
