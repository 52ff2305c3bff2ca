"""Nodes of a Swarm that the stack file does not name: what of a stack is expected there, and what is not."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.swarm_placement import Strangers
from ops.hosts.swarm import SwarmManager
from tests.unit.ops.hosts.played_swarm import Api, make_impatient, service, task


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    make_impatient(monkeypatch)


def joined(services: list[Any], *tasks: Any, answering: int = 1) -> SwarmManager:
    """Return a manager whose Swarm has a node `x` that its one host is not; that many hosts answer."""
    api = Api(services, list(tasks))
    api.others = [("x", "worker")]
    host: Any = SimpleNamespace(swarm_node=lambda: "n")
    client: Any = SimpleNamespace(api=api)
    return SwarmManager(client, lambda: [host] * answering)


def on_stranger(id_: str, state: str, part: str) -> Any:
    return {**task(id_, state, part=part), "NodeID": "x"}


def test_a_node_that_is_not_named_is_known_while_every_host_answers() -> None:
    manager = joined([service()])
    assert [each.name for each in manager.strangers().values()] == ["worker"]
    assert [each.text.split(" is ")[0] for each in manager.noted("t", "ssh://h")] == ["node worker"]
    silent = joined([service()], answering=0)
    assert silent.strangers() == {}
    assert silent.noted("t", "ssh://h") == []


def test_a_task_that_cannot_start_on_a_node_that_is_not_named_makes_nothing_ill() -> None:
    edge = service("edge", None)
    tasks = task("1", part="edge"), on_stranger("2", "rejected", "edge")
    assert joined([edge], *tasks).complaint("t") == ""
    assert joined([edge], *tasks).reasons("t") == ""
    assert [each.name for each in joined([edge], *tasks).instances("t")] == ["friday-t-edge.1 on one"]
    assert joined([edge], *tasks, answering=0).complaint("t").startswith("friday-t-edge: 1 run")
    here = task("1", "starting", part="edge"), on_stranger("2", "running", "edge")
    assert joined([edge], *here).complaint("t").startswith("friday-t-edge: ")


def test_a_replica_that_lacks_is_missed_wherever_it_was_to_run() -> None:
    found = joined([service(replicas=2)], task("1"), on_stranger("2", "rejected", "friday"))
    assert found.complaint("t").startswith("friday-t-friday: 1 run")


def test_what_runs_on_strangers_and_what_was_kept_off_them_is_known() -> None:
    limited = service("edge", None)
    limited["Spec"]["TaskTemplate"]["Placement"] = {"Constraints": ["node.platform.os==linux"]}
    given = on_stranger("2", "running", "friday"), on_stranger("3", "rejected", "edge")
    found = joined([service(), limited], task("1"), *given).strangers_to("t")
    assert found == Strangers(
        frozenset({"x"}), {"friday": frozenset({"n", "x"}), "edge": frozenset()}, frozenset({"edge"})
    )
