"""Verdicts over facts: nothing is asked here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from components.friday_environment import REQUIRED_OF_THE_TEAM
from ops.checks.preflight import judge_upstream
from ops.checks.preflight.facts import MEBIBYTE, Facts, HostFacts, memory_limits
from ops.checks.preflight.judge_way_back import way_back
from ops.checks.report import Check, State
from ops.errors import OperationError
from ops.hosts import ssh
from ops.hosts.machine import MOST_SECONDS_APART, declared_ports
from ops.stacks.stack_secrets import missing_secrets

GIBIBYTE = 1024 * MEBIBYTE
# For the logs of all parts, and for what an image needs while it is unpacked.
HEADROOM_BYTES = GIBIBYTE
# No registry tells the unpacked size; the largest image of the project, the gateway's, is half of it.
UNKNOWN_IMAGE_BYTES = GIBIBYTE


_Judge = Callable[[Facts], Iterator[Check]]
_OneHost = Callable[[Facts, str, HostFacts], Iterator[Check]]


@dataclass(frozen=True)
class Group:
    """Checks that belong together.

    `before_update` groups hold what would make an update fail: `up` asks them too. What only makes it unwise stays
    out of there, for a way back must not be refused for it.
    """

    name: str
    judge: _Judge
    before_update: bool


def judge(facts: Facts, groups: Sequence[Group]) -> list[Check]:
    """Return the checks of each group, in order."""
    return [check for group in groups for check in group.judge(facts)]


def _hosts(facts: Facts) -> Iterator[Check]:
    for address, host in facts.hosts.items():
        if isinstance(host, OperationError):
            fix = f"{host.fix}{_without(facts, address)}"
            yield Check("reachable", address, State.FAILED, host.message, fix, host.details)
            continue
        yield Check("reachable", address, State.OK, "answers")
        engine = host.engine
        if engine.misfit:
            yield Check("engine version", address, State.FAILED, f"{address}: {engine.misfit}", engine.remedy)
        else:
            text = f"{engine.version} (API {engine.api}), for {host.architecture}"
            yield Check("engine version", address, State.OK, text)


def _without(facts: Facts, address: str) -> str:
    """Return how a Swarm's stack goes on without one of its hosts; "" where there is no other."""
    if len(facts.hosts) == 1:
        return ""
    if address == facts.settings.docker_host:
        return f"; or in Pulumi.{facts.stack}.yaml name another manager of friday-litellm:swarmHosts as dockerHost"
    return f"; or, until it is back, take it out of friday-litellm:swarmHosts in Pulumi.{facts.stack}.yaml"


def _each_host(name: str, one: _OneHost) -> _Judge:
    """Return a group's judge that asks `one` for each host that was reached; the others are skipped as `name`."""

    def every(facts: Facts) -> Iterator[Check]:
        for address, host in facts.hosts.items():
            if isinstance(host, OperationError):
                yield Check(name, address, State.SKIPPED, "the host is not reached")
            else:
                yield from one(facts, address, host)

    return every


def _swarm(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    settings = facts.settings
    if settings.engine != "swarm":
        yield Check("swarm", address, State.SKIPPED, "containers of one host need none")
        return
    wrong = _not_a_manager if address == settings.docker_host else _not_a_member
    problem = wrong(facts, address, host)
    if problem:
        yield Check("swarm", address, State.FAILED, f"{address}: {problem[0]}", problem[1])
    else:
        yield Check("swarm", address, State.OK, "a manager" if host.swarm.manager else "a node")


def _not_a_manager(facts: Facts, address: str, host: HostFacts) -> tuple[str, str] | None:
    if not host.swarm.active:
        return "the Swarm is not initialised", _there(facts, address, "docker swarm init")
    if not host.swarm.manager:
        promote = f"docker node promote {host.swarm.node}"
        return "is not a manager of its Swarm", f"name a manager as dockerHost, or on a manager: {promote}"
    return None


def _not_a_member(facts: Facts, address: str, host: HostFacts) -> tuple[str, str] | None:
    manager = facts.hosts[facts.settings.docker_host]
    if isinstance(manager, OperationError) or not manager.swarm.manager:
        return None  # said of the manager itself, and nobody else knows the nodes
    join = f"{_there(facts, facts.settings.docker_host, 'docker swarm join-token worker')} prints what to run there"
    if not host.swarm.active:
        return "is in no Swarm", join
    node = manager.swarm.nodes.get(host.swarm.node)
    if node is None:
        leave = _there(facts, address, "docker swarm leave")
        # An engine that was in another Swarm since its start may find no service's name in the next one, for good.
        anew = _there(facts, address, "systemctl restart docker", sudo=True)
        return f"is in another Swarm than {facts.settings.docker_host}", f"{leave}, {anew}, then {join}"
    if not node.ready:
        look = _there(facts, address, "docker info")
        fix = f"{look} shows why; ports 2377, 7946 and 4789 have to be open between the hosts"
        return f"the manager does not hear of it (node {node.name})", fix
    return None


def _images(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    for problem in host.images.problems:
        yield Check("images", address, State.FAILED, problem.message, problem.fix, problem.details)
    if not host.images.problems:
        missing = len(host.images.missing)
        pulled = f", {missing} to be pulled" if missing else ""
        yield Check("images", address, State.OK, f"{host.images.present} there{pulled}, for {host.architecture}")


def _ports(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    for setting, (_, port) in declared_ports(facts.settings).items():
        holder = host.holders[setting]
        where = "" if address.startswith("unix://") else f" on {address}"
        if holder is None:
            install = _there(facts, address, "apt-get install iproute2", sudo=True)
            text = f"the host has no ss command to look with; {install}"
            yield Check(f"port {setting}", address, State.SKIPPED, text)
        elif holder:
            key = f"Pulumi.{facts.stack}.yaml: friday-litellm:{setting}"
            text = f"{key}: port {port} should be free{where} (held by {holder})"
            fix = f"pulumi config set --path '{setting}' OTHER_PORT -s {facts.stack}, or end what listens there"
            yield Check(f"port {setting}", address, State.FAILED, text, fix)
        else:
            yield Check(f"port {setting}", address, State.OK, f"{port} is free, or the stack's own")


def _secrets(facts: Facts) -> Iterator[Check]:
    settings, stack = facts.settings, facts.stack
    file = f"Pulumi.{stack}.yaml"
    made_later = missing_secrets(settings)
    if made_later and settings.upstream == "simulator":
        text = f"{file}: {', '.join(made_later)}: not generated on this machine yet"
        yield Check("secrets", "", State.FAILED, text, "./fridayctl setup")
    given = {*settings.friday.environment, *settings.friday_secrets}
    for name in REQUIRED_OF_THE_TEAM:
        if name not in given:
            text = f"{file}: friday-litellm:{name}: missing, and Friday does not start without it"
            fix = f"pulumi config set --path 'friday.environment.{name}' VALUE -s {stack}"
            secret = f"pulumi config set --secret --path 'fridaySecrets.{name}' -s {stack}"
            yield Check("secrets", "", State.FAILED, text, f"{fix}, or {secret}")
    if made_later and settings.upstream == "openrouter":
        text = f"{', '.join(made_later)}: generated by the next ./fridayctl up {stack}"
        yield Check("secrets", "", State.OK, text)
    elif not made_later and given.issuperset(REQUIRED_OF_THE_TEAM):
        yield Check("secrets", "", State.OK, "the stack's and Friday's own are set")


def _space(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    if isinstance(host.space, str):
        yield from _memory(facts, address, host, host.memory, "in all")
        yield Check("disk", address, State.SKIPPED, host.space)
    elif host.space:
        which = "free or the stack's own" if host.own_memory else "free"
        yield from _memory(facts, address, host, host.space.memory + host.own_memory, which)
        yield from _disk(facts, address, host, host.space.disk)


def _memory(facts: Facts, address: str, host: HostFacts, there: int, which: str) -> Iterator[Check]:
    needed = memory_limits(facts.workloads, len(facts.hosts))
    text = f"{_gib(needed)} of limits, {_gib(there)} {which}"
    if there < needed:
        fix = f"lower a memoryMb or replicas in Pulumi.{facts.stack}.yaml, or end something else there"
        yield Check("memory", address, State.FAILED, f"{address}: too little memory: {text}", fix)
    else:
        yield Check("memory", address, State.OK, text)


def _disk(facts: Facts, address: str, host: HostFacts, free: int) -> Iterator[Check]:
    images = sum(UNKNOWN_IMAGE_BYTES if size is None else size for _, size in host.images.missing)
    needed = images + HEADROOM_BYTES
    text = f"{_gib(needed)} for {len(host.images.missing)} images and headroom, {_gib(free)} free"
    if free < needed:
        look = _there(facts, address, "docker system df")
        fix = f"{look} shows what takes it, and docker image prune there frees what nobody uses"
        yield Check("disk", address, State.FAILED, f"{address}: too little disk: {text}", fix)
    else:
        yield Check("disk", address, State.OK, text)


def _clock(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    apart = host.seconds_apart
    if abs(apart) > MOST_SECONDS_APART:
        text = f"{address}: its clock is {abs(apart):.1f} s {'ahead of' if apart > 0 else 'behind'} this machine's"
        fix = f"{_there(facts, address, 'timedatectl set-ntp true', sudo=True)}, and the same here"
        yield Check("clock", address, State.FAILED, text, fix)
    else:
        yield Check("clock", address, State.OK, f"within {MOST_SECONDS_APART:g} s of this machine's")


def _there(facts: Facts, address: str, command: str, *, sudo: bool = False) -> str:
    """Return how an operator runs a command on a host."""
    line = f"sudo {command}" if sudo and not ssh.is_root(address) else command
    if address.startswith("ssh://"):
        return ssh.by_hand(address, facts.settings.ssh, line)
    return line if address.startswith("unix://") else f"on {address}: {line}"


def _gib(count: float) -> str:
    return f"{count / GIBIBYTE:.1f} GiB"


# What is asked, in this order. A further group needs its facts in `facts.py`, and its line here.
GROUPS = (
    Group("hosts", _hosts, before_update=True),
    Group("swarm", _each_host("swarm", _swarm), before_update=True),
    Group("images", _each_host("images", _images), before_update=True),
    Group("ports", _each_host("ports", _ports), before_update=True),
    Group("secrets", _secrets, before_update=True),
    Group("catalogue", judge_upstream.catalogue, before_update=True),
    Group("key", judge_upstream.key, before_update=True),
    Group("rollback target", way_back, before_update=False),
    Group("space", _each_host("space", _space), before_update=False),
    Group("clock", _each_host("clock", _clock), before_update=False),
)
BEFORE_UPDATE = tuple(group for group in GROUPS if group.before_update)
