"""A Prometheus that holds days of a stack's metrics at once: written as blocks, none of it waited for."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from components.free_models import LATENCY_BUCKETS as LITELLM_BUCKETS
from friday.llm.monitoring.metrics import LATENCY_BUCKETS as FRIDAY_BUCKETS
from testing.meanwhile import until_answered
from testing.ports import free_ports

SCRAPE_SECONDS = 5
"""The stack's default."""

MEMORY = "384m"
"""What a stack's Prometheus may use by default."""

_BLOCK_SECONDS = 7200  # one block of Prometheus; the importer reads its input again for each
_READY_SECONDS = 60.0
_INSTANCES = ("10.0.0.2", "10.0.0.3")
_PATHS = (("litellm", "a:free"), ("litellm", "b:free"), ("direct", "c:free"))
_FEATURES = ("chat", "docs")


@dataclass(frozen=True)
class Filled:
    """The address of a Prometheus, the last moment that it has seen (epoch seconds), and what it runs in."""

    url: str
    end: float
    container: Container


def last_even_hour() -> int:
    """Return the epoch second at which the newest block ends that can be whole."""
    return int(time.time()) // _BLOCK_SECONDS * _BLOCK_SECONDS


@contextmanager
def filled_prometheus(engine: docker.DockerClient, image: str, hours: int) -> Iterator[Filled]:
    """Run a Prometheus that has seen `hours` of metrics up to now, every five seconds, of two replicas of each part."""
    end = last_even_hour()
    with tempfile.TemporaryDirectory(prefix="friday-prometheus-") as folder:
        write_blocks(engine, image, folder, hours, end)
        (port,) = free_ports(1)
        container = engine.containers.run(
            image,
            ["--config.file=/dev/null", "--storage.tsdb.path=/metrics"],
            entrypoint=["prometheus"],
            user="0",
            volumes={folder: {"bind": "/metrics", "mode": "rw"}},
            ports={"9090/tcp": ("127.0.0.1", port)},
            mem_limit=MEMORY,
            memswap_limit=MEMORY,
            labels={"friday-litellm.bench": "prometheus"},
            detach=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            until_answered(f"{url}/-/ready", _READY_SECONDS)
            yield Filled(url, float(end - SCRAPE_SECONDS), container)
        finally:
            container.remove(force=True, v=True)


def series() -> list[str]:
    """Return the names and labels of what a stack with two replicas of each part counts."""
    found = [f'haproxy_backend_active_servers{{proxy="{proxy}"}}' for proxy in ("friday", "litellm")]
    found += ['haproxy_server_status{proxy="gateway_switch",state="MAINT"}']
    for instance in _INSTANCES:
        where = f'instance="{instance}"'
        found += [f"friday_llm_rollout_percentage{{{where}}}", f"gateway_quota_requests_per_minute{{{where}}}"]
        found += [f'gateway_refused_requests_total{{{where},reason="quota_spent"}}']
        found += [f"friday_llm_breaker_state{{{where}}}", f"gateway_quota_used{{{where}}}"]
        found += [f'gateway_tokens_total{{{where},kind="{kind}"}}' for kind in ("prompt", "completion")]
        found += [f'gateway_cache_requests_total{{{where},source="{source}"}}' for source in ("hit", "shared", "miss")]
        for path, model in _PATHS:
            own = f'{where},path="{path}",model="{model}"'
            found += [f"friday_llm_cost_usd_total{{{own}}}", f"gateway_upstream_attempts_total{{{own}}}"]
            found += [f'gateway_chats_total{{{own},status="200"}}', f"gateway_spend_usd_total{{{own}}}"]
            found += [f'gateway_model_rest_seconds_total{{{where},model="{model}"}}']
            found += [f'gateway_overhead_seconds_bucket{{{own},le="{le}"}}' for le in _bounds(LITELLM_BUCKETS)]
            for feature in _FEATURES:
                each = f'{own},feature="{feature}"'
                found += [f'friday_llm_requests_total{{{each},outcome="{outcome}"}}' for outcome in ("ok", "timeout")]
                found += [f'friday_llm_latency_seconds_bucket{{{each},le="{le}"}}' for le in _bounds(FRIDAY_BUCKETS)]
    return found


def _bounds(buckets: Any) -> list[str]:
    return [*(str(float(bound)) for bound in buckets), "+Inf"]


def write_blocks(engine: docker.DockerClient, image: str, data: str, hours: int, end: int, *, user: str = "0") -> None:
    """Write `hours` of metrics up to epoch second `end`, an even hour, into the data of a Prometheus of `user`.

    `data` is a folder or the name of a volume.
    """
    with tempfile.TemporaryDirectory(prefix="friday-metrics-") as folder:
        Path(folder).chmod(0o755)
        for began in range(end - hours * 3600, end, _BLOCK_SECONDS):
            _write_text(Path(folder) / "metrics.om", began)
            engine.containers.run(
                image,
                ["tsdb", "create-blocks-from", "openmetrics", "/text/metrics.om", "/metrics"],
                entrypoint=["promtool"],
                user=user,
                volumes={folder: {"bind": "/text", "mode": "ro"}, data: {"bind": "/metrics", "mode": "rw"}},
                remove=True,
            )


def _write_text(file: Path, began: int) -> None:
    """Write two hours in which every series rises with time, the gauges too."""
    lines = []
    for number, name in enumerate(series()):
        slope = number % 7
        lines += [f"{name} {1 + second * slope // 60} {second}\n" for second in range(began, began + _BLOCK_SECONDS, 5)]
    file.write_text("".join([*lines, "# EOF\n"]), encoding="utf-8")
