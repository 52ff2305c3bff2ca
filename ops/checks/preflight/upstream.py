"""What preflight learns from OpenRouter, or from the simulator that plays it in the stack."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from docker.errors import DockerException

from components.settings.source import SettingsError
from components.workload import Workload
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.docker_host import DockerHost
from ops.metrics.openrouter import KeyUsage, Listed, catalogue, key_usage, keys_of, reached_at
from ops.metrics.server import SilentError, answered

SIMULATOR = "simulator"


@dataclass(frozen=True)
class Upstream:
    """What was learned at `now`: the catalogue by model id, and each key by the name of its setting.

    What has no answer is the error in its place; an OperationError says why the keys themselves are not known.
    `absent` says why nobody was asked: the simulator is part of the stack, and this update may be what brings it.
    """

    now: datetime
    models: Mapping[str, Listed] | SilentError = field(default_factory=dict)
    keys: Mapping[str, KeyUsage | SilentError] | OperationError = field(default_factory=dict)
    absent: str = ""


NOT_ASKED = Upstream(datetime.now(UTC), absent="OpenRouter was not asked")


def learn(deployment: Deployment, workloads: Sequence[Workload], hosts: Callable[[], Sequence[DockerHost]]) -> Upstream:
    """Ask for the catalogue and each key side by side. Never raises.

    `hosts` are the stack's that are reached; they are asked for when the simulator, which runs there, is the upstream.
    """
    now, stack, settings = datetime.now(UTC), deployment.name, deployment.settings
    simulators: dict[DockerHost, list[bool]] = {}
    if settings.upstream == SIMULATOR:
        simulators = _simulators(stack, workloads, hosts())
        if not simulators:
            return Upstream(now, absent="the simulator is part of the stack and not up yet")
        if not all(map(all, simulators.values())):
            return Upstream(now, absent="the simulator that runs is of another image than the one to be deployed")
    url, transport = reached_at(stack, settings, lambda: list(simulators))
    with ThreadPoolExecutor(max_workers=3) as pool:
        models = pool.submit(answered, partial(catalogue, url, transport))
        try:
            keys = keys_of(deployment.decrypted_settings)
        except OperationError as error:
            return Upstream(now, models.result(), error)
        except SettingsError as error:
            return Upstream(now, models.result(), OperationError(str(error), ""))
        asked = {name: pool.submit(answered, partial(key_usage, url, key, transport)) for name, key in keys.items()}
        return Upstream(now, models.result(), {name: answer.result() for name, answer in asked.items()})


def _simulators(stack: str, workloads: Sequence[Workload], hosts: Sequence[DockerHost]) -> dict[DockerHost, list[bool]]:
    """Return the hosts that run a simulator of the stack, and of each simulator whether it is of the declared image."""
    declared = next((each.image for each in workloads if each.part == SIMULATOR), "")
    found: dict[DockerHost, list[bool]] = {}
    for host in hosts:
        with suppress(OperationError, DockerException):  # one that does not answer has none
            found[host] = host.runs(stack, SIMULATOR, declared)
    return {host: simulators for host, simulators in found.items() if simulators}
