"""The id of a built image: its content's alone, so that machines that build the same also name it the same."""

import io
import json
import tarfile
from datetime import UTC, datetime
from typing import Any

from images import docker_cli, tags
from images.tags import Image

_CREATED = datetime.fromtimestamp(tags.EPOCH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
_MADE_BY = "friday-litellm "


def seal(image: Image) -> None:
    """Name an image's layers and settings anew, without the moment and the containers of its build.

    Docker's own builder writes both into what an image's id is made of. The layers stay where they are: the archive
    that is loaded names them only, which the store of graph drivers takes. The containerd store does not; there the
    id belongs to an index, and the image stays as it was built.
    """
    if docker_cli.has_containerd_store():
        return
    reference = tags.reference(image)
    built = docker_cli.inspect(reference)
    docker_cli.load(_archive(reference, _config(image, built)))
    docker_cli.remove_unnamed(built["Id"])


def _config(image: Image, built: dict[str, Any]) -> dict[str, Any]:
    named = {key: built[key] for key in ("Architecture", "Os", "Variant") if built.get(key)}
    return {
        **{key.lower(): value for key, value in named.items()},
        "created": _CREATED,
        # "Image" is the id of the step before the last.
        "config": {key: value for key, value in built["Config"].items() if value and key != "Image"},
        "rootfs": {"type": "layers", "diff_ids": built["RootFS"]["Layers"]},
        "history": [{"created": _CREATED, "created_by": f"{_MADE_BY}{name}"} for name in _layers(image)],
    }


def _layers(image: Image) -> list[str]:
    """Return of each layer, from the bottom, the name of the image that brought it.

    The parent says it of its own: those that it stands on may be gone, as after a `docker image prune --all`.
    """
    parent = tags.parent_of(image)
    steps = docker_cli.steps(tags.reference(parent)) if parent and parent.parent else []
    below = [step.removeprefix(_MADE_BY) for step in steps]
    if parent and not below:
        below = [parent.name] * _count(parent)
    return [*below, *[image.name] * (_count(image) - len(below))]


def _count(image: Image) -> int:
    return len(docker_cli.inspect(tags.reference(image))["RootFS"]["Layers"])


def _archive(reference: str, config: dict[str, Any]) -> bytes:
    """Return what `docker save` writes of an image, without the layers' own files."""
    layers = [f"{number}/layer.tar" for number, _ in enumerate(config["rootfs"]["diff_ids"])]
    manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": layers}]
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, document in {"config.json": config, "manifest.json": manifest}.items():
            content = json.dumps(document, sort_keys=True).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return written.getvalue()
