"""What changed on a stack's host behind Pulumi's back, in words.

Pulumi compares what the state records of a resource with what its provider reads from the host. Three things need a
look of our own: containers that the state does not know, networks (which the provider does not read), and stopped
containers: the provider removes those when it reads them, even for a preview.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from docker.models.containers import Container
from pulumi import automation as auto
from pulumi.automation.events import EngineEvent, OpType, StepEventMetadata

from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.docker_host import JOB_LABEL
from ops.hosts.swarm import SwarmManager
from ops.stacks.pulumi_files import Resource, resources
from ops.stacks.recorded_connection import of_another, own_program
from ops.stacks.stacks import short_name

CONTAINER = "docker:index/container:Container"


@dataclass(frozen=True)
class Drift:
    """One difference: what `kind` it is (removed, stopped, paused, changed or unknown), of what, in words."""

    kind: str
    name: str
    words: str = ""


@dataclass(frozen=True)
class Recorded:
    """One resource as the state records it; `inputs` are what the program asked for."""

    urn: str
    kind: str
    id: str
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in the program, without the stack's."""
        return short_name(self.urn)

    @property
    def runs(self) -> bool:
        """Return whether it is a container that should be running; one that only holds files never starts."""
        return self.kind == CONTAINER and bool(self.inputs.get("mustRun"))


def worded(drift: Drift) -> str:
    """Return one difference as a line."""
    return f"{drift.kind:<9} {drift.name}{f': {drift.words}' if drift.words else ''}"


def find(deployment: Deployment) -> list[Drift]:
    """Return what is not as the last update left it. Changes nothing.

    Raises OperationError: exit code 2 when the stack is not deployed or a host is not reached.
    """
    opened, host = deployment.stack, deployment.hosts.manager
    found = resources(opened)
    deployment.require_same_machine(found)
    deployment.require_own_state(found)
    state = recorded(opened.export_stack().deployment or {})
    if not any(each.kind.startswith("docker:") for each in state):
        fix = f"./fridayctl up {opened.name}"
        raise OperationError(f"{opened.name} is not deployed: there is nothing to compare with", fix, EXIT_USAGE)
    if isinstance(host, SwarmManager):
        services = {each["ID"]: each["Spec"]["Name"] for each in host.services(opened.name)}
        return [*unknown(state, services), *_read(opened, found, [])]
    every = host.containers(opened.name)
    seen = {str(container.id): container for container in every if JOB_LABEL not in container.labels}
    containers = [(each, seen[each.id]) for each in state if each.runs and each.id in seen]
    stopped = [each.urn for each, container in containers if container.status not in ("running", "paused")]
    orphans = unknown(state, {id_: str(container.name) for id_, container in seen.items()})
    return [
        *orphans,
        *(drift for each, container in containers for drift in _unlike(each, container)),
        *_read(opened, found, stopped),
    ]


def recorded(deployment: Mapping[str, Any]) -> list[Recorded]:
    """Return the resources of an exported state."""
    return [
        Recorded(each["urn"], each["type"], str(each.get("id", "")), each.get("inputs", {}))
        for each in deployment.get("resources", ())
    ]


def unknown(state: Sequence[Recorded], found: Mapping[str, str]) -> Iterator[Drift]:
    """Yield what carries the stack's label on a host, given as names by id, and is not in the stack's state."""
    known = {each.id for each in state}
    for name in (name for id_, name in found.items() if id_ not in known):
        yield Drift("unknown", name, "carries the stack's label, and the state does not know it")


def _unlike(each: Recorded, container: Container) -> Iterator[Drift]:
    """Yield what a look at a container tells and Pulumi does not."""
    if container.status == "paused":
        yield Drift("paused", each.name)
    elif container.status != "running":
        yield Drift("stopped", each.name, f"{container.status}, exit code {container.attrs['State']['ExitCode']}")
    wanted = {network["name"] for network in each.inputs.get("networksAdvanced", ())}
    found = set(container.attrs["NetworkSettings"]["Networks"])
    yield from (Drift("changed", each.name, f"is not on the network {name}") for name in sorted(wanted - found))
    yield from (Drift("changed", each.name, f"is on the network {name}") for name in sorted(found - wanted))


def _read(opened: auto.Stack, state: Sequence[Resource], exclude: list[str]) -> list[Drift]:
    """Return what Pulumi finds when it reads the host."""
    found: list[Drift] = []
    errors: list[str] = []

    def see(event: EngineEvent) -> None:
        if event.diagnostic_event and event.diagnostic_event.severity == "error":
            errors.append(event.diagnostic_event.message.strip())
        if event.res_outputs_event:
            found.extend(_told(event.res_outputs_event.metadata))

    # Without our program, which would add what the stack file has changed since the last update.
    program = own_program(state) if of_another(opened, state) else None
    try:
        opened.preview_refresh(
            exclude=exclude,
            run_program=program is not None,
            program=program,
            on_event=see,
            suppress_progress=True,
            show_secrets=False,
        )
    except auto.CommandError as error:
        said = "\n".join(dict.fromkeys(errors)) or "\n".join(str(error).splitlines()[-20:])
        fix = f"wait for an update that is going on; ./fridayctl status {opened.name} shows the host"
        raise OperationError(f"the host of {opened.name} cannot be read", fix, details=said) from error
    return found


def _told(step: StepEventMetadata) -> Iterator[Drift]:
    name = short_name(step.urn)
    if not step.type.startswith("docker:"):
        return  # how the host is reached, and what is not on it
    if step.op == OpType.DELETE:
        yield Drift("removed", name)
    elif step.op == OpType.UPDATE:
        before, now = ((state.outputs if state else None) or {} for state in (step.old, step.new))
        for path in step.detailed_diff or step.diffs or ():
            yield Drift("changed", name, _change(path, _at(path, before), _at(path, now)))


def _at(path: str, outputs: Any) -> Any:
    """Return what a property path (`ports[0].external`) leads to, or None."""
    for key in re.findall(r"[^.\[\]]+", path):
        if isinstance(outputs, list):
            outputs = outputs[int(key)] if key.isdecimal() and int(key) < len(outputs) else None
        else:
            outputs = outputs.get(key) if isinstance(outputs, dict) else None
    return outputs


def _change(path: str, before: object, now: object) -> str:
    """Word a change. Variables are named only: one may be a secret."""
    plain = all(isinstance(value, str | int | float) for value in (before, now)) and ".env" not in path
    return f"{path} is {now}, was {before}" if plain else path
