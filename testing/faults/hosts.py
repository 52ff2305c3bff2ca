"""The faults of the Docker host that a stack runs on: a host of a rig, whose engine and network are its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from testing.faults.fault import DEADLINE_SECONDS, Fault, Promise
from testing.nested_host import NestedHost

HostFault = Fault[NestedHost]

_ENGINE_SECONDS = 60.0
_RATE = "32kbit"
_LOSS = 0.1
"""The share of packets that are lost."""
_NAME_SERVER = "127.0.0.11"
"""Where the engine's name server is for each container."""
_GATEWAY, _ANY_PART = "label=friday-litellm.part=litellm", "label=friday-litellm.replica"


def _random(share: float) -> tuple[str, ...]:
    return ("--match", "statistic", "--mode", "random", "--probability", str(share))


@contextmanager
def _engine_killed(host: NestedHost, *, live_restore: bool) -> Iterator[None]:
    """Kill dockerd; what its service manager is in real life starts it again at once."""
    before = host.run("cat", "/etc/docker/daemon.json")
    if live_restore:
        _configure(host, '{"live-restore": true}')
    try:
        host.kill_engine()
        yield
        host.wait()
    finally:
        if live_restore:
            _configure(host, before)


def _configure(host: NestedHost, text: str) -> None:
    """Give the engine other settings; this one it reads while it runs."""
    host.run("sh", "-c", 'echo "$1" >/etc/docker/daemon.json && kill -HUP $(cat /var/run/docker.pid)', "sh", text)


@contextmanager
def _rebooted(host: NestedHost) -> Iterator[None]:
    host.reboot()
    yield


@contextmanager
def _slow_network(host: NestedHost) -> Iterator[None]:
    """Let no more than 4 kB a second leave each gateway replica, the rest queues."""
    pids = _processes(host, _GATEWAY)
    shape = ("dev", "eth0", "root", "tbf", "rate", _RATE, "burst", "2kb", "limit", "64kb")
    for pid in pids:
        host.run(*_in_network_of(pid), "tc", "qdisc", "add", *shape)
    try:
        yield
    finally:
        for pid in pids:
            host.run(*_in_network_of(pid), "tc", "qdisc", "del", "dev", "eth0", "root")


@contextmanager
def _dropping(host: NestedHost, which: str, *packets: str) -> Iterator[None]:
    """Drop packets that arrive in the network of each container with a label; `packets` is how iptables says which."""
    pids = _processes(host, which)
    for pid in pids:
        host.run(*_in_network_of(pid), "iptables", "--insert", "INPUT", *packets, "--jump", "DROP")
    try:
        yield
    finally:
        for pid in pids:
            host.run(*_in_network_of(pid), "iptables", "--delete", "INPUT", *packets, "--jump", "DROP")


def _processes(host: NestedHost, which: str) -> list[str]:
    """Return the first process of each container that has a label."""
    names = host.run("docker", "ps", "--quiet", "--filter", which).split()
    return host.run("docker", "inspect", "--format", "{{.State.Pid}}", *names).split()


def _in_network_of(pid: str) -> tuple[str, ...]:
    return ("nsenter", "--target", pid, "--net")


HOSTS: tuple[HostFault, ...] = (
    Fault(
        "the network of the gateway is slow",
        f"{_RATE} a second leave each gateway replica (`tc`)",
        "the limit is lifted",
        "the gateway's users wait, and are answered by the direct path",
        Promise.ANSWERED,
        _slow_network,
        lasts=10,
        back=35,
    ),
    Fault(
        "the network of the gateway loses packets",
        f"{_LOSS:.0%} of the packets to each gateway replica are dropped (`iptables`)",
        "the rule is removed",
        "some answers are late",
        Promise.ANSWERED,
        lambda host: _dropping(host, _GATEWAY, *_random(_LOSS)),
        lasts=15,
        back=35,
    ),
    Fault(
        "the name server is away",
        f"what any part asks of the engine's name server ({_NAME_SERVER}) is dropped",
        "the rule is removed",
        "some answers are late: what a name led to is remembered, and asked for again at each new connection",
        Promise.ANSWERED,
        lambda host: _dropping(host, _ANY_PART, "--destination", _NAME_SERVER),
        lasts=60,
        back=35,
    ),
    Fault(
        "dockerd is killed, with live-restore",
        "SIGKILL to dockerd",
        "it is started again, as a service manager does",
        "next to nothing: a direct call that needs a name in the moment in which the engine starts may get 503",
        Promise.REFUSED,
        lambda host: _engine_killed(host, live_restore=True),
        lasts=5,
        back=35,
    ),
    Fault(
        "dockerd is killed, without live-restore",
        "SIGKILL to dockerd",
        "it is started again, ends what it finds and starts all containers",
        "connections end, new ones are refused",
        Promise.CUT,
        lambda host: _engine_killed(host, live_restore=False),
        lasts=0,
        slowest=2 * DEADLINE_SECONDS,
        back=_ENGINE_SECONDS,
    ),
    Fault(
        "the host is rebooted",
        "in order, with 30 s for what runs",
        "its engine starts all containers, in any order",
        "connections end, new ones are refused",
        Promise.CUT,
        _rebooted,
        lasts=0,
        slowest=2 * DEADLINE_SECONDS,
        back=_ENGINE_SECONDS,
    ),
)
