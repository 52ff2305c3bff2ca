"""What has the host's ports in front of the edge, on each Docker host, so that one edge follows another without a gap.

A port of the host belongs to one container, as long as that is there. This one does nothing but hand each connection
on, by a socket in a folder that it shares with the edges of its host, old and new. It knows nothing of the stack, so
next to nothing replaces it. The edge does not join its network instead: engines before 29 start what shares a network
in any order when they come back, and what came too early stays down.
"""

from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.probes import HealthProbe, ProbeClient
from components.workload import APP_NETWORK, FIRST_SHARES, GATEWAY_NETWORK, Port, Workload

NAME = "edge-ports"
SOCKETS = "/var/tmp"  # noqa: S108 - a volume of these containers only
"""Where the folder is that it shares with the edge, in both containers.

An empty volume gets the rights of the folder that it covers, and to this one everybody may write in every image. Not
one in memory: an engine that starts anew while containers run (live restore) gives the next container another.
"""

VOLUME = "sockets"

_TEMPLATES = Path(__file__).with_name("templates")
_OWN_PORT = 8405
_MEMORY_MB = 128
"""Not a setting: another limit would replace it."""

CONNECTIONS = 11_000
"""How many are handed on at a time. Each takes 9 KB, most of them the kernel's."""


def render(ports: tuple[int, ...], operations_port: int, connections: int) -> str:
    """Return HAProxy's configuration; each of `ports` is handed on, all but that of the operations with the caller.

    It takes so many connections at a time; 0 is what versions before this setting said, 4,000.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - numbers and constants go in
    )
    return environment.get_template("edge-ports.cfg.j2").render(
        ports=ports, operations_port=operations_port, folder=SOCKETS, own_port=_OWN_PORT, connections=connections
    )


def workload(image: str, published: tuple[Port, ...], inside: tuple[int, ...], operations: int, alias: str) -> Workload:
    """Declare it: `published` ports of the host, and those `inside` the stack's own networks, under an alias.

    One that an earlier version made takes fewer connections, and stays: another would refuse users for seconds.
    """
    ports = (*(port.container for port in published), *inside)
    earlier = _workload(image, published, render(ports, operations, 0), alias)
    return replace(earlier, command=_command(render(ports, operations, CONNECTIONS)), earlier=earlier)


def _command(config: str) -> tuple[str, ...]:
    # No file is put into it: HAProxy reads a configuration from a file only, and the root is read-only.
    return ("bash", "-c", 'printf %s "$0" >/tmp/ports.cfg && exec haproxy -db -f /tmp/ports.cfg', config)


def _workload(image: str, published: tuple[Port, ...], config: str, alias: str) -> Workload:
    return Workload(
        part=NAME,
        image=image,
        command=_command(config),
        networks=(APP_NETWORK, GATEWAY_NETWORK),
        alias=alias,
        probe=HealthProbe(port=_OWN_PORT, client=ProbeClient.BASH),
        memory_mb=_MEMORY_MB,
        user="haproxy",
        ports=published,
        volumes={SOCKETS: VOLUME},
        image_stays=True,
        on_every_host=True,
        cpu_shares=FIRST_SHARES,  # as the edge
    )
