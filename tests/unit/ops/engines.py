"""Engines with images, as docker-py shows them; what a test sends to one stays in it."""

from types import SimpleNamespace
from typing import Any

from docker.errors import APIError, ImageNotFound

from ops.hosts.docker_host import Image


def image(id_: str = "sha256:1", architecture: str = "amd64", layers: tuple[str, ...] = ("a", "b")) -> Image:
    return Image(id_, architecture, 1000, "2026-01-01T00:00:00Z", layers)


class Engine:
    """An engine with some images; `registry` is what a registry says of any other: platforms, or an error."""

    def __init__(self, held: dict[str, Image], registry: Any = None) -> None:
        self._held = held
        self._registry = registry if registry is not None else {"Platforms": [{"architecture": "amd64"}]}
        self.images = SimpleNamespace(get=self._get, get_registry_data=self._ask, load=self._load)
        self.pulled: list[tuple[str, str]] = []
        self.api = SimpleNamespace(
            pull=self._pull, get=self._archive, timeout=60, base_url="http+docker://localhost", api_version="1.41"
        )
        self.taken = b""
        self.refuses: Exception | None = None
        self.arrives: dict[str, Image] = {}

    def _get(self, reference: str) -> Any:
        if reference not in self._held:
            raise ImageNotFound(reference)
        held = self._held[reference]
        attributes = {
            "Id": held.id,
            "Architecture": held.architecture,
            "Size": held.size,
            "Created": held.created,
            "RootFS": {"Layers": list(held.layers)},
        }
        # Newest first, as Docker lists them; the lowest layer is the same for every image here.
        history = [{"Created": n, "CreatedBy": by, "Size": 100 * n} for n, by in ((2, reference), (1, "base"))]
        return SimpleNamespace(attrs=attributes, history=lambda: history)

    def _ask(self, reference: str) -> Any:
        if isinstance(self._registry, str):
            raise APIError("registry", explanation=self._registry)
        return SimpleNamespace(attrs=self._registry)

    def _pull(self, repository: str, tag: str, **_: Any) -> list[dict[str, str]]:
        self.pulled.append((repository, tag))
        return [{"error": self._registry}] if isinstance(self._registry, str) else [{"status": "done"}]

    def _archive(self, url: str, params: dict[str, Any], **_: Any) -> Any:
        assert url == "http+docker://localhost/v1.41/images/get"

        class Answer:
            def __enter__(self) -> "Answer":
                return self

            def __exit__(self, *_: object) -> None:
                pass

            def raise_for_status(self) -> None:
                pass

            def iter_content(self, size: int) -> Any:
                return iter([name.encode() for name in params["names"]])

        return Answer()

    def _load(self, stream: Any) -> None:
        self.taken = b" ".join(stream)
        if self.refuses:
            raise self.refuses
        self._held |= self.arrives

    def close(self) -> None:
        pass
