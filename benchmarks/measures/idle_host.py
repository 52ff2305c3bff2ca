"""What a Docker host spends on a stack that nobody asks: engine, containerd, shims, probes and containers."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker

from benchmarks.figures import Figure
from benchmarks.gateways import OURS
from benchmarks.measures.beside_stock import of_others
from benchmarks.test_stack import TestStack
from testing import remote_project
from testing.nested_host import NestedHost
from testing.project import ROOT
from testing.rig import Rig, rig

SETTLE_SECONDS = 60.0
"""An engine asks a new container more often until it is healthy, and LiteLLM loads modules after it listens."""
LOOK_SECONDS = 60.0


def idle_host(stack: TestStack) -> list[Figure]:
    """Bring up the stack of each checkout on a host of its own, side by side, and count what the hosts use.

    A host is a container, so its control group has everything: its own engine and what that runs.
    """
    sources = {OURS: ROOT, **{checkout.name: checkout for checkout in stack.comparison.beside}}
    with tempfile.TemporaryDirectory(prefix="friday-bench-idle-") as folder, rig(len(sources)) as made:
        hosts = dict(zip(sources, made.hosts, strict=True))
        empty = _used(hosts, 1)[OURS][0]
        _bring_up(Path(folder), made, sources)
        time.sleep(SETTLE_SECONDS)
        found = _used(hosts, stack.comparison.rounds)
    note = f"rounds of {LOOK_SECONDS:.0f} s; 100 is one processor; without a stack {empty:.1f}"
    figures = [
        Figure(f"{name}: an idle host's processor time", None, "%", tuple(used), note) for name, used in found.items()
    ]
    ratios = of_others(found)
    return figures + [
        Figure(f"an idle host's processor time, ours of {name}'s", None, "times", values)
        for name, values in ratios.items()
    ]


def _bring_up(folder: Path, made: Rig, sources: dict[str, Path]) -> None:
    """Bring up each stack; nothing takes them down, for their hosts go as a whole."""
    for (name, source), host in zip(sources.items(), made.hosts, strict=True):
        (folder / name).mkdir()
        project = remote_project.create(folder / name, replace(made, hosts=[host]), source)
        host.load(list(project.images().values()))
        project.fridayctl("up", project.stack, seconds=900)


def _used(hosts: dict[str, NestedHost], rounds: int) -> dict[str, list[float]]:
    """Return the processor time of each host in each round, in percent of one processor."""
    engine = docker.from_env()
    found: dict[str, list[float]] = {name: [] for name in hosts}
    try:
        for _ in range(rounds):
            before, began = {name: _seconds(engine, host) for name, host in hosts.items()}, time.perf_counter()
            time.sleep(LOOK_SECONDS)
            clock = time.perf_counter() - began
            for name, host in hosts.items():
                found[name].append(100 * (_seconds(engine, host) - before[name]) / clock)
    finally:
        engine.close()
    return found


def _seconds(engine: docker.DockerClient, host: NestedHost) -> float:
    stats: Any = engine.containers.get(host.name).stats(stream=False, one_shot=True)
    return float(stats["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9
