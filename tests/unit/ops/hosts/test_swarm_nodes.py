"""What is said of a Swarm's nodes: who is not named, who takes no task, which managers are missed, and what to do."""

from types import SimpleNamespace
from typing import Any

import pytest

from ops.hosts.swarm_nodes import Node, lost, nodes, notes, strangers

MANAGER = "ssh://root@one.example"
ACTIVE = {name: Node(f"host-{name}", ready=True, reachable=True) for name in "abc"}


def noted(known: dict[str, Node], *named: str) -> list[tuple[str, str]]:
    return [(each.text, each.fix) for each in notes("t", known, named, MANAGER)]


def test_a_managers_answer_is_read_with_the_moment_of_the_last_change() -> None:
    told: list[dict[str, Any]] = [
        {
            "ID": "a",
            "Description": {"Hostname": "one"},
            "Spec": {"Availability": "drain"},
            "Status": {"State": "ready"},
            "ManagerStatus": {"Reachability": "unreachable"},
            "UpdatedAt": "2026-11-30T22:51:12.123456789Z",
        },
        {"ID": "b", "Description": {"Hostname": "two"}, "Status": {"State": "down"}},
    ]
    assert nodes(SimpleNamespace(nodes=lambda: told)) == {
        "a": Node("one", True, "drain", False, "2026-11-30 22:51 UTC"),
        "b": Node("two", False),
    }


def test_nodes_as_the_stack_file_has_them_are_not_worth_a_word() -> None:
    assert noted(ACTIVE, "a", "b", "c") == []
    assert list(lost(ACTIVE, MANAGER)) == []


def test_a_node_that_is_not_named_is_named_with_both_ways_out() -> None:
    ((text, fix),) = noted(ACTIVE, "a", "b")
    assert text.startswith("node host-c is in the Swarm and not in friday-litellm:swarmHosts (Pulumi.t.yaml): ")
    assert fix == (
        f"docker node update --availability drain host-c on {MANAGER} keeps all tasks off it; or add its address to "
        "swarmHosts, then ./fridayctl images push t and ./fridayctl up t"
    )


@pytest.mark.parametrize("node", [Node("c", False), Node("c", True, "drain"), Node("c", True, "pause")])
def test_a_node_that_gets_no_task_is_no_stranger(node: Node) -> None:
    known = {**ACTIVE, "c": node}
    assert strangers(known, ["a", "b"]) == {}
    assert noted(known, "a", "b") == []


@pytest.mark.parametrize(("availability", "said"), [("drain", "is drained"), ("pause", "is paused")])
def test_a_host_that_is_drained_is_named_with_the_command_that_ends_it(availability: str, said: str) -> None:
    known = {**ACTIVE, "b": Node("host-b", True, availability, True, "2026-11-30 22:51 UTC")}
    ((text, fix),) = noted(known, "a", "b", "c")
    assert text.startswith(f"node host-b {said} (since 2026-11-30 22:51 UTC): nobody is served at its own address")
    assert fix.startswith(f"docker node update --availability active host-b on {MANAGER}")


def test_a_node_that_is_away_is_named_with_since_when_and_what_forgets_it() -> None:
    (found,) = lost({**ACTIVE, "b": Node("host-b", False, since="2026-11-30 22:51 UTC")}, MANAGER)
    assert found.text.startswith("node host-b does not answer the managers (since 2026-11-30 22:51 UTC): ")
    assert f"docker node rm --force host-b on {MANAGER}" in found.fix


@pytest.mark.parametrize(
    ("managers", "said"), [(3, "if one more goes, nothing can be changed any more"), (5, "1 more may go")]
)
def test_a_manager_that_is_missed_is_named_before_the_majority_is_gone(managers: int, said: str) -> None:
    known = {str(number): Node(f"host-{number}", True, reachable=True) for number in range(managers - 1)}
    known["away"] = Node("host-away", False, reachable=False, since="2026-11-30 22:51 UTC")
    ((text, fix),) = noted({**known, "worker": Node("worker", True)}, *known, "worker")
    who = "host-away (since 2026-11-30 22:51 UTC)"
    assert text == f"1 of the Swarm's {managers} managers is not reached, {who}: {said}"
    assert "docker node demote host-away" in fix
