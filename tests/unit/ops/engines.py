"""Engines with images, as docker-py shows them; what a test sends to one stays in it."""

import io
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from docker.errors import APIError, ImageNotFound

from ops.hosts.image import Image


def image(id_: str = "sha256:1", architecture: str = "amd64", layers: tuple[str, ...] = ("a", "b")) -> Image:
    return Image(id_, architecture, 1000, "2026-01-01T00:00:00Z", layers)


class Engine:
    """An engine with some images; `registry` is what a registry says of any other: platforms, or an error.

    `archive` is what it saves images as. What it says to each archive that it is sent, and what it holds afterwards,
    is given in turn: lines, or an error. With containerd's store it also lists images that are `incomplete`.
    """

    def __init__(self, held: dict[str, Image], registry: Any = None, archive: bytes = b"") -> None:
        self.held = held
        self._registry = registry if registry is not None else {"Platforms": [{"architecture": "amd64"}]}
        self._archive = archive
        self.images = SimpleNamespace(get=self._get, get_registry_data=self._ask)
        self.pulled: list[tuple[str, str]] = []
        self.api = SimpleNamespace(
            pull=self._pull,
            get=self._answer,
            load_image=self._load,
            images=lambda: [{"Id": each.id} for each in self.held.values()],
            timeout=60,
            base_url="http+docker://localhost",
            api_version="1.41",
        )
        self.taken: list[bytes] = []
        self.says: list[list[dict[str, str]] | Exception] = []
        self.arrives: list[Mapping[str, Image]] = []
        self.saved = 0
        self.containerd = False
        self.incomplete: set[str] = set()

    def info(self) -> dict[str, Any]:
        status = ["driver-type", "io.containerd.snapshotter.v1"] if self.containerd else ["Backing Filesystem", "extfs"]
        return {"DriverStatus": [status]}

    def _get(self, reference: str) -> Any:
        found = {**{each.id: each for each in self.held.values()}, **self.held}
        if reference not in found:
            raise ImageNotFound(reference)
        held = found[reference]
        attributes = {
            "Id": held.id,
            "Architecture": held.architecture,
            "Size": held.size,
            "Created": held.created,
            "RootFS": {"Layers": list(held.layers)},
            "Config": {"Labels": self._labels(held)},
        }
        if self.containerd and self.api.api_version == "1.48":
            attributes["Descriptor"] = {"digest": held.id}
        return SimpleNamespace(attrs=attributes)

    @staticmethod
    def _labels(held: Image) -> dict[str, str] | None:
        if not held.build_of:
            return None
        part, version = held.build_of.removeprefix("friday-litellm/").split(":")
        return {"friday-litellm.part": part, "org.opencontainers.image.version": version}

    def _ask(self, reference: str) -> Any:
        if isinstance(self._registry, str):
            raise APIError("registry", explanation=self._registry)
        return SimpleNamespace(attrs=self._registry)

    def _pull(self, repository: str, tag: str, **_: Any) -> list[dict[str, str]]:
        self.pulled.append((repository, tag))
        return [{"error": self._registry}] if isinstance(self._registry, str) else [{"status": "done"}]

    def _answer(self, url: str, params: dict[str, Any], **_: Any) -> Any:
        before = f"http+docker://localhost/v{self.api.api_version}/images/"
        assert url.startswith(before)
        return self._save() if url == f"{before}get" else self._manifests(url.removeprefix(before), params)

    def _save(self) -> Any:
        self.saved += 1
        return _Answer(raw=io.BytesIO(self._archive), raise_for_status=lambda: None)

    def _manifests(self, of: str, params: dict[str, Any]) -> Any:
        assert params == {"manifests": "true"}
        is_whole = of.removesuffix("/json") not in self.incomplete
        found = [{"Kind": "attestation", "Available": True}, {"Kind": "image", "Available": is_whole}]
        return _Answer(ok=True, json=lambda: {"Manifests": found})

    def _load(self, stream: Any) -> Any:
        self.taken.append(b"".join(stream))
        said = self.says.pop(0) if self.says else []
        if isinstance(said, Exception):
            raise said
        yield from said
        self.held |= self.arrives.pop(0) if self.arrives else {}

    def close(self) -> None:
        pass


class _Answer(SimpleNamespace):
    def __enter__(self) -> "_Answer":
        return self

    def __exit__(self, *_: object) -> None:
        pass
