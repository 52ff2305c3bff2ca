"""What alerts cost: Alertmanager, and the rules of a Prometheus beside one that has none and asks the same parts."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml
from docker.models.containers import Container

from benchmarks.figures import Figure
from benchmarks.load import Plan, run
from benchmarks.measures.memory import MEGABYTE, used
from benchmarks.test_stack import TestStack
from components.workload import FILES_DIR
from testing.project import Project

RATE = 5.0
"""Requests a second on both paths, so that the rules have something to count."""
SECONDS = 180.0
_SETTLES_SECONDS = 30.0
_SERVE = """
cat >/tmp/prometheus.yml <<'END'
{}
END
exec prometheus --config.file=/tmp/prometheus.yml --storage.tsdb.path=/tmp/data --web.cors.origin=none
"""


def alerts(stack: TestStack) -> list[Figure]:
    """Measure processor time (percent of one processor) and memory (megabytes) that a stack has for its alerts.

    Both servers are measured over the same minutes, the one without rules from an empty store on.
    """
    project = stack.project
    (ruled,), (alertmanager,) = project.containers("prometheus"), project.containers("alertmanager")
    with _without_rules(project, ruled) as bare:
        asyncio.run(run(Plan(project.url, RATE, seconds=_SETTLES_SECONDS)))
        before, began = [_processor(each) for each in (ruled, bare, alertmanager)], time.monotonic()
        asyncio.run(run(Plan(project.url, RATE, seconds=SECONDS)))
        spent = time.monotonic() - began
        after = [_processor(each) for each in (ruled, bare, alertmanager)]
        percent = [100 * (now - then) / 1e9 / spent for then, now in zip(before, after, strict=True)]
        megabytes = [used(_stats(each)["memory_stats"]) / MEGABYTE for each in (ruled, bare, alertmanager)]
    names = ("prometheus", "the same without rules", "alertmanager")
    figures = []
    for what, most, unit, (with_rules, without, told) in (
        ("processor time of alerts", 1, "%", percent),
        ("memory of alerts", 60, "MB", megabytes),
    ):
        note = ", ".join(f"{name} {value:.1f}" for name, value in zip(names, (with_rules, without, told), strict=True))
        figures.append(Figure(what, most, unit, (with_rules - without + told,), note))
    return figures


@contextmanager
def _without_rules(project: Project, ruled: Container) -> Iterator[Container]:
    """Run a second Prometheus on the networks of the first, with its files and jobs, and with its data in /tmp."""
    code, config = ruled.exec_run(["cat", f"{FILES_DIR}/prometheus.yml"])
    if code != 0 or not isinstance(config, bytes):
        raise RuntimeError(f"Prometheus' configuration cannot be read: {config!r}")
    document: dict[str, Any] = yaml.safe_load(config)
    jobs = yaml.safe_dump({"global": document["global"], "scrape_configs": document["scrape_configs"]})
    bare = project.engine.containers.create(
        project.images()["prometheus"],
        ["-ec", _SERVE.format(jobs)],
        entrypoint=["bash"],
        user="10001:10001",
        volumes_from=[str(ruled.id)],
        network=f"friday-{project.stack}-gateway",
        mem_limit="384m",
        cap_drop=["ALL"],
    )
    try:
        project.engine.networks.get(f"friday-{project.stack}-app").connect(bare)
        bare.start()
        yield bare
    finally:
        bare.remove(force=True)


def _stats(container: Container) -> Any:
    return container.stats(stream=False)


def _processor(container: Container) -> int:
    return int(_stats(container)["cpu_stats"]["cpu_usage"]["total_usage"])
