"""Ways to break containers for a while. Each puts back what it broke, and waits until that is healthy."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from docker.errors import NotFound
from docker.models.containers import Container

from testing.meanwhile import until
from testing.project import Project

_HEALTHY_SECONDS = 120
_PERIOD = 100_000
"""The scheduler's period in microseconds, of which a starved container gets a share."""

_GROW = """
import os
for process in filter(str.isdigit, os.listdir("/proc")):
    if int(process) not in (1, os.getpid()):
        try:
            open(f"/proc/{process}/oom_score_adj", "w").write("1000")
        except OSError:
            pass  # it has just ended
kept = []
while True:
    kept.append(bytearray(1 << 20))
"""
"""Takes memory until the kernel ends somebody for it, and lets that be the part itself."""


@contextmanager
def killed(*victims: Container) -> Iterator[None]:
    """Keep containers down for a while, then start those that are still there and wait until they are healthy.

    Their restart policy counts only for those that end by themselves.
    """
    for victim in victims:
        victim.kill()
    try:
        yield
    finally:
        started = [victim for victim in victims if _starts(victim)]
        wait_healthy(started)


def _starts(container: Container) -> bool:
    try:
        container.start()
    except NotFound:
        return False
    return True


def wait_healthy(containers: Sequence[Container]) -> None:
    """Wait until all of them are; AssertionError when they are not in time."""
    until(lambda: all(_is_healthy(each) for each in containers), f"{containers} should come back", _HEALTHY_SECONDS)


def _is_healthy(container: Container) -> bool:
    container.reload()
    return bool(container.attrs["State"]["Health"]["Status"] == "healthy")


@contextmanager
def stopped(*victims: Container) -> Iterator[None]:
    """Stop containers in the middle of what they do (SIGSTOP): their sockets stay open, and nothing answers.

    Not by `docker pause`: while the engine freezes a group with cgroup v1 on a busy host, it does nothing else for it.
    """
    with ExitStack() as ending:
        for victim in victims:
            _signal(victim, "STOP")
            ending.callback(_signal, victim, "CONT")
        yield


def _signal(container: Container, name: str) -> None:
    # All processes but the init, process 1: nothing in its own container can kill or stop it.
    code, said = container.exec_run(["sh", "-c", f"kill -{name} -1"])
    assert code in (0, None) or name == "KILL", said


@contextmanager
def starved(share: float, *victims: Container) -> Iterator[None]:
    """Give containers no more than a share of one processor."""
    with ExitStack() as ending:
        for victim in victims:
            victim.update(cpu_period=_PERIOD, cpu_quota=int(_PERIOD * share))
            ending.callback(victim.update, cpu_quota=-1)
        yield


@contextmanager
def crashed(*victims: Container) -> Iterator[None]:
    """End all processes in containers at once, as a crash does: the engine starts them again by itself."""
    for victim in victims:
        _signal(victim, "KILL")  # the init ends with the rest
    yield
    wait_healthy(victims)


@contextmanager
def out_of_memory(*victims: Container) -> Iterator[None]:
    """Let containers of Python meet their memory limit: the kernel kills what they run, and the engine starts it."""
    for victim in victims:
        restarts = _restarts(victim)
        victim.exec_run(["python3", "-c", _GROW], detach=True)
        until(_restarted(victim, restarts), f"{victim.name} should be killed at its memory limit", 30)
    yield
    wait_healthy(victims)


@contextmanager
def restarted(*victims: Container) -> Iterator[None]:
    """Restart containers in an order of chance, each once the one before it is healthy."""
    for victim in random.sample(victims, len(victims)):
        print(f"restarting {victim.name}", flush=True)
        victim.restart()
        wait_healthy([victim])
    yield


@contextmanager
def all_restarted(*victims: Container) -> Iterator[None]:
    """Restart containers all at the same time."""
    with ThreadPoolExecutor(len(victims)) as pool:
        list(pool.map(lambda victim: victim.restart(), victims))
    yield
    wait_healthy(victims)


def _restarts(container: Container) -> int:
    container.reload()
    return int(container.attrs["RestartCount"])


def _restarted(container: Container, before: int) -> Callable[[], bool]:
    return lambda: _restarts(container) > before


@contextmanager
def cut_off(project: Project, network: str, *victims: Container) -> Iterator[None]:
    """Take containers out of one of their stack's networks, and give them back their names in it afterwards."""
    (found,) = [each for each in project.networks() if each.name == f"friday-{project.stack}-{network}"]
    with ExitStack() as ending:
        for victim in victims:
            victim.reload()
            aliases = victim.attrs["NetworkSettings"]["Networks"][found.name]["Aliases"]
            names = [alias for alias in aliases if alias != victim.short_id]
            found.disconnect(victim)
            ending.callback(found.connect, victim, aliases=names)
        yield


@contextmanager
def redis_refuses(redis: Container) -> Iterator[None]:
    """Let Redis be full, and take no more writes; by its own settings it forgets the oldest instead."""
    _redis(redis, "config set maxmemory-policy noeviction")
    _redis(redis, "config set maxmemory 1")
    try:
        yield
    finally:
        _redis(redis, "config set maxmemory-policy allkeys-lru")
        _redis(redis, "config set maxmemory 32mb")


def _redis(redis: Container, command: str) -> None:
    # In the environment, not among the arguments: those are read by everybody on the host.
    login = "REDISCLI_AUTH=$(sed -n 's/^requirepass //p' /etc/friday/redis.conf)"
    code, said = redis.exec_run(["sh", "-c", f"{login} redis-cli {command}"])
    assert (code, said) == (0, b"OK\n"), said


@contextmanager
def models_fail(project: Project, **fault: object) -> Iterator[None]:
    """Give every simulated model a fault."""
    project.fault(fault)
    try:
        yield
    finally:
        project.fault()
