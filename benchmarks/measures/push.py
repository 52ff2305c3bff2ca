"""What a changed image costs on its way to a host."""

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack
from testing import remote_project
from testing.changed_friday import changed_friday
from testing.project import Project
from testing.rig import rig

_MEGABYTE = 1_000_000


def push(_: TestStack) -> list[Figure]:
    """Measure on a host of its own: first it gets every image but Friday, then a Friday with one changed file."""
    with tempfile.TemporaryDirectory(prefix="friday-bench-push-") as folder, rig(1) as made:
        project = remote_project.create(Path(folder), made)
        with project.configured(friday={**project.settings["friday"], **remote_project.ELSEWHERE}):
            project.fridayctl("setup")
            others = _pushed(project)
        with changed_friday(project):
            first = _pushed(project)
        with changed_friday(project, "again"):
            again = _pushed(project)
    return [
        Figure(
            "push: Friday to a host that has the others: part that is sent", 20, "%", (_percent(first),), _note(first)
        ),
        Figure("push: Friday changed again: part that is sent", 20, "%", (_percent(again),), _note(again)),
        Figure("push: every image but Friday to an empty host", None, "s", (others["seconds"],), _note(others)),
    ]


def _pushed(project: Project) -> dict[str, Any]:
    (pushed,) = json.loads(project.fridayctl("images", "push", project.stack, "--json").out)
    return dict(pushed)


def _percent(pushed: dict[str, Any]) -> float:
    """Return how much of the archive of whole images was sent."""
    return 100.0 * float(pushed["sent_bytes"] / (pushed["sent_bytes"] + pushed["left_out_bytes"]))


def _note(pushed: dict[str, Any]) -> str:
    sent, there = (pushed[name] / _MEGABYTE for name in ("sent_bytes", "left_out_bytes"))
    return f"{sent:.2f} MB sent, {there:.1f} MB were there, {pushed['seconds']:.1f} s"
