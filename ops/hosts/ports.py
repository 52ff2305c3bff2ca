"""Are the host ports of a stack free? Asked before anything changes."""

from collections.abc import Callable, Mapping

from components.settings.stack import StackSettings

_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - a Swarm publishes there


def published(settings: StackSettings) -> dict[str, tuple[str, int]]:
    """Return (address, port) of each setting that names a host port."""
    edge = settings.edge
    swarm = settings.engine == "swarm"
    own = _EVERY_ADDRESS if swarm else "127.0.0.1"
    ports = {
        "edge.port": (_EVERY_ADDRESS if swarm else edge.bind_address, edge.port),
        "edge.gatewayPort": (own, edge.gateway_port),
    }
    if settings.monitoring_published:
        ports["monitoring.port"] = ("127.0.0.1", settings.monitoring.port)
    if settings.upstream == "simulator":
        ports["simulator.port"] = (own, settings.simulator.port)
    return ports


def holders(
    stack: str,
    settings: StackSettings,
    publishing: Mapping[int, tuple[str, str]],
    listener: Callable[[str, int], str | None],
) -> dict[str, str | None]:
    """Return who else holds the port of each setting: "" where nobody does, or the stack itself, None if not known.

    `publishing` is what the host's daemon says (`DockerHost.published_ports`), `listener` who listens on a port there.
    """
    found: dict[str, str | None] = {}
    for setting, (address, port) in published(settings).items():
        name, of = publishing.get(port, ("", ""))
        found[setting] = listener(address, port) if not name else "" if of == stack else f"the container {name}"
    return found
