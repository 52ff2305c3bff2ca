"""The gateway in its image, as a stack runs it (read-only, without root or capabilities), on a port of its own."""

from __future__ import annotations

import io
import json
import socket
import tarfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import docker
import httpx
from docker.models.containers import Container

from components.catalogue import Catalogue, default_models
from components.free_models import SIMULATOR, RouterTuning, render_litellm_config
from images.tags import tag
from testing.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
FILES = "/etc/friday"
KEYS = {
    "openrouter_api_key": "sk-or-v1-0123456789abcdef",
    "gateway_key": "gateway-key-0123456789",
    "edge_key": "edge-key-0123456789",
    "ops_key": "ops-key-0123456789abcd",
    "redis_password": "redis-password-0123456789",
}
CHAT: dict[str, Any] = {"model": "gemma-4-31b", "messages": [{"role": "user", "content": "PRIVATE words"}]}


class Listening(Protocol):
    """An upstream on this machine."""

    @property
    def port(self) -> int: ...


class GatewayContainer:
    """One running gateway; `url` answers on this machine only."""

    def __init__(self, container: Container, port: int) -> None:
        self.container = container
        self.url = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=self.url, timeout=60)

    def request(self, method: str, path: str, key: str | None = "gateway_key", **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {KEYS[key]}"} if key else {}
        return self._client.request(method, path, headers={**headers, **options.pop("headers", {})}, **options)

    def chat(self, **fields: Any) -> httpx.Response:
        return self.request("POST", "/v1/chat/completions", json={**CHAT, **fields})

    def timed_chat(self, **fields: Any) -> tuple[float, httpx.Response]:
        begun = time.monotonic()
        answer = self.chat(**fields)
        return time.monotonic() - begun, answer

    def metric(self, name: str) -> float | None:
        """Return the sum of a metric's samples, or None when it has none."""
        lines = self.request("GET", "/metrics", "ops_key").text.splitlines()
        values = [float(line.rpartition(" ")[2]) for line in lines if line.split("{")[0].split(" ")[0] == name]
        return sum(values) if values else None

    @property
    def logs(self) -> str:
        return self.container.logs().decode()

    def wait_healthy(self, timeout: float = 60) -> float:
        """Wait for the first good answer; return the seconds that it took."""
        begun = time.monotonic()
        while time.monotonic() - begun < timeout:
            self.container.reload()
            assert self.container.status != "exited", self.logs
            try:
                if self._client.get("/health/liveliness").status_code == 200:
                    return time.monotonic() - begun
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(self.logs)


def config_text(upstream: Listening, tuning: RouterTuning) -> str:
    """Return the stack's own config with this test's upstream in the simulator's place."""
    catalogue = Catalogue(models=default_models())
    text = render_litellm_config(catalogue, tuning, upstream=SIMULATOR)
    return text.replace(SIMULATOR, base_url(upstream))


def base_url(upstream: Listening) -> str:
    return f"http://127.0.0.1:{upstream.port}/api/v1"


@contextmanager
def gateway(
    upstream: Listening,
    *,
    tuning: RouterTuning | None = None,
    config: str | None = None,
    requests_per_minute: int = 10000,
    redis_port: int | None = None,
    wait: bool = True,
    command: Sequence[str] = ("python3", "-m", "gateway.serve"),
    further: Mapping[str, str] | None = None,
    network: str = "host",
    **environment: str,
) -> Iterator[GatewayContainer]:
    """Run a gateway of its own; `environment` adds to what a stack sets, `further` to its files, `config` replaces its
    config. On another `network` than the machine's it is not asked from here (`wait` has to be false).
    """
    port = free_ports(1)[0]
    text = config or config_text(upstream, tuning or RouterTuning())
    variables = {
        "PYTHONPATH": FILES,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LITELLM_CONFIG": f"{FILES}/config.yaml",
        "OPENROUTER_API_BASE": base_url(upstream),
        "GATEWAY_RPM": str(requests_per_minute),
        "DRAIN_SECONDS": "1",
        "GRACE_SECONDS": "20",
        **{f"{name.upper()}_FILE": f"{FILES}/secrets/{name}" for name in KEYS},
        **({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)} if redis_port else {}),
        **environment,
    }
    secrets = {f"secrets/{name}": f"{value}\n" for name, value in KEYS.items()}
    files = {"config.yaml": text, **_code(), **secrets, **(further or {})}
    with started("litellm", list(command), variables, files, network) as container:
        running = GatewayContainer(container, port)
        if wait:
            running.wait_healthy()
        yield running


@contextmanager
def redis() -> Iterator[tuple[Container, int]]:
    """Run a Redis with the password of `KEYS`."""
    port = free_ports(1)[0]
    arguments = ["--bind", "127.0.0.1", "--port", str(port), "--requirepass", KEYS["redis_password"], "--save", ""]
    with started("redis", ["redis-server", *arguments], {}, {}) as container:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield container, port


@contextmanager
def started(
    part: str, command: list[str], environment: dict[str, str], files: dict[str, str], network: str = "host"
) -> Iterator[Container]:
    """Run the image of a part, confined as in a stack, with files below /etc/friday."""
    engine = docker.from_env()
    container = engine.containers.create(
        tag(part),
        command,
        name=f"friday-test-{part}-{uuid.uuid4().hex[:8]}",
        environment=environment,
        network_mode=network,
        read_only=True,
        tmpfs={"/tmp": "size=64m"},  # noqa: S108  # inside the container
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        user="10001:10001",
        mem_limit="1g",
        volumes=[FILES],
    )
    try:
        if files:
            container.put_archive(FILES, archive(files))
        container.start()
        yield container
    finally:
        container.remove(force=True, v=True)
        engine.close()


def _code() -> dict[str, str]:
    paths = [path for folder in ("gateway", "serving") for path in (ROOT / folder).glob("*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def archive(files: dict[str, str]) -> bytes:
    """Return files with these contents as Docker takes them into a container."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content.encode()), 0o644
            archive.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def error_of(answer: httpx.Response) -> str:
    """Return the error code of an answer."""
    return str(json.loads(answer.text)["error"]["code"])
