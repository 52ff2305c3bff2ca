"""Whether what a stack's state records is on the machine that its stack file names, whatever the address says."""

from collections.abc import Set as AbstractSet
from contextlib import closing
from typing import Any

import docker

from components.settings.stack import StackSettings
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.connection import connect

IF_GONE = "only if that machine never comes back"


def require(
    stack: str, settings: StackSettings, client: docker.DockerClient, address: str, ids: AbstractSet[str]
) -> None:
    """Raise OperationError (exit code 2) where a stack is at `address`, and `dockerHost` names another machine.

    `client` is that of `dockerHost`. One address may be written in two ways, and each manager of a Swarm knows all of
    it. So an engine that knows one of the stack's `ids` is no other; where it knows none, both say who they are.
    """
    if address == settings.docker_host or ids & _known(client):
        return
    silent: OperationError | None = None
    try:
        with closing(connect(address, settings.ssh, settings.tls)) as there:
            if _names(there) & _names(client):
                return
    except OperationError as error:
        silent = error
    raise _moved(stack, settings, address, silent)


def forget(stack: str) -> str:
    """Return the command that makes a state forget all that it records; settings, secrets and history stay."""
    return f"pulumi state delete --all --yes -s {stack}"


def _known(client: docker.DockerClient) -> set[str]:
    """Return the ids of all that an engine, and the Swarm that it manages, have."""
    api: Any = client.api
    found = {each["Id"] for each in (*api.containers(all=True), *api.networks())}
    is_manager = client.info().get("Swarm", {}).get("ControlAvailable")
    return found | ({each["ID"] for each in api.services()} if is_manager else set())


def _names(client: docker.DockerClient) -> set[str]:
    """Return the ids of an engine and of its Swarm, as far as it says them."""
    info = client.info()
    cluster = info.get("Swarm", {}).get("Cluster") or {}
    return {str(each) for each in (info.get("ID"), cluster.get("ID")) if each}


def _moved(stack: str, settings: StackSettings, address: str, silent: OperationError | None) -> OperationError:
    now = settings.docker_host
    hosts = ", and swarmHosts as they were" if settings.engine == "swarm" else ""
    first = f"pulumi config set dockerHost {address} -s {stack}{hosts} && ./fridayctl down {stack}"
    fix = f"{first}, then pulumi config set dockerHost {now} -s {stack} && ./fridayctl up {stack}"
    message = f"{stack} runs on {address}, and Pulumi.{stack}.yaml: friday-litellm:dockerHost names {now}"
    if silent is None:
        return OperationError(f"{message}, another machine", fix, EXIT_USAGE)
    fix = f"{fix}; or, {IF_GONE}: {forget(stack)} && ./fridayctl up {stack}"
    return OperationError(f"{message}, where nothing of it is", fix, EXIT_USAGE, f"  {silent.message}")
