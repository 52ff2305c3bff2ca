"""The one look of every table: no frame, at least 100 columns, nothing cut."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = 100
"""Columns that a table may take where nobody says how wide the screen is, or the screen is narrower."""

_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]+")


def table_of(*columns: str) -> "Table":
    """Return an empty table; its cells are plain text."""
    from rich.table import Table  # noqa: PLC0415 - --help does not need it

    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def show(table: "Table", *, err: bool = False, **options: Any) -> None:
    """Print a table; `err` keeps standard output free for JSON."""
    from rich.console import Console  # noqa: PLC0415 - --help does not need it

    console = Console(stderr=err, highlight=False, **options)
    console.width = max(console.width, COLUMNS)
    console.print(table)


def shortened(image: str) -> str:
    """Return an image's name with no more of its digest than people compare."""
    return _DIGEST.sub(r"\1", image)
