"""How operations say what they are doing: one line at a time, to whoever shows it."""

from collections.abc import Callable

Report = Callable[[str, str], None]
"""Takes what a line is about ("deploy", "gateway") and the line."""

Say = Callable[[str], None]
"""Takes a line, where what it is about is settled."""
