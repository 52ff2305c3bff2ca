"""Are the host ports of a stack free? Asked before anything changes."""

import socket

from components.settings import StackSettings
from rollout.errors import EXIT_USAGE, OperationError
from rollout.hosts import DockerHost


def published(settings: StackSettings) -> dict[str, tuple[str, int]]:
    """Return (address, port) of each setting that names a host port."""
    edge = settings.edge
    ports = {
        "edge.port": (edge.bind_address, edge.port),
        "edge.gatewayPort": ("127.0.0.1", edge.gateway_port),
    }
    if settings.upstream == "simulator":
        ports["simulator.port"] = ("127.0.0.1", settings.simulator.port)
    return ports


def check(stack: str, settings: StackSettings, host: DockerHost) -> None:
    """Raise OperationError (exit code 2) when somebody else holds one of the stack's ports."""
    holders = host.published_ports()
    for setting, (address, port) in published(settings).items():
        holder = holders.get(port)
        if holder and holder[1] == stack:
            continue  # the stack itself
        # What listens on another machine only that machine can tell.
        here = settings.docker_host.startswith("unix://")
        who = f"the container {holder[0]}" if holder else _listener(address, port) if here else ""
        if who:
            mend = f"pulumi config set --path '{setting}' OTHER_PORT -s {stack}, or end what listens there"
            message = f"Pulumi.{stack}.yaml: friday-litellm:{setting}: port {port} should be free (held by {who})"
            raise OperationError(message, mend, EXIT_USAGE)


def _listener(address: str, port: int) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return f"a process of this machine, or not ours to bind: {error.strerror}; ss -ltnp shows it"
    return ""
