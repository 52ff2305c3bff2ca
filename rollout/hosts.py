"""What runs on a Docker host: a stack's containers, their health, and the words for one that is not well."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from rollout.errors import EXIT_USAGE, OperationError

STACK_LABEL = "friday-litellm.stack"
PART_LABEL = "friday-litellm.part"
REPLICA_LABEL = "friday-litellm.replica"
_LOG_LINES = 15


@dataclass(frozen=True)
class Instance:
    """One container of a stack. `health` is healthy, unhealthy, starting or none; `age_seconds` since its start."""

    name: str
    part: str
    image: str
    state: str
    health: str
    age_seconds: float

    @property
    def well(self) -> bool:
        """Tell whether it runs and passes its probe."""
        return self.state == "running" and self.health == "healthy"


class DockerHost:
    """One Docker engine, read and tidied by label; it declares nothing, that is the program's part."""

    def __init__(self, url: str) -> None:
        """Connect to an engine; OperationError (exit code 2) when it does not answer."""
        try:
            self._client = docker.DockerClient(base_url=url, use_ssh_client=url.startswith("ssh://"))
            self._client.ping()
        except DockerException as error:
            mend = "./fridayctl doctor says what is missing"
            raise OperationError(f"Docker at {url} does not answer: {error}", mend, EXIT_USAGE) from error

    def instances(self, stack: str) -> list[Instance]:
        """Return a stack's containers, stopped ones too, sorted by name; not the ones that only hold files."""
        found = [_instance(container) for container in self._working(stack)]
        return sorted((each for each in found if each), key=lambda each: each.name)

    def names(self, stack: str) -> set[str]:
        """Return the names of all of a stack's containers."""
        return {str(container.name) for container in self._containers(stack)}

    def published_ports(self) -> dict[int, tuple[str, str]]:
        """Return (container name, its stack or "") of what publishes each host port."""
        # The plain list, in one request: the library's own objects would ask for each container again.
        return {
            int(port["PublicPort"]): (container["Names"][0].lstrip("/"), container["Labels"].get(STACK_LABEL, ""))
            for container in self._client.api.containers()
            for port in container["Ports"]
            if "PublicPort" in port
        }

    def complaint(self, stack: str) -> str:
        """Return name, state, last probe output and last log lines of each container that is not well."""
        texts = [
            _complaint(container)
            for container in self._working(stack)
            if not ((found := _instance(container)) and found.well)
        ]
        return "\n".join(texts)

    def logs(self, stack: str, part: str, tail: int) -> Iterator[tuple[str, Iterator[bytes], Container]]:
        """Yield (name, lines so far, container) of each container of a part ("" for all parts)."""
        for container in self._working(stack):
            if part in ("", container.labels.get(PART_LABEL)):
                lines = container.logs(tail=tail, timestamps=True).splitlines()
                yield str(container.name), iter(lines), container

    def remove_strays(self, stack: str, known: set[str]) -> list[str]:
        """Remove the stack's containers whose ids are not `known` to its state; return their names.

        An update that was killed between a container's creation and its entry in the state leaves such a one.
        """
        strays = [container for container in self._containers(stack) if container.id not in known]
        for container in strays:
            container.remove(force=True, v=True)
        return [str(container.name) for container in strays]

    def remove_leftovers(self, stack: str) -> list[str]:
        """Remove containers and networks with the stack's label; return their names.

        After a destroy only what a killed update left outside the state is still here.
        """
        removed = []
        for container in self._containers(stack):
            container.remove(force=True, v=True)
            removed.append(str(container.name))
        for network in self._client.networks.list(filters={"label": f"{STACK_LABEL}={stack}"}):
            network.remove()
            removed.append(str(network.name))
        return removed

    def _working(self, stack: str) -> list[Container]:
        return [container for container in self._containers(stack) if REPLICA_LABEL in container.labels]

    def _containers(self, stack: str) -> list[Container]:
        filters: dict[str, str | list[str] | bool] = {"label": f"{STACK_LABEL}={stack}"}
        return list(self._client.containers.list(all=True, filters=filters, ignore_removed=True))


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
        )
    except NotFound:
        return None  # gone between the listing and the look


def _complaint(container: Container) -> str:
    state = container.attrs["State"]
    health = state.get("Health", {})
    probes = [entry["Output"].strip() for entry in health.get("Log", ())[-1:]]
    lines = container.logs(tail=_LOG_LINES).decode(errors="replace").splitlines()
    said = f"exit code {state['ExitCode']}" if state["Status"] == "exited" else health.get("Status", "no probe yet")
    return "\n".join(
        [
            f"{container.name}: {state['Status']}, {said}",
            *(f"  probe | {line}" for probe in probes for line in probe.splitlines() or ["(no output)"]),
            *(f"  log   | {line}" for line in lines or ["(nothing logged)"]),
        ]
    )
