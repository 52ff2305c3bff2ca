"""Services of a Swarm and their tasks, as a manager's API has them: what runs, what is healthy, and what explains."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from ops.hosts.docker_host import PART_LABEL, Instance
from ops.hosts.swarm_nodes import Node

Json = dict[str, Any]
WithTasks = tuple[Json, list[Json]]


def instance(service: Json, task: Json, nodes: Mapping[str, Node]) -> Instance:
    """Return a task as a container of the stack; `nodes` are by id."""
    status = task["Status"]
    since = dt.datetime.fromisoformat(status["Timestamp"][:19] + "+00:00")
    node = nodes.get(task.get("NodeID", ""))
    slot = f".{task['Slot']}" if task.get("Slot") else ""
    return Instance(
        name=f"{service['Spec']['Name']}{slot} on {node.name if node else 'no host'}",
        part=part_of(service),
        image=str(task["Spec"]["ContainerSpec"]["Image"]),
        state=str(status["State"]),
        # A task with a probe is called running when the probe has passed; one that fails it later is replaced.
        health="healthy" if status["State"] == "running" else "starting",
        age_seconds=(dt.datetime.now(dt.UTC) - since).total_seconds(),
        addresses=addresses(task),
    )


def addresses(task: Json, network: str = "") -> tuple[str, ...]:
    """Return a task's addresses, on one network or on all."""
    return tuple(
        address.partition("/")[0]
        for each in task.get("NetworksAttachments") or ()
        if network in ("", each.get("Network", {}).get("Spec", {}).get("Name"))
        for address in each["Addresses"] or ()
    )


def part_of(service: Json) -> str:
    """Return which part of a stack a service is."""
    return str(service["Spec"]["Labels"].get(PART_LABEL, ""))


def constraints(service: Json) -> list[str]:
    """Return where the tasks of a service may run."""
    return list((service["Spec"]["TaskTemplate"].get("Placement") or {}).get("Constraints") or ())


def is_wanted(task: Json) -> bool:
    """Return whether a task is to run, or to run next."""
    return task["DesiredState"] in ("running", "ready")


def update_state(service: Json) -> str:
    """Return how the last update of a service is, "" before the first one."""
    return str((service.get("UpdateStatus") or {}).get("State", ""))


def is_healthy(found: WithTasks) -> bool:
    """Return whether a service runs in its number: one on every host has a task for each of them."""
    service, tasks = found
    wanted = [task for task in tasks if is_wanted(task)]
    running: int = sum(task["Status"]["State"] == "running" for task in wanted)
    replicated = service["Spec"]["Mode"].get("Replicated")
    if replicated:
        return bool(running >= replicated.get("Replicas", 0))
    return running == len(wanted) > 0


def task_to_report(tasks: Sequence[Json]) -> Json | None:
    """Return the task that explains most: the last that failed, else the last that does not run yet."""
    newest_first = sorted(tasks, key=lambda task: str(task["Status"]["Timestamp"]), reverse=True)
    failed = [task for task in newest_first if task["Status"]["State"] in ("failed", "rejected")]
    waiting = [task for task in newest_first if task["Status"]["State"] not in ("running", "shutdown", "complete")]
    return next(iter(failed or waiting), None)
