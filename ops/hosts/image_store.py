"""An image as a Docker daemon holds it."""

from dataclasses import dataclass

import docker
from docker.errors import ImageNotFound


@dataclass(frozen=True)
class Image:
    """An image as a daemon holds it; `size` is in bytes, layers shared with others included."""

    id: str
    architecture: str
    size: int
    created: str
    layers: tuple[str, ...]

    def same(self, other: "Image | None") -> bool:
        """Return whether both are one image: two kinds of image stores may know it by different ids."""
        return other is not None and (self.id == other.id or self._content == other._content)

    @property
    def _content(self) -> tuple[str, str, tuple[str, ...]]:
        return self.architecture, self.created, self.layers


def find(client: docker.DockerClient, reference: str) -> Image | None:
    """Return an image that a daemon holds, or None."""
    try:
        seen = client.images.get(reference).attrs
    except ImageNotFound:
        return None
    layers = tuple(seen["RootFS"].get("Layers", ()))
    return Image(seen["Id"], seen["Architecture"], int(seen["Size"]), str(seen.get("Created", "")), layers)
