"""Runs preflight: everything for an operator, or what an update needs before it changes anything."""

from dataclasses import dataclass

from ops.checks.preflight.facts import Collector, Facts, HostFacts
from ops.checks.preflight.judge import ALL, BEFORE_UPDATE, judge
from ops.checks.report import Report
from ops.deployment import Deployment
from ops.hosts import images
from ops.hosts.images import ImageHost


@dataclass(frozen=True)
class Examination:
    """What preflight found: the checks, and the facts that they were made of."""

    report: Report
    facts: Facts

    def pull_missing(self, deployment: Deployment) -> None:
        """Let each host pull the images that it lacks; OperationError (exit code 2) when one cannot."""
        for address, host in self.facts.hosts.items():
            if isinstance(host, HostFacts):
                for need, _ in host.images.missing:
                    deployment.report("images", f"{address}: pulling {need.reference}")
                    images.pull(need, ImageHost(address, deployment.hosts.client(address), host.architecture))


def examine(deployment: Deployment) -> Examination:
    """Ask everything that preflight can ask. Changes nothing."""
    facts = Collector(deployment, thorough=True).collect()
    return Examination(Report(deployment.name, judge(facts, ALL)), facts)


def before_update(deployment: Deployment, *, upstream: bool) -> Examination:
    """Ask what would make an update fail. Changes nothing. Without `upstream` OpenRouter is not asked."""
    facts = Collector(deployment, thorough=False, upstream=upstream).collect()
    return Examination(Report(deployment.name, judge(facts, BEFORE_UPDATE)), facts)
