"""The Docker engines that test hosts are made with, from the oldest that is supported to the newest."""

from dataclasses import dataclass
from typing import Literal

Store = Literal["classic", "containerd"]
"""Where an engine keeps images: in its own store (overlay2), or in containerd's, as new installations of 29 do."""


@dataclass(frozen=True)
class Engine:
    """One engine: the Debian suite that its host is made of.

    The suite's own package `docker.io` is the engine, unless it is `built` from pinned Go modules; then the suite gives
    containerd, runc and the docker command.
    """

    name: str
    suite: str
    stores: tuple[Store, ...]
    built: bool = False


ENGINES = {
    each.name: each
    for each in (
        Engine("20", "bookworm", ("classic",)),
        Engine("26", "trixie", ("classic", "containerd")),
        Engine("28", "forky", ("classic", "containerd")),
        Engine("29", "forky", ("containerd", "classic"), built=True),
    )
}
"""By major version: 20.10, 26.1, 28.5 and 29. The first of an engine's stores is what a new installation has."""
