"""The figures of a measurement, their verdicts, and the table of them."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One quantity measured once or more.

    `target` is the most it may be, in `unit`, and the median is judged; None for what is only reported.
    """

    what: str
    target: float | None
    unit: str
    values: tuple[float, ...]
    note: str = ""
    """What a reader needs to know to trust the figure, or to find the cause of a bad one."""

    def __post_init__(self) -> None:
        """Raises `ValueError` when nothing was measured."""
        if not self.values:
            raise ValueError(f"{self.what}: there should be at least one value")

    @property
    def measured(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def ok(self) -> bool:
        """Whether the target is reached."""
        return self.target is None or self.measured <= self.target

    @property
    def verdict(self) -> str:
        """yes, NO, or nothing where there is no target."""
        return "" if self.target is None else "yes" if self.ok else "NO"

    @property
    def shown_target(self) -> str:
        """Text for the table: the target with its unit."""
        return "" if self.target is None else f"{number(self.target)} {self.unit}"

    @property
    def shown(self) -> str:
        """Text for the table: the value, or min / median / max."""
        if len(self.values) == 1:
            return f"{number(self.measured)} {self.unit}"
        spread = (min(self.values), self.measured, max(self.values))
        return f"{' / '.join(map(number, spread))} {self.unit}"

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        return {
            "what": self.what,
            "target": self.target,
            "unit": self.unit,
            "min": min(self.values),
            "median": self.measured,
            "max": max(self.values),
            "values": list(self.values),
            "ok": self.ok,
            "note": self.note,
        }


def number(value: float) -> str:
    """Return a value with as many digits as are meaningful here: 0.43, 5.1, 31, 1234."""
    if value == int(value):
        return str(int(value))
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def table(figures: Sequence[Figure]) -> str:
    """Return the table what | target | measured | ok, and the notes under it."""
    rows = [("what", "target", "measured (min / median / max)", "ok")]
    rows += [(f.what, f.shown_target, f.shown, f.verdict) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "-|-".join("-" * width for width in widths))
    notes = [f"{f.what}: {f.note}" for f in figures if f.note]
    return "\n".join(lines + (["", *notes] if notes else []))


def _line(row: Iterable[str], widths: Sequence[int]) -> str:
    return " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
