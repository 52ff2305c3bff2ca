"""The stack that is measured: a copy of the checkout with names, ports and state of its own, removed afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testing.meanwhile import timed
from testing.project import Project

LATENCY_MS = 10
"""How long a simulated model takes, in milliseconds, unless a measurement says otherwise."""


@dataclass(frozen=True)
class Comparison:
    """How often what is compared is measured in turn, and other checkouts of this project to measure beside."""

    rounds: int = 5
    beside: tuple[Path, ...] = ()


class TestStack:
    """A project and whether its stack is up, and what it is compared with."""

    def __init__(self, project: Project, comparison: Comparison) -> None:
        self.project = project
        self.comparison = comparison
        self.up = False

    def bring_up(self) -> float:
        """Bring the stack to what its file says; return the seconds that the command took."""
        self.up = True  # also when it fails half way: then there is something to remove
        return self.timed("up", self.project.stack)

    def take_down(self) -> float:
        """Take the stack down; return the seconds that the command took."""
        seconds = self.timed("down", self.project.stack, "--yes")
        self.up = False
        return seconds

    def need(self, *, up: bool) -> None:
        """Bring the stack up or take it down, whichever a measurement starts from."""
        if up and not self.up:
            self.bring_up()
        elif self.up and not up:
            self.take_down()

    def timed(self, *arguments: str) -> float:
        """Run ./fridayctl in the copy; return the seconds from its start to its end."""
        return timed(lambda: self.project.fridayctl(*arguments))

    @contextmanager
    def faults(self, *faults: dict[str, Any]) -> Iterator[None]:
        """Switch faults of the simulated models on for a while."""
        self.project.fault(*faults)
        try:
            yield
        finally:
            self.project.fault()


@contextmanager
def test_stack(comparison: Comparison) -> Iterator[TestStack]:
    """Make one with tools and images ready and nothing running; it is removed at the end, also after a failure."""
    with tempfile.TemporaryDirectory(prefix="friday-bench-") as folder:
        project = Project.create(Path(folder))
        project.configure({"simulator": {**project.settings["simulator"], "latencyMs": LATENCY_MS}})
        project.fridayctl("setup", seconds=1800)
        made = TestStack(project, comparison)
        try:
            yield made
        finally:
            if made.up:
                project.remove()
