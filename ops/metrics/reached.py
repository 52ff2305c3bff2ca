"""How a part that answers HTTP is reached: at its host port on this machine, else inside its container."""

from collections.abc import Callable, Sequence

import httpx

from ops.deployment import Deployment
from ops.hosts.docker_host import DockerHost
from ops.hosts.in_container import InContainer


def reached(
    deployment: Deployment, published: object, part: str, port: int, hosts: Callable[[], Sequence[DockerHost]]
) -> tuple[str, httpx.BaseTransport | None]:
    """Return a part's address and the way there (None: the usual one).

    `published` is the address that the stack's outputs name, if they do: on its own host only, and in a Swarm not at
    all. `port` is the one in the container, which may run on any of the `hosts` that answer.
    """
    if published and deployment.settings.docker_host.startswith("unix://"):
        return str(published), None
    return f"http://{part}:{port}", InContainer(hosts(), deployment.name, part, port)
