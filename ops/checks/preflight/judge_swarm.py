"""Verdicts over a Swarm: each host is one of its nodes, and what of its nodes an operator should know."""

from collections.abc import Iterator

from ops.checks.preflight.by_hand import there
from ops.checks.preflight.facts import Facts, HostFacts
from ops.checks.report import Check, State, one_or_other
from ops.errors import OperationError
from ops.hosts import swarm_nodes

_NAME = "swarm"


def member(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    """Yield the check of one host: the one that `dockerHost` names manages the Swarm, the others are in it."""
    settings = facts.settings
    if settings.engine != "swarm":
        yield Check(_NAME, address, State.SKIPPED, "containers of one host need none")
        return
    if host.traits.problem(swarm=True):
        yield Check(_NAME, address, State.SKIPPED, "the engine can be in none as it is")
        return
    wrong = _not_a_manager if address == settings.docker_host else _not_a_member
    role = "a manager" if host.swarm.manager else "a node"
    yield one_or_other(_NAME, address, wrong(facts, address, host), role)


def nodes(facts: Facts) -> Iterator[Check]:
    """Yield a warning for each node that is not as the stack file has it: nothing fails for it now."""
    manager = facts.hosts.get(facts.settings.docker_host)
    if facts.settings.engine != "swarm" or not isinstance(manager, HostFacts):
        return
    reached = [host for host in facts.hosts.values() if isinstance(host, HostFacts)]
    if len(reached) < len(facts.hosts):
        return  # a host that is not reached would be taken for a node that is not named
    named = [host.swarm.node for host in reached]
    for noted in swarm_nodes.notes(facts.stack, manager.swarm.nodes, named, facts.settings.docker_host):
        yield Check(_NAME, "", State.WARNING, noted.text, noted.fix)


def _not_a_manager(facts: Facts, address: str, host: HostFacts) -> tuple[str, str] | None:
    if not host.swarm.active:
        return "the Swarm is not initialised", there(facts, address, "docker swarm init")
    if not host.swarm.manager:
        promote = f"docker node promote {host.swarm.node}"
        return "is not a manager of its Swarm", f"name a manager as dockerHost, or on a manager: {promote}"
    return None


def _not_a_member(facts: Facts, address: str, host: HostFacts) -> tuple[str, str] | None:
    manager = facts.hosts[facts.settings.docker_host]
    if isinstance(manager, OperationError) or not manager.swarm.manager:
        return None  # said of the manager itself, and nobody else knows the nodes
    join = f"{there(facts, facts.settings.docker_host, 'docker swarm join-token worker')} prints what to run there"
    if not host.swarm.active:
        return "is in no Swarm", join
    node = manager.swarm.nodes.get(host.swarm.node)
    if node is None:
        leave = there(facts, address, "docker swarm leave")
        # An engine that was in another Swarm since its start may find no service's name in the next one, for good.
        anew = there(facts, address, "systemctl restart docker", sudo=True)
        return f"is in another Swarm than {facts.settings.docker_host}", f"{leave}, {anew}, then {join}"
    if not node.ready:
        look = there(facts, address, "docker info")
        fix = f"{look} shows why; ports 2377, 7946 and 4789 have to be open between the hosts"
        since = f" since {node.since}" if node.since else ""
        return f"the manager does not hear of it{since} (node {node.name})", fix
    return None
