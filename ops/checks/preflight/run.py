"""Runs preflight: everything for an operator, or what an update needs before it changes anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.settings import StackSettings
from ops.checks.preflight.facts import Collector, HostFacts
from ops.checks.preflight.judge import BEFORE_UPDATE, GROUPS, judge
from ops.checks.preflight.report import Report
from ops.hosts import images
from ops.hosts.docker_host import DockerHost
from ops.hosts.images import ImageHost
from ops.hosts.swarm import engine_of
from ops.stacks.stack_file import read_settings

Tell = Callable[[str, str], None]


def examine(stack: str) -> Report:
    """Return every check of a stack. Changes nothing.

    Raises SettingsError or OperationError (exit code 2) when its settings cannot be read.
    """
    collector = Collector(stack, read_settings(stack), thorough=True)
    try:
        return Report(stack, judge(collector.collect(), GROUPS))
    finally:
        collector.close()


@dataclass(frozen=True)
class Ready:
    """Where an update can work: what tells of the stack, and each of its hosts by address. All are connected."""

    engine: DockerHost
    hosts: Mapping[str, DockerHost]


def require(stack: str, settings: StackSettings, tell: Tell, *, upstream: bool = True) -> Ready:
    """See that an update can work, let each host pull what it lacks, and return the stack's hosts.

    Without `upstream` OpenRouter is not asked. Raises OperationError (exit code 2) with every check that failed;
    nothing is pulled then.
    """
    collector = Collector(stack, settings, thorough=False, upstream=upstream)
    facts = collector.collect()
    report = Report(stack, judge(facts, BEFORE_UPDATE))
    for check in report.warnings:
        tell("warning", check.found)
    report.require()
    for address, host in facts.hosts.items():
        if isinstance(host, HostFacts):
            for need, _ in host.images.missing:
                tell("images", f"{address}: pulling {need.reference}")
                images.pull(need, ImageHost(address, collector.clients[address], host.architecture))
    return Ready(engine_of(settings, collector.clients[settings.docker_host]), collector.hosts)
