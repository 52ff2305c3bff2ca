"""Runs preflight: everything for an operator, or what an update needs before it changes anything."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ops.checks import migration
from ops.checks.preflight.facts import Collector, Facts, HostFacts
from ops.checks.preflight.judge import ALL, BEFORE_UPDATE, judge
from ops.checks.report import Check, Report, State
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts import images
from ops.hosts.images import ImageHost
from ops.stacks import docker_plugin, pulumi_files
from ops.stacks.stacks import newer_pulumi_of, open_known
from toolchain import versions
from toolchain.environment import state_address


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
    tools = [_pulumi(deployment.name), _docker_plugin(deployment.name)]
    found = [*_machine(deployment), *judge(facts, ALL), *tools, *migration.checks(deployment)]
    return Examination(Report(deployment.name, found), facts)


def before_update(deployment: Deployment, *, upstream: bool, restoring: bool = False) -> Examination:
    """Ask what would make an update fail. Changes nothing.

    Without `upstream` OpenRouter is not asked. One that is `restoring` what was there before waits for no certificate.
    """
    facts = replace(Collector(deployment, thorough=False, upstream=upstream).collect(), restoring=restoring)
    tools = [] if restoring else [_pulumi(deployment.name)]
    return Examination(Report(deployment.name, [*_machine(deployment), *judge(facts, BEFORE_UPDATE), *tools]), facts)


def _machine(deployment: Deployment) -> list[Check]:
    """Return the checks that every change makes once more (`Deployment.open_to_change`)."""
    address, here = deployment.settings.docker_host, state_address()
    try:
        opened = open_known(deployment.name)
        found = pulumi_files.resources(opened) if opened else []
        deployment.hosts.client(address)
    except OperationError as error:
        # What is wrong with the state, or with the way to the host, is said elsewhere; an update may repair the first.
        return [Check(name, "", State.SKIPPED, f"not known: {error.message}") for name in ("machine", "state")]
    asked = (
        ("machine", deployment.require_same_machine, f"the stack is on {address}, or on none yet"),
        ("state", deployment.require_own_state, f"what runs there is recorded in {here}, or nothing runs yet"),
    )
    return [_required(name, partial(require, found), text) for name, require, text in asked]


def _required(name: str, require: Callable[[], None], text: str) -> Check:
    """Return the check that fails with what `require` raises, and passes with a text."""
    try:
        require()
    except OperationError as error:
        return Check(name, "", State.FAILED, error.message, error.fix, error.details)
    return Check(name, "", State.OK, text)


def _pulumi(stack: str) -> Check:
    """Return the check that an update makes once more (`stacks.update`): no newer Pulumi has written the state."""
    try:
        opened = open_known(stack)
        newer = newer_pulumi_of(opened) if opened else None
    except OperationError as error:
        return Check("pulumi", "", State.SKIPPED, f"the state is not known: {error.message}")
    if newer:
        return Check("pulumi", "", State.FAILED, newer.message, newer.fix)
    return Check("pulumi", "", State.OK, versions.PULUMI)


def _docker_plugin(stack: str) -> Check:
    """Return the check that an update looks at once more (`stacks.update`): no newer plugin has made the stack."""
    try:
        opened = open_known(stack)
        found = pulumi_files.resources(opened) if opened else []
        if newer := docker_plugin.refusal(stack, found):
            return Check("docker plugin", "", State.FAILED, newer.message, newer.fix)
    except OperationError as error:
        return Check("docker plugin", "", State.SKIPPED, f"the state is not known: {error.message}")
    text: str = versions.DOCKER_PROVIDER
    if before := docker_plugin.other(found):
        text += f", and {before} before: the next update reads the hosts first"
    return Check("docker plugin", "", State.OK, text)
