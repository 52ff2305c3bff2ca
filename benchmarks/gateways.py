"""The gateways that are compared: this checkout's, another checkout's, and stock LiteLLM, each in a container."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import docker
import yaml
from docker.models.containers import Container

from benchmarks.instant_upstream import PATH
from components.free_models import SIMULATOR
from images import build, tags
from images.tags import Image
from testing.meanwhile import until_answered
from testing.ports import free_ports

OURS, STOCK = "ours", "stock"
STOCK_IMAGE = Image("stock_litellm", "python", deployed=False, place="benchmarks")
KEY = "sk-bench-0123456789abcdef"
"""What callers of each gateway send."""

_FILES = "/etc/friday"
_SECRETS = {
    "OPENROUTER_API_KEY": "sk-or-v1-0123456789abcdef",
    "GATEWAY_KEY": KEY,
    "EDGE_KEY": "edge-key-0123456789",
    "OPS_KEY": "ops-key-0123456789abcd",
    "REDIS_PASSWORD": "redis-password-0123456789",
}
REDIS_PASSWORD = _SECRETS["REDIS_PASSWORD"]
_UNLIMITED = 1_000_000
_READY_SECONDS = 120.0
_MEMORY = "1g"
_LABEL = {"friday-litellm.bench": "gateway"}
_OF_CHECKOUT = """
import inspect, json
from components.catalogue import Catalogue, default_models
from components.free_models import SIMULATOR, RouterTuning, render_litellm_config
from images.tags import local_images
models = Catalogue(models=default_models())
# Checkouts from when LiteLLM's own cache was in use render another config with a Redis.
knows = "shared_state" in inspect.signature(render_litellm_config).parameters
given = [{"shared_state": shared} if knows else {} for shared in (0, 1)]
configs = [render_litellm_config(models, RouterTuning(), upstream=SIMULATOR, **each) for each in given]
print(json.dumps([local_images()["litellm"], *configs]))
"""
# What makes a stock LiteLLM quiet and lets it start without the internet; all of it is in its documentation.
_STOCK_ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MASTER_KEY": KEY,
    "OPENROUTER_API_KEY": _SECRETS["OPENROUTER_API_KEY"],
}


@dataclass(frozen=True)
class Gateway:
    """One gateway that can be started: its config for one replica and for several that share a Redis, and how.

    `model` is a name that it serves; `files` are further ones beside the config, by their paths.
    """

    name: str
    image: str
    command: tuple[str, ...]
    config: str
    shared_config: str
    model: str
    environment: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)


_PERIOD = 20_000
"""Microseconds in which a container may use its share of a processor."""


@dataclass(frozen=True)
class Running:
    """A gateway that answers at `url`."""

    gateway: Gateway
    container: Container
    url: str
    ready_seconds: float
    """From the engine's start of the container to the first good answer of its readiness."""

    def processor_seconds(self) -> float:
        """Return the processor time that its control group has used, kernel time included."""
        return float(self._stats()["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9

    def memory(self) -> Mapping[str, Any]:
        """Return what its control group says of memory."""
        return dict(self._stats()["memory_stats"])

    @property
    def pid(self) -> int:
        """Its first process, as this machine numbers it."""
        self.container.reload()
        return int(self.container.attrs["State"]["Pid"])

    @contextmanager
    def limited(self, share: float) -> Iterator[None]:
        """Let it have no more than this share of a processor, 0 to 1, while this runs."""
        self.container.update(cpu_period=_PERIOD, cpu_quota=round(share * _PERIOD))
        try:
            yield
        finally:
            self.container.update(cpu_quota=-1)

    def _stats(self) -> Any:
        return self.container.stats(stream=False, one_shot=True)


def of_checkout(checkout: Path, name: str) -> Gateway:
    """Return the gateway of a checkout of this project, whose image `./fridayctl setup` has built there.

    RuntimeError with what Python said when the folder is none.
    """
    own = checkout / ".venv/bin/python"
    command = [str(own) if own.exists() else sys.executable, "-c", _OF_CHECKOUT]
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # its own modules, not ours
    done = subprocess.run(command, cwd=checkout, env=others, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{checkout} should be a checkout of this project:\n{done.stderr}")
    image, config, shared_config = json.loads(done.stdout)
    modules = [path for folder in ("gateway", "serving") for path in sorted((checkout / folder).glob("*.py"))]
    return Gateway(
        name,
        image,
        ("python3", "-m", "gateway.serve"),
        config,
        shared_config,
        _first_name(config),
        {
            "PYTHONPATH": _FILES,
            "LITELLM_CONFIG": f"{_FILES}/config.yaml",
            "OPENROUTER_API_BASE": SIMULATOR,
            "GATEWAY_RPM": str(_UNLIMITED),
            "DRAIN_SECONDS": "0",
            "GRACE_SECONDS": "5",
            **{f"{secret}_FILE": f"{_FILES}/secrets/{secret.lower()}" for secret in _SECRETS},
        },
        {
            **{path.relative_to(checkout).as_posix(): path.read_text(encoding="utf-8") for path in modules},
            **{f"secrets/{secret.lower()}": value for secret, value in _SECRETS.items()},
        },
    )


def stock(like: Gateway) -> Gateway:
    """Return the proxy of the LiteLLM that PyPI has, with the models, aliases and fallbacks of one of ours.

    It runs as its documentation says, with the metrics that ours has too; one worker, which is its default.
    """
    build.ensure(lambda _: None, [STOCK_IMAGE])
    command = ("litellm", "--config", f"{_FILES}/config.yaml", "--host", "127.0.0.1", "--port", "4000")
    given = replace(like, name=STOCK, image=tags.reference(STOCK_IMAGE), command=command, files={})
    configs = [_stock_config(text, shared=shared) for shared, text in enumerate((like.config, like.shared_config))]
    return replace(given, config=configs[0], shared_config=configs[1], environment=_STOCK_ENVIRONMENT)


def _stock_config(ours: str, *, shared: int) -> str:
    document = yaml.safe_load(ours)
    router = document["router_settings"]
    if shared:
        router |= {"redis_host": "os.environ/REDIS_HOST", "redis_port": "os.environ/REDIS_PORT"}
        router |= {"redis_password": "os.environ/REDIS_PASSWORD"}
    config = {
        "model_list": document["model_list"],
        "router_settings": router,
        "litellm_settings": {"callbacks": ["prometheus"], "drop_params": True},
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }
    return yaml.safe_dump(config, sort_keys=False)


def _first_name(config: str) -> str:
    return str(next(iter(yaml.safe_load(config)["router_settings"]["model_group_alias"])))


@contextmanager
def running(
    gateway: Gateway, upstream: int, *, replicas: int = 1, redis: int = 0, processor: int | None = None
) -> Iterator[Running]:
    """Run one container of a gateway on the host's own network; it is removed at the end.

    `upstream` and `redis` are ports of 127.0.0.1. It is one of so many `replicas`, and may use one `processor` only.
    AssertionError, with its log, when it does not get ready.
    """
    port = free_ports(1)[0]
    base = f"http://127.0.0.1:{upstream}{PATH}"
    environment = {**gateway.environment, "HOST": "127.0.0.1", "PORT": str(port), "GATEWAY_REPLICAS": str(replicas)}
    if redis:
        environment |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis), "REDIS_PASSWORD": REDIS_PASSWORD}
    config = gateway.shared_config if redis else gateway.config
    with tempfile.TemporaryDirectory(prefix="friday-bench-gateway-") as folder:
        _write(Path(folder), {**gateway.files, "config.yaml": config.replace(SIMULATOR, base)})
        engine = docker.from_env()
        container = engine.containers.create(
            gateway.image,
            [word.replace("4000", str(port)) for word in gateway.command],
            environment={name: value.replace(SIMULATOR, base) for name, value in environment.items()},
            network_mode="host",
            read_only=True,
            tmpfs={"/tmp": "size=64m"},  # noqa: S108 - inside the container
            cap_drop=["ALL"],
            user="10001:10001",
            mem_limit=_MEMORY,
            cpuset_cpus="" if processor is None else str(processor),
            volumes={folder: {"bind": _FILES, "mode": "ro"}},
            labels=_LABEL,
        )
        try:
            yield _started(gateway, container, f"http://127.0.0.1:{port}")
        finally:
            container.remove(force=True, v=True)
            engine.close()


def _started(gateway: Gateway, container: Container, url: str) -> Running:
    began = time.perf_counter()
    container.start()

    def alive() -> bool:
        container.reload()
        return bool(container.status == "running")

    until_answered(f"{url}/health/readiness", _READY_SECONDS, alive, lambda: container.logs(tail=40).decode())
    return Running(gateway, container, url, time.perf_counter() - began)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.chmod(0o755)  # the container's user is another
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
