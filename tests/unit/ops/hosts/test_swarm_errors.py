"""What an engine answers that manages no Swarm now, or one without a leader: one message, with the next command."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.settings.hosts import SshSettings
from ops.errors import EXIT_FAILED, OperationError
from ops.hosts import swarm_errors
from ops.hosts.connection import connect
from tests.unit.ops.engine import INFO, engine

AT = "ssh://root@one.example"
NO_LEADER = (
    "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are "
    "online. Make sure more than half of the managers are online."
)
NO_MANAGER = "This node is not a swarm manager. "
KNOWN = {
    "NodeID": "n1",
    "NodeAddr": "198.51.100.1",
    "RemoteManagers": [{"NodeID": "n2", "Addr": "198.51.100.2:2377"}, {"NodeID": "n1", "Addr": "198.51.100.1:2377"}],
}


@pytest.mark.parametrize(
    ("said", "message", "fix"),
    [
        (
            NO_LEADER,
            "the Swarm has no leader, because no more than half of its managers are reached: nothing can be changed, "
            "what serves goes on serving; managers: 198.51.100.1:2377, 198.51.100.2:2377; since when: journalctl",
            f"on {AT}: docker swarm init --force-new-cluster --advertise-addr 198.51.100.1, which",
        ),
        (
            "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
            "the Swarm's managers did not answer in time: they choose a leader",
            f"on {AT}: docker node ls",
        ),
        (
            'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock"',
            "the Swarm is locked on this manager",
            f"on {AT}: docker swarm unlock",
        ),
        (
            f"{NO_MANAGER}Worker nodes can't be used to view or modify cluster state. Please run this command on a "
            "manager node or promote the current node to a manager.",
            "is not a manager of its Swarm any more",
            "docker node promote n1",
        ),
        (
            f'{NO_MANAGER}Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
            "is in no Swarm any more",
            "docker swarm join-token manager",
        ),
    ],
)
def test_each_has_its_message_and_next_command(said: str, message: str, fix: str) -> None:
    error = swarm_errors.explain(AT, said, lambda: KNOWN)
    assert error is not None
    assert error.message.startswith(f"{AT}: {message}")
    assert fix in error.fix


def test_what_is_about_something_else_is_left_alone_and_nothing_is_asked() -> None:
    def swarm() -> Mapping[str, Any]:
        raise AssertionError("asked")

    assert swarm_errors.explain(AT, "no space left on device", swarm) is None


def test_an_engine_that_knows_nothing_of_its_managers_leaves_gaps_to_fill() -> None:
    error = swarm_errors.explain(AT, NO_LEADER, dict)
    assert error is not None
    assert "managers: not known" in error.message
    assert "--advertise-addr ITS_ADDRESS" in error.fix


@pytest.mark.parametrize("status", [500, 503])
def test_every_request_to_a_manager_says_so(status: int, tmp_path: Path) -> None:
    answers = {"/nodes": (status, {"message": NO_LEADER}), "/info": {**INFO, "Swarm": KNOWN}}
    with engine(tmp_path / "docker.sock", answers) as address:
        client = connect(address, SshSettings(), None)
        with pytest.raises(OperationError, match="the Swarm has no leader") as caught:
            client.api.nodes()
        client.close()
    assert caught.value.exit_code == EXIT_FAILED
    assert "198.51.100.2:2377" in caught.value.message
