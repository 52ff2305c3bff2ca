"""A made-up week with a gap, and lines over it."""

import datetime as dt
import math

from ops.report.model import Line, Series, Unit, Window

MADE = dt.datetime(2026, 11, 30, 18, 40, tzinfo=dt.UTC)
WEEK = Window(began=MADE - dt.timedelta(days=7), ended=MADE)
DAY = Window(began=MADE - dt.timedelta(days=1), ended=MADE)
STEPS = 336
STEP_SECONDS = WEEK.seconds / STEPS
GAP = range(100, 118)
"""Steps without data, in every line."""


def line(name: str, base: float, begins: int = 0, peak: float | None = None) -> Line:
    """Return a line that swings by the day from step `begins` on, with the gap, and with a peak near its end."""
    values = [round(base * (1 + 0.3 * math.sin(step * math.tau / 48)), 6) for step in range(STEPS)]
    if peak is not None:
        values[300:330] = [peak] * 30
    known = [None if step < begins or step in GAP else value for step, value in enumerate(values)]
    return Line(name=name, values=tuple(known))


def series(name: str, title: str, unit: Unit, *lines: Line, limit: float | None = None) -> Series:
    """Return a plot over the week."""
    began = WEEK.began
    return Series(
        name=name, title=title, unit=unit, began=began, step_seconds=STEP_SECONDS, lines=tuple(lines), limit=limit
    )
