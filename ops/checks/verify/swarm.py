"""Compares the services of a Swarm, as its manager knows them, with what is declared."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from components.part import address
from components.swarm_service import declared_digest, seen_digest
from components.workload import Workload
from ops.checks.report import Check, compared
from ops.hosts.docker_host import STACK_LABEL
from ops.hosts.testinfra_host import TestHost


def checks(place: TestHost, stack: str, workloads: Sequence[Workload]) -> list[Check]:
    """Ask a manager for the stack's services: all there, in the declared number, and none rolled back."""
    ours = f"label={STACK_LABEL}={stack}"
    lines = place.docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}", "--filter", ours)
    running = dict(line.split()[:2] for line in lines.splitlines())
    wanted = {address(stack, "swarm", each.alias or each.part): each for each in workloads}
    made = [_service(place, stack, name, workload, running) for name, workload in wanted.items()]
    orphans = tuple(f"{name} is not declared" for name in sorted(running.keys() - wanted.keys()))
    return [*made, compared("swarm", "no other service carries the stack's label", orphans)]


def _service(place: TestHost, stack: str, name: str, workload: Workload, running: Mapping[str, str]) -> Check:
    title = "service runs in the declared number, and its last update held"
    if name not in running:
        return compared(workload.part, title, (f"service {name} is missing",))
    inspected = place.docker_json("service", "inspect", "--format", "{{json .}}", name)
    problems = _number(name, workload, running[name]), _update(stack, name, workload, inspected)
    return compared(workload.part, title, tuple(chain(*problems)))


def _number(name: str, workload: Workload, running: str) -> Iterator[str]:
    there, wanted = map(int, running.split("/"))
    if there < wanted:
        yield f"{name}: {there} of {wanted} run"
    if not workload.on_every_host and wanted != workload.replicas:
        yield f"{name}: is set to {wanted} replicas, declared is {workload.replicas}"


def _update(stack: str, name: str, workload: Workload, inspected: Mapping[str, Any]) -> Iterator[str]:
    status = inspected.get("UpdateStatus") or {}
    state = status.get("State", "completed")
    if state == "completed":
        return
    # Back to what is declared: whoever declared the other form has taken it back since.
    if state != "rollback_completed" or seen_digest(inspected["Spec"]) != declared_digest(stack, workload):
        yield f"{name}: its last update is {state.replace('_', ' ')}: {status.get('Message', '')}"
