"""How a stack's state says that its host is reached: as whoever made the last update did.

Pulumi reads and removes what a state records through the provider that is recorded with it, and so with the ssh
options, or the certificate, of that person's machine. Pulumi's own answer is `--run-program`: then the program says how
things are reached. The whole program would add what the stack file has changed since, so another one declares the
provider alone.
"""

from collections.abc import Sequence
from functools import partial

from pulumi import automation as auto

from components.connection import PROVIDER, is_as_recorded
from ops.stacks.pulumi_files import Resource, outputs_of
from ops.stacks.stack_file import read_settings
from program import connection

# An engine gives these ids of its own; a volume's is its name.
_WITH_IDS = ("docker:index/container:Container", "docker:index/service:Service", "docker:index/network:Network")


def address(found: Sequence[Resource]) -> str:
    """Return the address of the host that a state's resources are on, "" where it has none."""
    made = _provider(found)
    return str(made.inputs.get("host", "")) if made and ids(found) else ""


def ids(found: Sequence[Resource]) -> frozenset[str]:
    """Return the ids by which the engine knows a state's containers, services and networks."""
    return frozenset(each.id for each in found if each.type in _WITH_IDS and each.id)


def replicas(found: Sequence[Resource], label: str) -> dict[str, set[str]]:
    """Return the ids of a state's containers and services by part, which their `label` names."""
    parts: dict[str, set[str]] = {}
    for each in found:
        if each.id and (part := each.label(label)):
            parts.setdefault(part, set()).add(each.id)
    return parts


def of_another(stack: auto.Stack, found: Sequence[Resource]) -> Resource | None:
    """Return the provider of a state where it has another way to the host than the stack file now, else None."""
    made = _provider(found)
    return None if made is None or is_as_recorded(read_settings(stack.name), made.inputs) else made


def own_program(found: Sequence[Resource]) -> "partial[None]":
    """Return the program that says how the host is reached from here, and leaves the state's outputs as they are."""
    return partial(connection, outputs_of(found))


def _provider(found: Sequence[Resource]) -> Resource | None:
    return next((each for each in found if each.type == PROVIDER), None)
