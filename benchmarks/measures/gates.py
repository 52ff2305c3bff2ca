"""How long an operator waits for the gates."""

from __future__ import annotations

import time

from benchmarks.figures import Figure
from benchmarks.prometheus_fixture import HOURS, SCRAPE_SECONDS, filled_prometheus, series
from benchmarks.test_stack import TestStack
from ops.metrics.collect import gather
from ops.metrics.prometheus import Prometheus
from ops.rollout.gates import registry
from ops.rollout.gates.look import Scope, Window

RUNS = 5
TARGET_SECONDS = 3


def measure(stack: TestStack) -> list[Figure]:
    """Time the whole command `status`, and the queries of all gates over 48 h of metrics."""
    status = tuple(stack.timed("status", stack.project.stack) for _ in range(RUNS))
    with filled_prometheus(stack.project.engine, stack.project.images()["prometheus"]) as (url, end):
        gathered = tuple(_gather(url, end) for _ in range(RUNS))
    note = f"{len(series())} series, each {HOURS * 3600 // SCRAPE_SECONDS:,} values"
    return [
        Figure("status", TARGET_SECONDS, "s", status),
        Figure(f"evidence of {HOURS} h", TARGET_SECONDS, "s", gathered, note),
    ]


def _gather(url: str, end: float) -> float:
    began = time.perf_counter()
    window = HOURS * 3600.0
    windows = {gate.name: window for gate in registry.GATES}
    server = Prometheus(url)
    found = gather(server, Scope(end, windows, True, 60.0, Window(end, window)))
    server.close()
    seconds = time.perf_counter() - began
    missing = [name for name, value in found["figures"].items() if value is None]
    if found["silent"] or missing:
        raise RuntimeError(f"Prometheus did not answer: {found['silent'] or missing}")
    return seconds
