"""One image as a Docker daemon holds it."""

from dataclasses import dataclass, replace

import docker
from docker.errors import ImageNotFound

_PART, _VERSION = "friday-litellm.part", "org.opencontainers.image.version"
"""Labels that each image gets which this project builds."""


@dataclass(frozen=True)
class Image:
    """An image as a daemon holds it; `size` is in bytes, layers shared with others included."""

    id: str
    architecture: str
    size: int
    created: str
    layers: tuple[str, ...]
    build_of: str = ""
    """The name under which this project built it, as its own labels have it; "" for every other image."""

    def same(self, other: "Image | None") -> bool:
        """Return whether both are one image: two kinds of image stores may know it by different ids."""
        return other is not None and (self.id == other.id or replace(self, id=other.id, size=other.size) == other)

    def fits(self, reference: str, built: "Image") -> bool:
        """Return whether it may run as `reference`, which this machine built as `built`.

        A colleague's build of the same files may differ in Debian's packages: what is there stays, or two people's
        pushes would replace each other's image, and with it the containers, for ever.
        """
        return self.same(built) or self.build_of == reference


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
    labels = (seen.get("Config") or {}).get("Labels") or {}
    part, version = labels.get(_PART), labels.get(_VERSION)
    build_of = f"friday-litellm/{part}:{version}" if part and version else ""
    return Image(seen["Id"], seen["Architecture"], int(seen["Size"]), str(seen.get("Created", "")), layers, build_of)


def _is_whole(client: docker.DockerClient, image_id: str) -> bool:
    """Return whether a daemon with containerd's image store has everything that an image consists of."""
    url = f"{client.api.base_url}/v{client.api.api_version}/images/{image_id}/json"  # docker-py's method asks for less
    with client.api.get(url, params={"manifests": "true"}) as answer:
        manifests = answer.json().get("Manifests") or () if answer.ok else ()
    return any(each["Available"] and each["Kind"] == "image" for each in manifests)
