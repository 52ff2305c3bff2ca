"""How long an operator waits for the gates: the command `status`, and their queries over two days of metrics."""

import time
from contextlib import closing

from benchmarks.figures import Figure
from benchmarks.filled_prometheus import SCRAPE_SECONDS, filled_prometheus, series
from benchmarks.test_stack import TestStack
from ops.metrics.collect import gather
from ops.metrics.prometheus import Prometheus
from ops.rollout.gates import registry
from ops.rollout.gates.look import Scope, Window

RUNS = 5
TARGET_SECONDS = 3
HOURS = 48


def gates(stack: TestStack) -> list[Figure]:
    """Time the whole command `status`, and the queries of all gates over 48 h of metrics."""
    status = tuple(stack.timed("status", stack.project.stack) for _ in range(RUNS))
    with filled_prometheus(stack.project.engine, stack.project.images()["prometheus"], HOURS) as filled:
        gathered = tuple(_gather(filled.url, filled.end) for _ in range(RUNS))
    note = f"{len(series())} series, each {HOURS * 3600 // SCRAPE_SECONDS:,} values"
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
    # The step before is asked about only where nobody is beside the gateway's users.
    missing = [name for name, value in found["figures"].items() if value is None and name != "earlier_latency"]
    if found["silent"] or missing:
        raise RuntimeError(f"Prometheus did not answer: {found['silent'] or missing}")
    return seconds
