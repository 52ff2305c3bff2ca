"""Whether what a host runs of a stack is what this operator's state records, or what another state has made there.

Two people with a state each, or one with an old copy, would undo each other: what one state does not know is left over
from a killed update to it, and would be removed although it serves users.
"""

import datetime as dt
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import docker

from components.stack import MADE_BY_LABEL
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.docker_host import PART_LABEL, REPLICA_LABEL, STACK_LABEL

_SOMEBODY = "somebody with an older checkout"
_A_COPY = "somebody with another copy of this state"


@dataclass(frozen=True)
class Recorded:
    """What a state records: the engine's `ids` of everything, and those of the replicas by part."""

    ids: AbstractSet[str]
    replicas: Mapping[str, AbstractSet[str]]


@dataclass(frozen=True)
class Made:
    """What another state has made: which parts, since when, and who says to have made it."""

    what: str
    since: dt.datetime
    by: str

    @property
    def words(self) -> str:
        """Return it for a message."""
        return f"{self.what}, since {self.since:%Y-%m-%d %H:%M} UTC, made by {self.by}"


def find(stack: str, client: docker.DockerClient, recorded: Recorded, *, swarm: bool) -> Made | None:
    """Return what another state has made of a stack on a host, or in the `swarm` that it manages; None: nothing.

    That is everything there where the state knows nothing of it, and a part where none of the replicas that the state
    knows is left, and others are: an update with another copy of the state made them. A killed update leaves neither:
    the networks are recorded before a container is made, and an old replica goes after its successor is recorded.
    """
    api: Any = client.api
    if swarm and not client.info()["Swarm"]["ControlAvailable"]:
        return None  # it knows no service, and preflight says so
    replicas = _services(client, stack) if swarm else _containers(client, stack)
    if not replicas:
        return None
    networks = api.networks(filters={"label": f"{STACK_LABEL}={stack}"})
    known = recorded.ids & {*(each.id for each in replicas), *(each["Id"] for each in networks)}
    there: dict[str, set[str]] = {}
    for each in replicas:
        there.setdefault(each.part, set()).add(each.id)
    if known:
        there = {part: ids for part, ids in there.items() if (own := recorded.replicas.get(part)) and not own & ids}
    if not there:
        return None
    since = min(each.made for each in replicas if each.part in there)
    made_by = (str((each.get("Labels") or {}).get(MADE_BY_LABEL, "")) for each in networks)
    if known:
        return Made(", ".join(sorted(there)), since, _A_COPY)
    return Made("all of it", since, next(filter(None, made_by), _SOMEBODY))


def refusal(stack: str, address: str, made: Made, here: str) -> OperationError:
    """Return the error (exit code 2) for a stack that another state has made; `here` is where this state is."""
    message = f"{stack} runs on {address} by another state than this one ({here}): {made.words}"
    fix = (
        "work with that state: set PULUMI_BACKEND_URL to where it is, or bring it here; "
        f"only if it is lost: ./fridayctl down {stack} && ./fridayctl up {stack}, users get no answer between them"
    )
    return OperationError(message, fix, EXIT_USAGE)


@dataclass(frozen=True)
class _Replica:
    id: str
    part: str
    made: dt.datetime


def _containers(client: docker.DockerClient, stack: str) -> list[_Replica]:
    """Return a stack's containers that run a part, stopped ones too."""
    api: Any = client.api
    found = api.containers(all=True, filters={"label": [f"{STACK_LABEL}={stack}", REPLICA_LABEL]})
    return [
        _Replica(each["Id"], each["Labels"].get(PART_LABEL, ""), dt.datetime.fromtimestamp(each["Created"], dt.UTC))
        for each in found
    ]


def _services(client: docker.DockerClient, stack: str) -> list[_Replica]:
    """Return a stack's services: the containers of their tasks have ids that no state knows."""
    api: Any = client.api
    return [
        _Replica(each["ID"], each["Spec"]["Labels"].get(PART_LABEL, ""), dt.datetime.fromisoformat(each["CreatedAt"]))
        for each in api.services(filters={"label": f"{STACK_LABEL}={stack}"})
    ]
