"""What an engine answers where it manages no Swarm, or one without a leader: errors with the next command."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ops.errors import OperationError


class _Case(NamedTuple):
    """What a text means: the message goes on after the address; both may use the fields that `explain` knows."""

    pattern: str
    message: str
    fix: str


_NO_LEADER = (
    "start the managers that are away, or their Docker: once more than half are back, everything goes on by itself. "
    "Only if they never come back, on {address}: docker swarm init --force-new-cluster --advertise-addr {own}, which "
    "makes it the only manager; read docs/REMOTE_HOSTS.md, A Swarm without a majority, first"
)
_CASES = (
    _Case(
        r"does not have a leader|no elected (primary )?cluster manager|raft: stopped",
        "the Swarm has no leader, because no more than half of its managers are reached: nothing can be changed, what "
        "serves goes on serving; managers: {managers}; since when: journalctl -u docker there",
        _NO_LEADER,
    ),
    _Case(
        r"rpc error: code = DeadlineExceeded",
        "the Swarm's managers did not answer in time: they choose a leader, or more than half of them are away",
        "wait half a minute and try again; on {address}: docker node ls",
    ),
    _Case(
        r"needs to be unlocked",
        "the Swarm is locked on this manager since its Docker was started",
        "on {address}: docker swarm unlock; a manager that is unlocked shows the key: docker swarm unlock-key",
    ),
    _Case(
        r"node is not a swarm manager.*(Worker nodes|promote)",
        "is not a manager of its Swarm any more",
        "name a manager as dockerHost in the stack file (docker node ls shows them, on one), or on a manager: docker "
        "node promote {node}",
    ),
    _Case(
        r"node is not a swarm manager|node is not part of a swarm",
        "is in no Swarm any more",
        "on a manager: docker swarm join-token manager prints what to run there; or name another manager as dockerHost "
        "in the stack file",
    ),
)


def explain(address: str, said: str, swarm: Callable[[], Mapping[str, Any]]) -> OperationError | None:
    """Return the error for what an engine said, None where it is about something else.

    `swarm` returns what the engine says of its Swarm in `docker info`; it is asked only where that is needed.
    """
    case = next((each for each in _CASES if re.search(each.pattern, said, re.DOTALL)), None)
    if case is None:
        return None
    known = swarm()
    managers = sorted(str(each["Addr"]) for each in known.get("RemoteManagers") or ())
    fields = {
        "address": address,
        "own": known.get("NodeAddr") or "ITS_ADDRESS",
        "node": known.get("NodeID") or "NODE",
        "managers": ", ".join(managers) or "not known",
    }
    return OperationError(f"{address}: {case.message.format(**fields)}", case.fix.format(**fields))
