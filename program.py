"""The Pulumi program: read the settings, compose the stack, export where it answers.

Plain `pulumi` runs it through __main__.py; the commands run it in their own process (ops/stacks/workspace.py).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import cast

import pulumi
import requests
from docker.errors import DockerException

from components.connection import Connection
from components.friday import SIGNAL_OF_NOTHING
from components.parts import declare
from components.settings.source import SettingsError, from_pulumi, generated_secrets
from components.settings.stack import StackSettings
from components.stack import FridayStack
from components.surroundings import Surroundings
from components.workload import APP_NETWORK, Workload
from images.tags import local_images
from ops.errors import OperationError
from ops.hosts.connection import connect
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_drain import NOT_DRAINED, EdgeDrain, NotServedError
from ops.hosts.hosts import Hosts
from ops.hosts.registries import with_login
from ops.hosts.swarm import SwarmManager
from ops.hosts.swarm_drain import LEFT_TO_THE_SWARM, SwarmDrain
from toolchain import docker_engine
from toolchain.environment import made_by
from toolchain.pulumi import docker_plugin


def program() -> None:
    """Declare the stack that Pulumi runs it for.

    RunError, with every mistake, when its settings are wrong, and when its Docker engine cannot be asked.
    """
    try:
        settings = _settings()
        found = what_runs(settings)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    except OperationError as error:
        raise pulumi.RunError(f"{error.message}\n  fix: {error.fix}") from None
    made = FridayStack(
        pulumi.get_stack(),
        settings,
        local_images(),
        replace(found, made_by=made_by()),
        hand_over=partial(hand_over, settings),
    )
    for name, value in {**made.outputs, "dockerPlugin": docker_plugin()}.items():
        pulumi.export(name, value)


def connection(outputs: Mapping[str, object]) -> None:
    """Declare nothing but how a stack's host is reached, with the stack's `outputs` as they are; errors as `program`.

    The commands run it where the state has another way to the host than theirs (ops/stacks/own_connection.py).
    """
    try:
        settings = _settings()
        Connection(pulumi.get_stack(), settings, _registries(settings))
    except (SettingsError, OperationError, OSError) as error:
        raise pulumi.RunError(str(error)) from None
    for name, value in outputs.items():
        pulumi.export(name, value)


def _settings() -> StackSettings:
    config = pulumi.runtime.config
    # The engine hands the settings to a process in its environment, and to a function as they are.
    given = config.CONFIG.get() or config.get_config_env()
    return from_pulumi(given, pulumi.get_stack(), generated_secrets())


def what_runs(settings: StackSettings) -> Surroundings:
    """Ask the host; OperationError when its engine is not reached.

    The plugin has no start interval for a Swarm's services.
    """
    if settings.engine == "swarm":
        return _found_in_swarm(settings)
    client = connect(settings.docker_host, settings.ssh, settings.tls)
    try:
        described = docker_engine.described(client.version())
        return Surroundings(described.supports_start_interval, DockerHost(client).kept_images(pulumi.get_stack()))
    finally:
        client.close()


def _found_in_swarm(settings: StackSettings) -> Surroundings:
    """Ask the manager. An image stays only where each of its hosts that answers has it, also a new one."""
    stack, hosts = pulumi.get_stack(), Hosts(settings)
    try:
        manager = cast(SwarmManager, hosts.manager)
        kept = manager.kept_images(stack)
        answering = hosts.answering(lambda _: None).values() if kept else ()
        stays = {form: image for form, image in kept.items() if all(host.has(image) for host in answering)}
        return Surroundings(False, stays, manager.strangers_to(stack), _registries(settings))
    finally:
        hosts.close()


def _registries(settings: StackSettings) -> tuple[str, ...]:
    """Return the registries of a Swarm's images with a login here: whichever node gets a task pulls with that."""
    if settings.engine != "swarm":
        return ()
    workloads = declare(pulumi.get_stack(), settings, local_images())
    return tuple(with_login((each.image for each in workloads), pulumi.log.warn))


async def hand_over(settings: StackSettings, workload: Workload, part: pulumi.Resource, staying: list[str]) -> None:
    """Leave the users to the replicas that stay, before Pulumi removes the others; in a Swarm end what it has left.

    A host or an edge that does not do it costs running requests, as without this, and a warning says so. RunError when
    what stays would not be served: then nothing is removed.
    """
    stack, hosts = pulumi.get_stack(), Hosts(settings)
    say, warn = (partial(log, resource=part) for log in (pulumi.log.info, pulumi.log.warn))
    # Pulumi's engine takes no word any more once it has ended, and ends this function with the call.
    going_on = partial(pulumi.log.debug, "handing users over")
    lost = NOT_DRAINED
    try:
        manager, grace = hosts.manager, workload.stop_grace_seconds
        if not isinstance(manager, SwarmManager):
            network = f"friday-{stack}-{APP_NETWORK}"
            await EdgeDrain(manager, stack, say, going_on).hand_over(staying, network, grace)
        elif workload.stop_signal == SIGNAL_OF_NOTHING:  # else it has heard by now that it is to end
            lost = LEFT_TO_THE_SWARM
            await SwarmDrain(manager, partial(hosts.answering, warn), stack, say, going_on).finish(grace)
    except NotServedError as error:
        raise pulumi.RunError(f"{error.message}\n  fix: {error.fix}") from None
    except (OperationError, DockerException, requests.RequestException) as error:
        warn(f"{lost}: {error}")
    finally:
        hosts.close()
