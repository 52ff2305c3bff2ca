"""How operations say what they are doing: one line at a time, to whoever shows it."""

from collections.abc import Callable
from functools import partial

Report = Callable[[str, str], None]
"""Takes what a line is about ("deploy", "gateway") and the line."""

Say = Callable[[str], None]
"""Takes a line, where what it is about is settled."""


def about(report: Report, label: str) -> Say:
    """Return what reports lines about one thing."""
    return partial(report, label)
