"""Runs every check on every host of a stack, the hosts side by side."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

from pydantic import SecretStr

from components.part import address
from components.parts import declare
from components.settings.stack import StackSettings
from components.workload import Workload
from images.tags import local_images
from ops.checks import way_out
from ops.checks.report import Check, Report, State, compared
from ops.checks.verify import host, inside
from ops.checks.verify.containers import Comparison, InspectedContainer, contract, files_kept, leftovers
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.docker_host import STACK_LABEL
from ops.hosts.swarm import SwarmManager
from ops.hosts.testinfra_host import TestHost, open_test_host


def verify(deployment: Deployment) -> Report:
    """Compare the hosts of a stack with its settings; a host that is not reached is a failed check.

    Raises OperationError (exit code 2) when the secrets of the settings cannot be decrypted.
    """
    stack, settings = deployment.name, deployment.decrypted_settings
    built = local_images()
    workloads = [each for part in declare(stack, settings, built) for each in part.with_front()]
    nodes = _nodes(deployment)
    suite = _Suite(stack, settings, workloads, frozenset(built.values()), _ending(deployment), nodes.strangers)
    with ThreadPoolExecutor(len(settings.hosts)) as pool:
        found = zip(settings.hosts, pool.map(suite.host, settings.hosts), strict=True)
        checks = [replace(check, host=address) for address, checks in found for check in checks]
        return Report(stack, [*checks, *nodes.checks])


@dataclass(frozen=True)
class _Suite:
    stack: str
    settings: StackSettings
    workloads: Sequence[Workload]
    built: Collection[str]
    """The images that this checkout builds."""
    ending: Collection[str]
    """The ids of containers that finish what runs there: no part of the stack any more."""
    strangers: int = 0
    """How many nodes the Swarm has that may get a task, and the stack file does not name."""

    def host(self, at: str) -> list[Check]:
        """Return the checks of one host."""
        try:
            with open_test_host(at, self.settings) as place:
                return [compared("host", "is reached and answers"), *host.machine(place), *self._stack(place)]
        except OperationError as error:
            lines = [line for line in (error.message, *error.details.splitlines(), f"fix: {error.fix}") if line]
            return [compared("host", "is reached and answers", lines)]

    def _stack(self, place: TestHost) -> list[Check]:
        seen = self._seen(place)
        checks = [leftovers(self.stack, seen, self.workloads)]
        if self._swarm and place.address == self.settings.docker_host:
            checks += host.services(place, self.stack, self.workloads, self.strangers)
        for workload in self.workloads:
            if not self._swarm or any(each.part == workload.part for each in seen):
                checks += self._part(place, workload, seen)
        return checks

    def _part(self, place: TestHost, workload: Workload, seen: Sequence[InspectedContainer]) -> list[Check]:
        found = [each for each in seen if each.part == workload.part]
        secrets = _secrets(self.settings)
        code, text = place.run(*place.docker_command, "image", "inspect", "--format", "{{.Id}}", workload.image)
        image, built_here = "" if code else text, workload.image in self.built
        checks = Comparison(workload, found, image, built_here, self.stack, self._swarm).checks(secrets)
        if found:
            if workload.files and not self._swarm:
                checks.append(files_kept(self.stack, seen, workload))
            running = [each for each in found if each.running]
            looks = [inside.look(place, each, files=bool(workload.files)) for each in running]
            checks += inside.checks(workload, looks, secrets)
            if command := way_out.commands(self.settings).get(workload.part):
                checks.append(inside.way_out_of(place, workload.part, command, running))
            if workload.part == "friday":
                names = [address(self.stack, self.settings.engine, name) for name in ("litellm", "redis", "edge")]
                checks += [contract(found), inside.isolation(place, running, names[:2], names[2])]
        if workload.part == "edge":
            checks += host.ports(place, self.stack, self.settings)
        return checks

    def _seen(self, place: TestHost) -> list[InspectedContainer]:
        """Return the stack's containers; of a Swarm without those that have ended, which are its history, or are to."""
        every = [] if self._swarm else ["--all"]
        listed = place.docker("ps", *every, "--quiet", "--filter", f"label={STACK_LABEL}={self.stack}").split()
        inspected = place.docker_json("inspect", *listed) if listed else ()
        return [InspectedContainer(self.stack, each) for each in inspected if each["Id"] not in self.ending]

    @property
    def _swarm(self) -> bool:
        return self.settings.engine == "swarm"


def _ending(deployment: Deployment) -> Collection[str]:
    """Return which containers a Swarm lets finish what runs there; none where its manager does not say so."""
    if deployment.decrypted_settings.engine != "swarm":
        return ()
    try:
        return cast(SwarmManager, deployment.hosts.manager).ending(deployment.name)
    except OperationError:  # the host's own checks report it
        return ()


class _Nodes(NamedTuple):
    """What is not as the stack file has it of a Swarm's nodes, which fails nothing, and how many it does not name."""

    checks: Sequence[Check] = ()
    strangers: int = 0


def _nodes(deployment: Deployment) -> _Nodes:
    settings = deployment.decrypted_settings
    if settings.engine != "swarm":
        return _Nodes()
    try:
        manager = cast(SwarmManager, deployment.hosts.manager)
        noted = manager.noted(deployment.name, settings.docker_host)
        checks = [Check("swarm", "", State.WARNING, each.text, each.fix) for each in noted]
        return _Nodes(checks, len(manager.strangers()))
    except OperationError:  # the host's own checks report it
        return _Nodes()


def _secrets(settings: StackSettings) -> dict[str, str]:
    own = {name: value for name, value in settings if isinstance(value, SecretStr)}
    told = {
        f"notify.{channel}.{name}": value
        for channel, given in settings.notify.channels.items()
        for name, value in given
        if isinstance(value, SecretStr)
    }
    return {name: value.get_secret_value() for name, value in {**own, **told, **settings.friday_secrets}.items()}
