"""Verdicts over facts: nothing is asked here."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from components.friday_environment import REQUIRED_OF_THE_TEAM
from ops.checks.preflight import judge_friday, judge_models, judge_swarm, judge_upstream
from ops.checks.preflight.by_hand import there as _there
from ops.checks.preflight.facts import MEBIBYTE, Facts, HostFacts, memory_limits
from ops.checks.preflight.judge_certificate import certificate
from ops.checks.preflight.judge_ssh import ssh_limits
from ops.checks.preflight.one_engine import one_engine
from ops.checks.report import Check, State, one_or_other
from ops.errors import OperationError
from ops.hosts.machine import MOST_SECONDS_APART, Space
from ops.rollout.history import Entry, shown
from ops.stacks.stack_secrets import missing_secrets

GIBIBYTE = 1024 * MEBIBYTE
# For the logs of all parts, and for what an image needs while it is unpacked.
HEADROOM_BYTES = GIBIBYTE
# No registry tells the unpacked size; the largest image of the project, the gateway's, is half of it.
UNKNOWN_IMAGE_BYTES = GIBIBYTE

# What only root may listen on, as Linux has it unless told otherwise.
_PRIVILEGED = 1024

_Judge = Callable[[Facts], Iterable[Check]]


def judge(facts: Facts, judges: Sequence[_Judge]) -> list[Check]:
    """Return the checks of each judge (`BEFORE_UPDATE` or `ALL`), in order."""
    return [check for each in judges for check in each(facts)]


def _hosts(facts: Facts) -> Iterator[Check]:
    for address, host in facts.hosts.items():
        if isinstance(host, OperationError):
            fix = f"{host.fix}{_without(facts, address)}"
            yield Check("reachable", address, State.FAILED, host.message, fix, host.details)
            continue
        yield Check("reachable", address, State.OK, "answers")
        engine = host.engine
        problem = (engine.misfit, engine.remedy) if engine.misfit else None
        text = f"{engine.version} (API {engine.api}), for {host.architecture}"
        yield one_or_other("engine version", address, problem, text)
        unable = host.traits.problem(swarm=facts.settings.engine == "swarm")
        yield one_or_other("engine", address, unable, host.traits.shown)


def _without(facts: Facts, address: str) -> str:
    """Return how a Swarm's stack goes on without one of its hosts; "" where there is no other."""
    if len(facts.hosts) == 1:
        return ""
    if address == facts.settings.docker_host:
        return f"; or in Pulumi.{facts.stack}.yaml name another manager of friday-litellm:swarmHosts as dockerHost"
    return f"; or, until it is back, take it out of friday-litellm:swarmHosts in Pulumi.{facts.stack}.yaml"


def _each_host(name: str, one: Callable[[Facts, str, HostFacts], Iterator[Check]]) -> _Judge:
    """Return a judge that asks `one` for each host that was reached; others are skipped as `name`, if it has one."""

    def every(facts: Facts) -> Iterator[Check]:
        for address, host in facts.hosts.items():
            if isinstance(host, HostFacts):
                yield from one(facts, address, host)
            elif name:
                yield Check(name, address, State.SKIPPED, "the host is not reached")

    return every


def _images(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    for problem in host.images.problems:
        yield Check("images", address, State.FAILED, problem.message, problem.fix, problem.details)
    if not host.images.problems:
        missing = len(host.images.missing)
        pulled = f", {missing} to be pulled" if missing else ""
        alone = "" if host.images.compared else "; no engine here has others to compare them with"
        yield Check("images", address, State.OK, f"{host.images.present} there{pulled}, for {host.architecture}{alone}")


def _ports(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    for setting, (_, port) in facts.settings.host_ports.items():
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
        elif host.traits.rootless and port < _PRIVILEGED and setting not in host.published:
            text = (
                f"{address}: port {port} of {setting}: a rootless engine publishes none below {_PRIVILEGED} by itself"
            )
            fix = f"{_there(facts, address, f'sysctl -w net.ipv4.ip_unprivileged_port_start={port}', sudo=True)}"
            yield Check(f"port {setting}", address, State.WARNING, text, f"{fix}, or another port")
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


def restore(facts: Facts) -> Iterator[Check]:
    """Yield one check: the history holds an update to go back to, and its images are still to be had.

    Going back from the next update means making the present one again: when that cannot be done it is a failure. What
    lies before it is a second way, so it only warns.
    """
    found, name = facts.restore, "rollback target"
    if found is None:
        yield Check(name, "", State.SKIPPED, "the history was not asked for")
    elif isinstance(found, OperationError):
        yield Check(name, "", State.FAILED, found.message, found.fix, found.details)
    elif found.current is None:
        yield Check(name, "", State.SKIPPED, "not deployed yet: there is nothing to go back to")
    elif problem := found.current_problem:
        text = f"the update that runs ({_shown(found.current)}) could not be restored: {problem.message}"
        yield Check(name, "", State.FAILED, text, problem.fix, problem.details)
    elif found.target is None:
        text = f"the update that runs ({_shown(found.current)}), once there is another; until then level 1"
        yield Check(name, "", State.OK, text)
    elif problem := found.target_problem:
        text = f"the last good update ({_shown(found.target)}) could not be restored: {problem.message}"
        yield Check(name, "", State.WARNING, text, problem.fix, problem.details)
    else:
        yield Check(name, "", State.OK, f"the update of {_shown(found.target)}")


def _shown(entry: Entry) -> str:
    return f"{shown(entry.at)}, {entry.percentage} %"


def _space(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    if isinstance(host.space, str):
        yield from _memory(facts, address, host, host.memory, "in all")
    elif host.space:
        which = "free or the stack's own" if host.own_memory else "free"
        yield from _memory(facts, address, host, host.space.memory + host.own_memory, which)
    if not host.images.missing:
        yield from _disk(facts, address, host)


def _room(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    """Yield the check of the disk where images are missing: they come before anything else of an update."""
    if host.images.missing:
        yield from _disk(facts, address, host)


def _memory(facts: Facts, address: str, host: HostFacts, there: int, which: str) -> Iterator[Check]:
    needed = memory_limits(facts.workloads, len(facts.hosts))
    text = f"{_gib(needed)} of limits, {_gib(there)} {which}"
    fix = f"lower a memoryMb or replicas in Pulumi.{facts.stack}.yaml, or end something else there"
    problem = (f"too little memory: {text}", fix) if there < needed else None
    yield one_or_other("memory", address, problem, text)


def _disk(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    if not isinstance(host.space, Space):
        yield Check("disk", address, State.SKIPPED, host.space or "nothing was asked about it")
        return
    unknown = host.traits.room(UNKNOWN_IMAGE_BYTES)
    images = sum(unknown if size is None else size for _, size in host.images.missing)
    store = ", packed and unpacked in the containerd store" if images and host.traits.containerd_store else ""
    about = f"{len(host.images.missing)} images{store}"
    root, free = host.traits.folder, host.space.disk
    if host.space.images:
        apart, there = host.space.images
        found = [(HEADROOM_BYTES, "headroom", root, free), (images, about, apart, there)]
    else:
        found = [(images + HEADROOM_BYTES, f"{about} and headroom", root, free)]
    told = [f"{_gib(needed)} for {what}, {_gib(there)} free in {folder}" for needed, what, folder, there in found]
    short = [text for text, (needed, _, _, there) in zip(told, found, strict=True) if there < needed]
    look = _there(facts, address, "docker system df")
    fix = f"{look} shows what takes it, and docker image prune there frees what nobody uses"
    problem = (f"too little disk: {'; '.join(short)}", fix) if short else None
    yield one_or_other("disk", address, problem, "; ".join(told))


def _cgroup(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    if warning := host.traits.cgroup_warning:
        yield Check("cgroup", address, State.WARNING, f"{address}: {warning[0]}", warning[1])


def _clock(facts: Facts, address: str, host: HostFacts) -> Iterator[Check]:
    apart = host.seconds_apart
    text = f"its clock is {abs(apart):.1f} s {'ahead of' if apart > 0 else 'behind'} this machine's"
    fix = f"{_there(facts, address, 'timedatectl set-ntp true', sudo=True)}, and the same here"
    problem = (text, fix) if abs(apart) > MOST_SECONDS_APART else None
    yield one_or_other("clock", address, problem, f"within {MOST_SECONDS_APART:g} s of this machine's")


def _gib(count: float) -> str:
    return f"{count / GIBIBYTE:.1f} GiB"


# What is asked, in this order. A further judge needs its facts in `facts.py`, and its line here.
# Before an update only what would make it fail: one that goes back must not be refused for what is merely unwise.
BEFORE_UPDATE: tuple[_Judge, ...] = (
    _hosts,
    _each_host("swarm", judge_swarm.member),
    judge_swarm.nodes,
    _each_host("images", _images),
    one_engine,
    _each_host("ports", _ports),
    _each_host("", _room),
    _secrets,
    judge_friday.networks,
    judge_friday.user,
    judge_friday.testers,
    certificate,
    judge_upstream.catalogue,
    judge_models.abilities,
    judge_models.names,
    judge_models.data_policy,
    judge_upstream.key,
)
ALL = (
    *BEFORE_UPDATE,
    restore,
    _each_host("space", _space),
    _each_host("", _cgroup),
    _each_host("clock", _clock),
    _each_host("", ssh_limits),
)
