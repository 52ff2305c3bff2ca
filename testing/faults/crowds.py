"""Many connections to a stack's edge at a time, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from components.edge import USERS_PORT
from images import tags
from testing.meanwhile import until
from testing.project import Project

_SCRIPT = Path(__file__).with_name("many.py")
_OPEN_SECONDS = 120


@contextmanager
def crowd(project: Project, count: int, kind: Literal["idle", "slow"]) -> Iterator[None]:
    """Keep so many connections open, from a container beside the edge; begins once all are there.

    Not from this machine: what publishes a port would need two file descriptors for each of them.
    """
    made = project.engine.containers.run(
        tags.tag("python"),
        ["python3", "-c", _SCRIPT.read_text(encoding="utf-8"), "edge", str(USERS_PORT), str(count), kind],
        network=f"friday-{project.stack}-app",
        labels=["friday-litellm.test"],
        init=True,
        detach=True,
    )
    try:
        until(lambda: made.logs() == b"open\n", lambda: f"{count} connections: {made.logs()!r}", _OPEN_SECONDS)
        yield
    finally:
        made.remove(force=True)
