"""The nodes of a Swarm as its managers see them, and which of them this stack's file does not name."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DRAINED = {"drain": "is drained", "pause": "is paused"}


@dataclass(frozen=True)
class Node:
    """One node; `ready` is true while it answers the managers, `since` is when it was last changed in the Swarm.

    `availability` is active, pause or drain. `reachable` is of a manager: whether the others hear of it; None of a
    worker.
    """

    name: str
    ready: bool
    availability: str = "active"
    reachable: bool | None = None
    since: str = ""

    @property
    def takes_tasks(self) -> bool:
        """Return whether the Swarm may give it a task now."""
        return self.ready and self.availability == "active"

    @property
    def state(self) -> str:
        """Return why it takes no task, and since when, "" where it takes some."""
        if self.takes_tasks:
            return ""
        why = "does not answer the managers" if not self.ready else _DRAINED[self.availability]
        return f"{why} (since {self.since})" if self.since else why


@dataclass(frozen=True)
class Noted:
    """Something about one node that is no failure: in words, and what to do about it."""

    text: str
    fix: str


def nodes(api: Any) -> dict[str, Node]:
    """Return the nodes that a manager knows, by their ids."""
    return {str(each["ID"]): _node(each) for each in api.nodes()}


def strangers(known: Mapping[str, Node], named: Iterable[str]) -> dict[str, Node]:
    """Return the nodes whose ids are not `named`, and that may get a task: nobody has sent them our images."""
    own = set(named)
    return {id_: node for id_, node in known.items() if id_ not in own and node.takes_tasks}


def notes(stack: str, known: Mapping[str, Node], named: Iterable[str], manager: str) -> Iterator[Noted]:
    """Yield what an operator should know of the nodes: strangers, drained hosts, managers that are missed.

    `named` are the ids of the hosts in the stack file, `manager` is the address where a manager takes commands.
    """
    own = set(named)
    for node in strangers(known, own).values():
        yield _stranger(stack, node, manager)
    for id_, node in known.items():
        if id_ in own and node.ready and node.state:
            yield Noted(_idle(node), f"{_update(node, 'active', manager)} when it may run something again")
    managers = [node for node in known.values() if node.reachable is not None]
    missed = [node for node in managers if not node.reachable]
    if missed:
        yield _missed(missed, len(managers))


def lost(known: Mapping[str, Node], manager: str) -> Iterator[Noted]:
    """Yield the nodes that the managers do not hear of; `manager` as `notes`."""
    for node in known.values():
        if not node.ready:
            gone = f"if it is gone for good: docker node rm --force {node.name} on {manager}"
            yield Noted(_idle(node), f"start it, or its Docker; {gone}, and take it out of swarmHosts")


def _stranger(stack: str, node: Node, manager: str) -> Noted:
    text = (
        f"node {node.name} is in the Swarm and not in friday-litellm:swarmHosts (Pulumi.{stack}.yaml): it lacks the "
        "images that are built here and gets none of their tasks; those of images of a registry may run there"
    )
    return Noted(text, f"{_update(node, 'drain', manager)} keeps all tasks off it; {_named(stack)}")


def _named(stack: str) -> str:
    return f"or add its address to swarmHosts, then ./fridayctl images push {stack} and ./fridayctl up {stack}"


def _idle(node: Node) -> str:
    return f"node {node.name} {node.state}: nobody is served at its own address, and its replicas run elsewhere"


def _missed(missed: list[Node], managers: int) -> Noted:
    names = " and ".join(f"{node.name}{f' (since {node.since})' if node.since else ''}" for node in missed)
    left = managers - len(missed) - (managers // 2 + 1)
    more = f"{left} more may go" if left else "if one more goes, nothing can be changed any more"
    text = f"{len(missed)} of the Swarm's {managers} managers is not reached, {names}: {more}"
    return Noted(text, f"start it; or docker node promote another node, then docker node demote {missed[0].name}")


def _update(node: Node, availability: str, manager: str) -> str:
    return f"docker node update --availability {availability} {node.name} on {manager}"


def _node(each: Mapping[str, Any]) -> Node:
    spec, manager = each.get("Spec") or {}, each.get("ManagerStatus")
    return Node(
        name=str(each["Description"]["Hostname"]),
        ready=each["Status"]["State"] == "ready",
        availability=str(spec.get("Availability", "active")),
        reachable=manager.get("Reachability") == "reachable" if manager else None,
        since=_moment(str(each.get("UpdatedAt", ""))),
    )


def _moment(text: str) -> str:
    """Return an engine's moment as people read it, in UTC."""
    return f"{dt.datetime.fromisoformat(text[:19]):%Y-%m-%d %H:%M} UTC" if text else ""
