"""Are the host ports of a stack free? Asked before anything changes."""

from collections.abc import Callable, Mapping

from components.settings.stack import StackSettings


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
    for setting, (address, port) in settings.host_ports.items():
        name, of = publishing.get(port, ("", ""))
        found[setting] = listener(address, port) if not name else "" if of == stack else f"the container {name}"
    return found
