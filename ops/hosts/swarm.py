"""A stack in a Swarm: its services and their tasks on all hosts, as a manager knows them, and why one is unhealthy."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import APIError

from components import edge, edge_ports
from components.parts import NAMES
from components.swarm_placement import Strangers, is_limited
from components.swarm_service import instance_of, seen_digest, seen_form, without_digest
from components.workload import APP_NETWORK
from ops.errors import OperationError
from ops.hosts import swarm_nodes
from ops.hosts.docker_host import PART_LABEL, STACK_LABEL, DockerHost, Instance
from ops.hosts.swarm_nodes import Node, Noted
from ops.hosts.swarm_tasks import (
    Json,
    WithTasks,
    addresses,
    constraints,
    instance,
    is_healthy,
    is_wanted,
    part_of,
    task_to_report,
    update_state,
)
from ops.waiting import look_until

_ON_ITS_WAY = ("updating", "rollback_started")
_UPDATE_SECONDS = 120.0  # three hosts, one after the other: each edge may take ten to stop and five to be trusted
_TASK_SECONDS = 60.0
_EVERY_SECONDS = 0.5
_EMPTIED_SECONDS = 30.0
_STOP_SECONDS = 10
_LOG_LINES = 15
_TASK = re.compile(r"com\.docker\.swarm\.task\.id=([a-z0-9]+)\S* ?(.*)")


@dataclass(frozen=True)
class Leaving:
    """A task that is to stop and runs: the id of its container, and its address on the edges' network."""

    container: str
    address: str


class SwarmManager(DockerHost):
    """A manager of a Swarm: it reports of services what a host does of containers, which may be old here."""

    def __init__(self, client: docker.DockerClient, hosts: Callable[[], Iterable[DockerHost]], named: int = 1) -> None:
        """Take a client of the manager; `hosts` returns those of the `named` hosts of the Swarm that answer now."""
        super().__init__(client)
        self._hosts, self._named = hosts, named
        self._api: Any = self._client.api

    def services(self, stack: str) -> list[Json]:
        """Return a stack's services by name."""
        found = self._api.services(filters={"label": f"{STACK_LABEL}={stack}"})
        return sorted(found, key=lambda each: str(each["Spec"]["Name"]))

    def instances(self, stack: str) -> list[Instance]:
        """Return the tasks that are to run, sorted by name; one that is not healthy yet is starting."""
        nodes = swarm_nodes.nodes(self._api)
        found = ((service, task) for service, tasks in self._expected(stack) for task in tasks if is_wanted(task))
        return sorted((instance(*each, nodes) for each in found), key=lambda each: each.name)

    def names(self, stack: str) -> set[str]:
        """Return the services, as exported (digests tell them apart), once no update of them is on its way."""
        found = look_until(
            lambda: self.services(stack),
            lambda services: not any(update_state(each) in _ON_ITS_WAY for each in services),
            _UPDATE_SECONDS,
            _EVERY_SECONDS,
        )
        return {instance_of(each["Spec"]["Name"], seen_digest(each["Spec"])) for each in found}

    def complaint(self, stack: str) -> str:
        """Return each service that does not run in its number, with what its last task said."""
        # Tasks get a while to come: the plugin waits for no service that runs on every host.
        found = look_until(
            lambda: self._expected(stack), lambda found: all(map(is_healthy, found)), _TASK_SECONDS, _EVERY_SECONDS
        )
        return self._explained(each for each in found if not is_healthy(each))

    def reasons(self, stack: str) -> str:
        """Return why an update failed, now: services that are unhealthy or went back, with their last failed task."""
        return self._explained(
            each
            for each in self._expected(stack)
            if not is_healthy(each) or update_state(each[0]).startswith(("rollback", "paused"))
        )

    def remove_orphans(self, stack: str, known: set[str]) -> list[str]:
        """Remove services, configs and secrets of the stack whose ids are not `known` to its state."""
        gone = []
        for service in self.services(stack):
            if service["ID"] not in known:
                self._api.remove_service(service["ID"])
                gone.append(str(service["Spec"]["Name"]))
        return [*gone, *self._remove_files(stack, known)]

    def strangers(self) -> dict[str, Node]:
        """Return the nodes, by id, that may get a task and are none of the stack file's hosts."""
        known = swarm_nodes.nodes(self._api)
        return swarm_nodes.strangers(known, self._own(known))

    def noted(self, stack: str, address: str) -> list[Noted]:
        """Return what an operator should know of the nodes; `address` is this manager's."""
        known = swarm_nodes.nodes(self._api)
        return [*swarm_nodes.notes(stack, known, self._own(known), address), *swarm_nodes.lost(known, address)]

    def strangers_to(self, stack: str) -> Strangers:
        """Return the same, and what of a stack runs there."""
        services = self._with_tasks(stack)
        return Strangers(
            frozenset(self.strangers()),
            {
                part_of(service): frozenset(
                    str(task["NodeID"]) for task in tasks if task["Status"]["State"] == "running"
                )
                for service, tasks in services
            },
            frozenset(part_of(service) for service, _ in services if is_limited(constraints(service))),
        )

    def kept_images(self, stack: str) -> dict[str, str]:
        """Return the image of what has the edge's ports, by the form of its service."""
        found = (each["Spec"] for each in self.services(stack) if part_of(each) == edge_ports.NAME)
        return {seen_form(spec): without_digest(str(spec["TaskTemplate"]["ContainerSpec"]["Image"])) for spec in found}

    def running(self, stack: str, part: str) -> int:
        """Return how many of a part's tasks run, and are to run."""
        return sum(is_wanted(task) and task["Status"]["State"] == "running" for task in self._tasks(stack, part))

    def leaving(self, stack: str, part: str) -> list[Leaving]:
        """Return a part's tasks that run, and are to stop."""
        return [
            Leaving(task["Status"]["ContainerStatus"]["ContainerID"], address)
            for task in self._tasks(stack, part)
            if not is_wanted(task) and task["Status"]["State"] == "running"
            for address in addresses(task, f"friday-{stack}-{APP_NETWORK}")
        ]

    def stop_tasks(self, stack: str) -> None:
        """End all tasks but those of the edges and their ports: in a stack that goes nobody takes over from anybody.

        None may take its grace time. The plugin waits so long for a container of a service that it removes, and no
        longer; the Swarm lets two more seconds go by before it sends the signal. So what ignores the signal would fail
        each removal.
        """
        for service in self._client.services.list(filters={"label": f"{STACK_LABEL}={stack}"}):
            if "Replicated" in service.attrs["Spec"]["Mode"]:
                with contextlib.suppress(APIError):  # changed or removed meanwhile: what removes it says so
                    service.scale(0)
        found = [
            (host, str(each.name))
            for host in self._hosts()
            for each in host.containers(stack)
            if each.status == "running" and each.labels.get(PART_LABEL) not in (None, edge.NAME, edge_ports.NAME)
        ]
        with ThreadPoolExecutor(max(1, len(found))) as pool:
            list(pool.map(lambda one: one[0].end(one[1], _STOP_SECONDS), found))

    def remove_leftovers(self, stack: str) -> list[str]:
        """Remove what carries the stack's label or name in the Swarm, and its volumes on every host that answers."""
        gone = self.remove_orphans(stack, set())
        hosts = list(self._hosts())
        # Tasks outlive their service by their last answers, and hold networks and volumes as long.
        look_until(
            lambda: any(host.containers(stack) for host in hosts),
            lambda held: not held,
            _EMPTIED_SECONDS,
            _EVERY_SECONDS,
        )
        gone += super().remove_leftovers(stack)  # the Swarm's networks
        # Its label depends on which of the edge and its ports came to a host first.
        sockets = f"friday-{stack}-{edge_ports.NAME}-{edge_ports.VOLUME}"
        return [*gone, *(name for host in hosts for name in host.remove_leftovers(stack) + host.remove_volume(sockets))]

    def ending(self, stack: str) -> set[str]:
        """Return the ids of the containers that run and are to stop, also of services that are no more."""
        return {
            str(task["Status"]["ContainerStatus"]["ContainerID"])
            for task in self._api.tasks()
            if (task["Spec"].get("ContainerSpec") or {}).get("Labels", {}).get(STACK_LABEL) == stack
            if not is_wanted(task) and (task["Status"].get("ContainerStatus") or {}).get("ContainerID")
        }

    def _remove_files(self, stack: str, known: set[str]) -> Iterator[str]:
        # Configs carry no label: the plugin gives them none.
        ours = re.compile(rf"friday-{re.escape(stack)}-({'|'.join(NAMES)})-.+-[0-9a-f]{{8}}")
        api = self._api
        for listed, remove in ((api.configs(), api.remove_config), (api.secrets(), api.remove_secret)):
            for each in listed:
                name = str(each["Spec"]["Name"])
                if each["ID"] not in known and ours.fullmatch(name):
                    with contextlib.suppress(APIError):  # a service still uses it, so it is no orphan
                        remove(each["ID"])
                        yield name

    def _with_tasks(self, stack: str) -> list[WithTasks]:
        services = self.services(stack)
        ids = [each["ID"] for each in services]
        tasks = self._api.tasks(filters={"service": ids}) if ids else []  # without a filter they would be all
        return [(each, [task for task in tasks if task["ServiceID"] == each["ID"]]) for each in services]

    def _own(self, known: Mapping[str, Node]) -> set[str]:
        """Return the ids of the stack file's hosts.

        All that are known while one of them does not answer: it would be taken for a stranger.
        """
        hosts = list(self._hosts())
        return {each.swarm_node() for each in hosts} if len(hosts) == self._named else set(known)

    def _expected(self, stack: str) -> list[WithTasks]:
        """Return the services with their tasks; of what runs on every host a stranger is not expected to run any."""
        found = self._with_tasks(stack)
        away = set() if all(map(is_healthy, found)) else self.strangers().keys()

        def counts(service: Json, task: Json) -> bool:
            elsewhere = "Replicated" in service["Spec"]["Mode"] or task.get("NodeID") not in away
            return elsewhere or task["Status"]["State"] == "running"

        return [(service, [task for task in tasks if counts(service, task)]) for service, tasks in found]

    def _tasks(self, stack: str, part: str) -> Iterator[Json]:
        for service, tasks in self._with_tasks(stack):
            if part_of(service) == part:
                yield from tasks

    def _explained(self, services: Iterable[WithTasks]) -> str:
        return "\n".join(line for service, tasks in services for line in self._lines(service, tasks))

    def _lines(self, service: Json, tasks: Sequence[Json]) -> Iterator[str]:
        """Yield the state of a service and of the task that explains most, with the last lines of its log."""
        running = sum(task["DesiredState"] == task["Status"]["State"] == "running" for task in tasks)
        state = update_state(service)
        said = f", {state.replace('_', ' ')}" if state not in ("", "completed") else ""
        yield f"{service['Spec']['Name']}: {running} run{said}"
        if task := task_to_report(tasks):
            status = task["Status"]
            yield f"  task  | {status['State']}: {status.get('Err') or status.get('Message', '')}"
            # What never started has logged nothing, and its host may be gone: then the logs would take their time.
            started = (status.get("ContainerStatus") or {}).get("ContainerID")
            if started and "starting container failed" not in str(status):
                log = self._log(service["ID"], task["ID"]) or ["(nothing logged)"]
                yield from (f"  log   | {line}" for line in log)

    def _log(self, service: str, task: str) -> list[str]:
        """Return a task's last lines, from whichever host it ran on."""
        try:
            lines = self._api.service_logs(
                service, details=True, stdout=True, stderr=True, tail=str(_LOG_LINES), is_tty=False
            )
            text = b"".join(lines).decode(errors="replace")
        except (APIError, OperationError) as error:
            return [f"(its log cannot be read: {error})"]
        found = (_TASK.search(line) for line in text.splitlines())
        return [match[2] for match in found if match and match[1] == task][-_LOG_LINES:]
