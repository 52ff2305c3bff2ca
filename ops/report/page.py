"""Renders a report as one HTML page that needs nothing else: no network, no script, no account.

The page shows the report and nothing that is not in it. All text is escaped: names of models, messages of the history
and operators' words come from outside.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ops.report import page_plot, page_words
from ops.report.model import Figure, Level, Line, Report, Series, Window
from ops.rollout.gates.gate import Outcome

TEMPLATES = Path(__file__).parent / "templates"
_LOOKS = {
    Level.HEALTHY: "ok",
    Level.LOOK: "look",
    Level.ACT: "act",
    Level.UNKNOWN: "unknown",
    Outcome.PASS: "ok",
    Outcome.FAIL: "act",
    Outcome.INCONCLUSIVE: "look",
    Outcome.SKIPPED: "unknown",
}


@dataclass(frozen=True)
class Plot:
    """A series as the page shows it: the drawing ("" without a value), what it says in words, and its numbers."""

    series: Series
    svg: Markup
    says: tuple[str, ...]

    @property
    def rows(self) -> Iterator[tuple[str, tuple[float | None, ...]]]:
        """Return the values of all lines by the end of their step, oldest first."""
        step = timedelta(seconds=self.series.step_seconds)
        columns = zip(*(line.values for line in self.series.lines), strict=True)
        for index, values in enumerate(columns, 1):
            yield f"{self.series.began + index * step:%Y-%m-%d %H:%M}", values


def render(report: Report, refresh_seconds: int | None = None) -> str:
    """Return the page; with `refresh_seconds` one that asks its server for itself again so often, by a small script.

    Without that script it is as complete, and does not change.
    """
    look, script = style(), _text("live.js") if refresh_seconds else ""
    plots = [_plot(series, report) for series in report.series]
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            plots=plots,
            headline=report.verdict.headline.removeprefix(
                f"{report.verdict.level}: "
            ),  # the page says the level itself
            hours=Markup(page_plot.hours(report.usage.hours)),  # noqa: S704 - Vega escapes what it draws
            unlabelled=page_plot.unlabelled(report.marks, report.window) if any(plot.svg for plot in plots) else 0,
            style=Markup(look),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            policy=content_policy(look, script),
            refresh_seconds=refresh_seconds,
        )
    )


def content_policy(style: str, script: str = "") -> str:
    """Return the Content-Security-Policy of a page: its own style and script, nothing else, and nothing is fetched."""
    live = f"script-src '{_digest(script)}'; connect-src 'self'; " if script else ""
    return f"default-src 'none'; style-src '{_digest(style)}'; {live}img-src data:; base-uri 'none'; form-action 'none'"


def alike(figures: Iterable[Figure]) -> list[tuple[Window, str, list[Figure]]]:
    """Return figures by what they have in common, so that it is said once: their window and their source."""
    return [
        (window, source, list(group))
        for (window, source), group in groupby(figures, key=lambda figure: (figure.window, figure.source))
    ]


def _plot(series: Series, report: Report) -> Plot:
    drawn = page_plot.plot(series, report.window, report.marks)
    return Plot(series, Markup(drawn), _says(series))  # noqa: S704 - Vega escapes what it draws


def _says(series: Series) -> tuple[str, ...]:
    """Return what one would see: for each line where it ends and how high it was."""
    beyond = page_plot.limit_beyond(series)
    lines = tuple(_line_says(series, line) for line in series.lines)
    return (*lines, f"the limit, {beyond}, is above the plot") if beyond else lines


def _line_says(series: Series, line: Line) -> str:
    known = [value for value in line.values if value is not None]
    if not known:
        return f"{line.name}: no data"
    last, highest = (page_words.quantity(value, series.unit) for value in (known[-1], max(known)))
    gaps = len(line.values) - len(known)
    without = f", {gaps} of {len(line.values)} steps without data" if gaps else ""
    return f"{line.name}: {last} at last, {highest} at most{without}"


def style() -> str:
    """Return the style of every page of this project."""
    return _text("page.css")


@cache
def environment(*folders: Path) -> Environment:
    """Return what fills templates, the report's and those of further folders; whatever they are given is escaped."""
    made = Environment(
        loader=FileSystemLoader([TEMPLATES, *folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "alike": alike,
        "interval": lambda comparison: Markup(page_plot.interval(comparison)),  # noqa: S704 - Vega escapes
        "lasting": page_words.length,
        "look": lambda word: _LOOKS[word],
        "moment": page_words.moment,
        "number": page_words.number,
        "quantity": page_words.quantity,
        "signed": page_words.signed,
        "window": page_words.window_words,
    }
    return made


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
