"""Runs the chosen measurements one after the other on one stack."""

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.figures import Figure
from benchmarks.registry import MEASUREMENTS
from benchmarks.test_stack import Comparison, test_stack


@dataclass(frozen=True)
class Report:
    """What a run found, when, and on which machine. `load_before` is the load average of the minute before it."""

    begun: str
    cpus: int
    load_before: float
    figures: list[Figure]

    @property
    def ok(self) -> bool:
        """Whether every target is reached."""
        return all(figure.ok for figure in self.figures)

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {**vars(self), "ok": self.ok, "figures": [figure.document() for figure in self.figures]}


def run(names: Sequence[str], report: Callable[[str, str], None], comparison: Comparison) -> Report:
    """Measure `names` (all when empty), in the order of the registry; `report(step, detail)` says what goes on.

    Raises AssertionError with the command's output when a command of the project fails on the stack.
    """
    begun, load = datetime.now(UTC), os.getloadavg()[0]
    figures: list[Figure] = []
    report("stack", "a copy of the checkout, with a stack and ports of its own")
    with test_stack(comparison) as stack:
        for name, entry in MEASUREMENTS.items():
            if names and name not in names:
                continue
            report("measure", f"{name}: {entry.about}")
            stack.need(up=entry.needs_stack)
            measurement = getattr(importlib.import_module(f"benchmarks.measures.{entry.module}"), name)
            found: list[Figure] = measurement(stack)
            for figure in found:  # now: when a later measurement fails, these are not lost
                report("", f"{figure.what}: {figure.shown}")
            figures += found
        report("stack", "removing it")
    return Report(f"{begun:%Y-%m-%d %H:%M} UTC", os.cpu_count() or 1, round(load, 2), figures)
