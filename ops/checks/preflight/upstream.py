"""What preflight learns from OpenRouter, or from the simulator that plays it in the stack."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from docker.errors import DockerException

from components.settings.source import SettingsError
from components.workload import Workload
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.docker_host import DockerHost
from ops.metrics.openrouter import KeyUsage, Listed, RefusedError, catalogue, key_usage, keys_of, reached_at
from ops.metrics.prometheus import SilentError

SIMULATOR = "simulator"

_Found = TypeVar("_Found")
_Given = ParamSpec("_Given")


@dataclass(frozen=True)
class Silent:
    """Why there is no answer; `refused` when the key was not let in, `fix` when somebody else knows one."""

    why: str
    refused: bool = False
    fix: str = ""


@dataclass(frozen=True)
class Upstream:
    """What was learned at `now`: the catalogue by model id, and each key by the name of its setting.

    `absent` says why nobody was asked: the simulator is part of the stack, and this update may be what brings it.
    """

    now: datetime
    models: Mapping[str, Listed] | Silent = field(default_factory=dict)
    keys: Mapping[str, KeyUsage | Silent] | Silent = field(default_factory=dict)
    absent: str = ""


def learn(deployment: Deployment, workloads: Sequence[Workload], hosts: Callable[[], Sequence[DockerHost]]) -> Upstream:
    """Ask for the catalogue and each key side by side. Never raises: what is not answered is told in its place.

    `hosts` are the stack's that are reached; they are asked for when the simulator, which runs there, is the upstream.
    """
    now, stack, settings = datetime.now(UTC), deployment.name, deployment.settings
    simulators: dict[DockerHost, list[bool]] = {}
    if settings.upstream == SIMULATOR:
        simulators = _simulators(stack, workloads, hosts())
        if absent := _absent(simulators):
            return Upstream(now, absent=absent)
    url, transport = reached_at(stack, settings, lambda: list(simulators))
    with ThreadPoolExecutor(max_workers=3) as pool:
        models = pool.submit(_answer, catalogue, url, transport)
        try:
            keys = keys_of(deployment.decrypted_settings)
        except (OperationError, SettingsError) as error:
            fix = error.fix if isinstance(error, OperationError) else ""
            return Upstream(now, models.result(), Silent(str(error), fix=fix))
        asked = {name: pool.submit(_answer, key_usage, url, key, transport) for name, key in keys.items()}
        return Upstream(now, models.result(), {name: answer.result() for name, answer in asked.items()})


def _answer(ask: Callable[_Given, _Found], *given: _Given.args, **named: _Given.kwargs) -> _Found | Silent:
    try:
        return ask(*given, **named)
    except SilentError as error:
        return Silent(str(error), refused=isinstance(error, RefusedError))


def _simulators(stack: str, workloads: Sequence[Workload], hosts: Sequence[DockerHost]) -> dict[DockerHost, list[bool]]:
    """Return the hosts that run a simulator of the stack, and of each simulator whether it is of the declared image."""
    declared = next((each.image for each in workloads if each.part == SIMULATOR), "")
    return {host: found for host in hosts if (found := _running(stack, host, declared))}


def _absent(simulators: Mapping[DockerHost, list[bool]]) -> str:
    """Return why the simulator cannot answer for what this update deploys, "" when it can."""
    if not simulators:
        return "the simulator is part of the stack and not up yet"
    right = all(all(each) for each in simulators.values())
    return "" if right else "the simulator that runs is of another image than the one to be deployed"


def _running(stack: str, host: DockerHost, declared: str) -> list[bool]:
    """Return what `_simulators` tells of a host; nothing for one that does not answer."""
    try:
        return host.runs(stack, SIMULATOR, declared)
    except (OperationError, DockerException):
        return []
