"""How long an operator waits for the gates: the command `status`, and their queries over two days of metrics."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import docker

from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack
from components.free_models import LATENCY_BUCKETS as LITELLM_BUCKETS
from friday.llm.monitoring.metrics import LATENCY_BUCKETS as FRIDAY_BUCKETS
from ops.metrics.collect import gather
from ops.metrics.prometheus import Prometheus
from ops.rollout.gates import registry
from ops.rollout.gates.look import Scope, Window
from testing.meanwhile import until_answered
from testing.ports import free_ports

RUNS = 5
TARGET_SECONDS = 3
HOURS = 48
SCRAPE_SECONDS = 5
"""The stack's default."""

MEMORY = "384m"
"""What a stack's Prometheus may use by default."""

_BLOCK_SECONDS = 7200  # one block of Prometheus; the importer reads its input again for each
_READY_SECONDS = 60.0
_INSTANCES = ("10.0.0.2", "10.0.0.3")
_PATHS = (("litellm", "a:free"), ("litellm", "b:free"), ("direct", "c:free"))
_FEATURES = ("chat", "docs")


def gates(stack: TestStack) -> list[Figure]:
    """Time the whole command `status`, and the queries of all gates over 48 h of metrics."""
    status = tuple(stack.timed("status", stack.project.stack) for _ in range(RUNS))
    with _filled_prometheus(stack.project.engine, stack.project.images()["prometheus"]) as (url, end):
        gathered = tuple(_gather(url, end) for _ in range(RUNS))
    note = f"{len(_series())} series, each {HOURS * 3600 // SCRAPE_SECONDS:,} values"
    return [
        Figure("status", TARGET_SECONDS, "s", status),
        Figure(f"evidence of {HOURS} h", TARGET_SECONDS, "s", gathered, note),
    ]


def _gather(url: str, end: float) -> float:
    began = time.perf_counter()
    windows = dict.fromkeys((gate.name for gate in registry.GATES), HOURS * 3600.0)
    with closing(Prometheus(url)) as server:
        found = gather(server, Scope(end, windows, True, Window(end, HOURS * 3600.0)))
    seconds = time.perf_counter() - began
    missing = [name for name, value in found["figures"].items() if value is None]
    if found["silent"] or missing:
        raise RuntimeError(f"Prometheus did not answer: {found['silent'] or missing}")
    return seconds


def _series() -> list[str]:
    """Return the names and labels of what a stack with two replicas of each part counts."""
    found = ['haproxy_backend_active_servers{proxy="litellm"}']
    for instance in _INSTANCES:
        where = f'instance="{instance}"'
        found += [f"friday_llm_rollout_percentage{{{where}}}", f"gateway_quota_requests_per_minute{{{where}}}"]
        found += [f'gateway_refused_requests_total{{{where},reason="quota_spent"}}']
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


@contextmanager
def _filled_prometheus(engine: docker.DockerClient, image: str) -> Iterator[tuple[str, float]]:
    """Run a Prometheus that holds two days of metrics; yield its address and their end (epoch seconds)."""
    end = int(time.time()) // _BLOCK_SECONDS * _BLOCK_SECONDS
    with tempfile.TemporaryDirectory(prefix="friday-prometheus-") as folder:
        for began in range(end - HOURS * 3600, end, _BLOCK_SECONDS):
            _block(engine, image, Path(folder), began)
        (port,) = free_ports(1)
        container = engine.containers.run(
            image,
            ["--config.file=/dev/null", "--storage.tsdb.path=/metrics/data"],
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
            yield url, float(end - SCRAPE_SECONDS)
        finally:
            container.remove(force=True, v=True)


def _block(engine: docker.DockerClient, image: str, folder: Path, began: int) -> None:
    """Write one block, in which every series rises with time, the gauges too."""
    lines = []
    for number, name in enumerate(_series()):
        slope = number % 7
        lines += [f"{name} {1 + second * slope // 60} {second}\n" for second in range(began, began + _BLOCK_SECONDS, 5)]
    text = folder / "metrics.om"
    text.write_text("".join([*lines, "# EOF\n"]), encoding="utf-8")
    engine.containers.run(
        image,
        ["tsdb", "create-blocks-from", "openmetrics", "/metrics/metrics.om", "/metrics/data"],
        entrypoint=["promtool"],
        user="0",
        volumes={str(folder): {"bind": "/metrics", "mode": "rw"}},
        remove=True,
    )
    text.unlink()
