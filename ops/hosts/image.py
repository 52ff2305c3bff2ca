"""One image as a Docker daemon holds it."""

from dataclasses import dataclass, replace

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
        return other is not None and (self.id == other.id or replace(self, id=other.id, size=other.size) == other)


def find(client: docker.DockerClient, reference: str) -> Image | None:
    """Return an image that a daemon holds as a whole, or None."""
    try:
        seen = client.images.get(reference).attrs
    except ImageNotFound:
        return None
    # Only containerd's image store has descriptors, and only it lists an image that lacks a layer.
    if "Descriptor" in seen and not _is_whole(client, seen["Id"]):
        return None
    layers = tuple(seen["RootFS"].get("Layers", ()))
    return Image(seen["Id"], seen["Architecture"], int(seen["Size"]), str(seen.get("Created", "")), layers)


def _is_whole(client: docker.DockerClient, image_id: str) -> bool:
    """Return whether a daemon with containerd's image store has everything that an image consists of."""
    url = f"{client.api.base_url}/v{client.api.api_version}/images/{image_id}/json"  # docker-py's method asks for less
    with client.api.get(url, params={"manifests": "true"}) as answer:
        manifests = answer.json().get("Manifests") or () if answer.ok else ()
    return any(each["Available"] and each["Kind"] == "image" for each in manifests)
