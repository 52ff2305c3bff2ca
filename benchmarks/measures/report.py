"""How long an operator waits for the report, and for the live page, over a week of metrics."""

import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from benchmarks.figures import Figure
from benchmarks.filled_prometheus import last_even_hour, series, write_blocks
from benchmarks.measures.memory import MEGABYTE, used
from benchmarks.test_stack import TestStack
from testing.meanwhile import until, until_answered
from testing.ports import free_ports

RUNS = 5
HOURS = 7 * 24
_SEEN_SECONDS = 180
"""Prometheus looks for new blocks once a minute."""

_REFRESHES = 20
_EVERY_SECONDS = 1.0
_LOOK_SECONDS = 0.05
_HIGH_WATER = re.compile(r"VmHWM:\s*(\d+) kB")


def report(stack: TestStack) -> list[Figure]:
    """Time the whole command, then pages of `dashboard`, on a stack whose own Prometheus holds seven days.

    The gates look back no further than the step began, which is the stack's first minute: `gates` has 48 hours.
    """
    _fill(stack)
    ran = [_report(stack) for _ in range(RUNS)]
    (prometheus,) = stack.project.containers("prometheus")
    stats: Any = prometheus.stats(stream=False)
    held = used(stats["memory_stats"]) / MEGABYTE
    size = (stack.project.root / "report.html").stat().st_size / MEGABYTE
    refreshed = _refreshes(stack)
    note = (
        f"{len(series())} series of two replicas, every 5 s for {HOURS // 24} days, beside what the stack itself shows"
    )
    biggest = "the largest of fridayctl and what it runs, such as pulumi"
    return [
        Figure("report", 5, "s", tuple(seconds for seconds, _ in ran), note),
        Figure("memory of report", 300, "MB", tuple(size for _, size in ran), biggest),
        Figure("memory of Prometheus after it", None, "MB", (held,)),
        Figure("size of the page", 1, "MB", (size,)),
        Figure("refresh of the live page", 1, "s", refreshed, f"{_REFRESHES} of them, one a second"),
    ]


def _fill(stack: TestStack) -> None:
    """Give the stack's Prometheus a week that it has not seen."""
    project = stack.project
    end = last_even_hour()
    (prometheus,) = project.containers("prometheus")
    volume = f"friday-{project.stack}-prometheus-data"
    user = str(prometheus.attrs["Config"]["User"])
    write_blocks(project.engine, project.images()["prometheus"], volume, HOURS, end, user=user)
    first = {"query": "count(friday_llm_requests_total)", "time": str(end - HOURS * 3600 + 60)}

    def holds_it() -> bool:
        answer = httpx.get(f"{project.prometheus_url}/api/v1/query", params=first, timeout=30)
        return bool(answer.json()["data"]["result"])

    until(holds_it, "Prometheus should find its new blocks", _SEEN_SECONDS, every=1.0)


def _report(stack: TestStack) -> tuple[float, float]:
    """Return the seconds that a report took, and the megabytes of its largest process."""
    began = time.perf_counter()
    running = stack.project.start("report", stack.project.stack, "--since", "7d", "-o", "report.html")
    with ThreadPoolExecutor(max_workers=1) as pool:
        largest = pool.submit(_largest, running)
        said, _ = running.communicate()
        seconds = time.perf_counter() - began
    if running.returncode:
        raise RuntimeError(f"report ended with {running.returncode}: {said}")
    return seconds, largest.result()


def _largest(running: subprocess.Popen[str]) -> float:
    """Return the megabytes that the largest process of a session ever held, by the kernel's own high-water mark.

    Not by `wait4`: a child's usage begins with what its parent held.
    """
    found = 0.0
    while running.poll() is None:
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended
                if os.getsid(int(each.name)) == running.pid:
                    mark = _HIGH_WATER.search((each / "status").read_text(encoding="utf-8"))
                    found = max(found, int(mark[1]) * 1024 / MEGABYTE if mark else 0.0)
        time.sleep(_LOOK_SECONDS)
    return found


def _refreshes(stack: TestStack) -> tuple[float, ...]:
    """Return the seconds of each page after the first, which waits for its report."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/"
    running = stack.project.start("dashboard", stack.project.stack, "--port", str(port), "--open", "no")
    try:
        until_answered(url, 60)
        found = []
        for _ in range(_REFRESHES):
            began = time.perf_counter()
            httpx.get(url, timeout=60).raise_for_status()
            found.append(time.perf_counter() - began)
            time.sleep(_EVERY_SECONDS)
        return tuple(found)
    finally:
        running.terminate()
        running.communicate(timeout=30)
