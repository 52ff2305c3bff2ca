"""The figures of a measurement, their verdicts, and the table of them."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


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
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def ok(self) -> bool:
        """Whether the target is reached."""
        return self.target is None or self.median <= self.target

    @property
    def shown(self) -> str:
        """Text for the table: the value, or min / median / max."""
        spread = [self.median] if len(self.values) == 1 else [min(self.values), self.median, max(self.values)]
        return f"{' / '.join(map(number, spread))} {self.unit}"

    def document(self) -> dict[str, object]:
        """Return it for --json."""
        spread = {"min": min(self.values), "median": self.median, "max": max(self.values)}
        return {**asdict(self), **spread, "ok": self.ok}


def number(value: float) -> str:
    """Return a value with as many digits as are meaningful here: 0.43, 5.1, 31, 1234."""
    if value == int(value):
        return str(int(value))
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def table(figures: Sequence[Figure]) -> str:
    """Return the table what | target | measured | ok, and the notes under it."""
    rows = [("what", "target", "measured (min / median / max)", "ok")]
    for each in figures:
        target, verdict = "", ""
        if each.target is not None:
            target, verdict = f"{number(each.target)} {each.unit}", "yes" if each.ok else "NO"
        rows.append((each.what, target, each.shown, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "-|-".join("-" * width for width in widths))
    notes = [f"{f.what}: {f.note}" for f in figures if f.note]
    return "\n".join(lines + (["", *notes] if notes else []))


def _line(row: Iterable[str], widths: Sequence[int]) -> str:
    return " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
