"""Draws what a report holds as SVG: described for Vega-Lite, drawn by vl-convert within this process.

Colours are the page's variables, so one drawing serves the light, the dark and the printed page. No line is told from
another by its colour alone: each has a dash of its own, a marker of its own and its name at its end. Sizes are fixed
and nothing depends on which fonts a machine has, so the same report gives the same page.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ops.report.model import Comparison, Line, Mark, Series, Unit, Window
from ops.report.page_words import quantity
from ops.rollout.history import UNDOING

WIDTH, HEIGHT = 348, 150
"""Of the area with the lines, in pixels. With its labels a plot is as wide as a phone, and two fit side by side."""

_PADDING = {"left": 48, "right": 64, "top": 34, "bottom": 22}
_SMALLEST = {Unit.SHARE: 0.01, Unit.SECONDS: 1.0}
"""How far the axis reaches when all is 0, by unit; 1 of any other."""
_FAR = 4
"""A limit that is so many times as high as the highest value is named, not drawn: it would press the lines flat."""

_STYLES = {
    "litellm": ("var(--line-1)", [1, 0], "circle"),
    "gateway": ("var(--line-1)", [1, 0], "circle"),
    "direct": ("var(--line-2)", [6, 3], "square"),
    "fallback": ("var(--line-3)", [2, 2], "triangle-up"),
}
_STYLES["users"] = _STYLES["direct"]  # of both paths, where Friday counts none by path
_OTHER = ("var(--line-4)", [8, 2, 2, 2], "diamond")
_AXIS_FORMATS = {
    Unit.SHARE: "format(datum.value * 100, '~r') + ' %'",
    Unit.SECONDS: "format(datum.value, '~r') + ' s'",
}
_LABEL_GAP = 0.09  # of the axis: what the name of a line needs to be read beside another
_MARK_GAP = 0.13  # of the width, likewise
_MARK_ROWS = 2

Spec = dict[str, Any]


def plot(series: Series, window: Window, marks: Sequence[Mark] = ()) -> str:
    """Return the lines of a series over a window as SVG, with a labelled vertical line for each step of the rollout.

    Where there is no value there is no line. Returns "" when no line has any value.
    """
    top = _top(series)
    if top is None:
        return ""
    began, ended = _milliseconds(window.began), _milliseconds(window.ended)
    x = {"type": "utc", "domain": [began, ended], "nice": False}
    y = {"domain": [0, top], "nice": True}
    layers = [*_mark_layers(marks, began, ended), *_limit_layers(series, top)]
    for index, line in enumerate(series.lines):
        layers += _line_layers(series, index, line)
    layers += _name_layers(series, top, ended)
    axes: Spec = {
        "x": _axis("t", "temporal", x, {"format": _time_format(window), "tickCount": 5, "grid": False}),
        "y": _axis("v", "quantitative", y, {"labelExpr": _axis_format(series.unit), "tickCount": 4}),
    }
    space = {} if marks else {"padding": _PADDING | {"top": 12}}
    return _draw({"encoding": axes, "layer": layers} | space)


def hours(values: Sequence[float | None]) -> str:
    """Return calls by the hour of the day as bars; an hour without a value has none. "" without any value."""
    data = [{"h": hour, "v": value} for hour, value in enumerate(values) if value is not None]
    if not data:
        return ""
    axes = {
        "x": _axis(
            "h", "ordinal", {"domain": list(range(24))}, {"values": [0, 6, 12, 18, 23], "grid": False, "labelAngle": 0}
        ),
        "y": _axis("v", "quantitative", {"nice": True, "zero": True}, {"labelExpr": _axis_format(Unit.CALLS)}),
    }
    bars = {"data": {"values": data}, "mark": {"type": "bar", "fill": "var(--line-1)"}}
    return _draw({"encoding": axes, "layer": [bars], "height": 110, "padding": _PADDING | {"top": 8, "right": 8}})


def interval(comparison: Comparison) -> str:
    """Return a difference with its bounds beside zero; "" when a bound is not known."""
    found = comparison.difference
    if found is None or found.value is None or found.low is None or found.high is None:
        return ""
    reach = max(abs(found.low), abs(found.high)) * 1.15 or _SMALLEST.get(comparison.unit, 1.0)
    scale = {"domain": [-reach, reach], "nice": False}
    axis = {"labelExpr": _axis_format(comparison.unit), "tickCount": 3, "grid": False}
    layers = [
        {"data": {"values": [{"v": 0}]}, "mark": {"type": "rule", "stroke": "var(--muted)", "strokeDash": [3, 3]}},
        {
            "data": {"values": [{"v": found.low, "to": found.high}]},
            "mark": {"type": "rule", "stroke": "var(--line-1)", "strokeWidth": 3},
            "encoding": {"x2": {"field": "to"}},
        },
        {
            "data": {"values": [{"v": found.value}]},
            "mark": {
                "type": "point",
                "shape": "diamond",
                "size": 90,
                "filled": True,
                "fill": "var(--text)",
                "opacity": 1,
            },
        },
    ]
    size = {"width": 168, "height": 24, "padding": {"left": 24, "right": 24, "top": 4, "bottom": 20}}
    return _draw({"encoding": {"x": _axis("v", "quantitative", scale, axis)}, "layer": layers} | size)


def limit_beyond(series: Series) -> str:
    """Return the limit in words where it is too far above the lines to be drawn, else ""."""
    top = _top(series)
    return quantity(series.limit, series.unit) if top is not None and series.limit and series.limit > top else ""


def unlabelled(marks: Sequence[Mark], window: Window) -> int:
    """Return how many steps have a line without a label, because others are too near."""
    rows = _rows(marks, _milliseconds(window.began), _milliseconds(window.ended))
    return sum(row is None for row in rows)


def _draw(spec: Spec) -> str:
    import vl_convert  # noqa: PLC0415 - it brings a JavaScript engine, which only a drawing needs

    text = {"labelFont": "sans-serif", "labelFontSize": 11, "labelColor": "var(--muted)"}
    axis = text | {"domain": False, "ticks": False, "gridColor": "var(--grid)", "title": None, "labelPadding": 6}
    common: Spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "height": HEIGHT,
        "padding": _PADDING,
        "autosize": {"type": "none"},
        "background": None,
        "config": {"aria": False, "view": {"stroke": None}, "axis": axis, "text": {"font": "sans-serif"}},
    }
    # A plot is one picture with a name and a table; its strokes have none, so they are nothing to a screen reader.
    hidden = [layer | {"mark": layer["mark"] | {"aria": False}} for layer in spec["layer"]]
    drawn: str = vl_convert.vegalite_to_svg(common | spec | {"layer": hidden}, allowed_base_urls=[])
    return drawn


def _axis(field: str, kind: str, scale: Spec, axis: Spec) -> Spec:
    return {"field": field, "type": kind, "scale": scale, "axis": axis}


def _line_layers(series: Series, place: int, line: Line) -> list[Spec]:
    colour, dash, shape = _STYLES.get(line.name, _OTHER)
    values = [{"t": _end(series, index), "v": value} for index, value in enumerate(line.values)]
    drawn = {"type": "line", "stroke": colour, "strokeDash": dash, "strokeWidth": 1.8, "strokeCap": "butt"}
    known = [value is not None for value in line.values]
    alone = [
        values[index]
        for index in range(len(known))
        if known[index] and not any(known[max(0, index - 1) : index + 2 : 2])
    ]
    last = next((values[index] for index in reversed(range(len(known))) if known[index]), None)
    points = {"type": "point", "shape": shape, "filled": True, "fill": colour, "opacity": 1}
    return [
        {"name": f"line{place}", "data": {"values": values}, "mark": drawn},
        {"data": {"values": alone}, "mark": points | {"size": 16}},
        {"data": {"values": [last] if last else []}, "mark": points | {"size": 44}},
    ]


def _name_layers(series: Series, top: float, ended: int) -> list[Spec]:
    """Put the name of each line at the height where it ends, and so far apart that each can be read."""
    ends = []
    for line in series.lines:
        known = [value for value in line.values if value is not None]
        if known:
            ends.append((known[-1], line.name))
    gap, height = top * _LABEL_GAP, -top
    layers = []
    for value, name in sorted(ends):
        height = max(value, height + gap)
        mark = {"type": "text", "align": "left", "dx": 9, "fontSize": 11, "fontWeight": "bold", "limit": 56}
        mark |= {"fill": _STYLES.get(name, _OTHER)[0], "baseline": "middle", "text": name}
        layers.append({"data": {"values": [{"t": ended, "v": height}]}, "mark": mark})
    return layers


def _limit_layers(series: Series, top: float) -> list[Spec]:
    if series.limit is None or series.limit > top:
        return []
    data = {"values": [{"v": series.limit}]}
    label = f"limit {quantity(series.limit, series.unit)}"
    text = {"type": "text", "x": 4, "align": "left", "baseline": "bottom", "dy": -2, "fontSize": 10, "text": label}
    rule = {"type": "rule", "stroke": "var(--bad)", "strokeDash": [1, 3], "strokeWidth": 1.5}
    nowhere = {"x": None}
    return [
        {"data": data, "mark": rule, "encoding": nowhere},
        {"data": data, "mark": text | {"fill": "var(--bad)"}, "encoding": nowhere},
    ]


def _mark_layers(marks: Sequence[Mark], began: int, ended: int) -> list[Spec]:
    layers = []
    for mark, row in zip(marks, _rows(marks, began, ended), strict=True):
        undone = mark.verb in set(UNDOING)
        colour = "var(--bad)" if undone else "var(--muted)"
        data = {"values": [{"t": _milliseconds(mark.at)}]}
        whole: Spec = {"y": None}
        layers.append(
            {"data": data, "mark": {"type": "rule", "stroke": colour, "strokeDash": [4, 2]}, "encoding": whole}
        )
        if row is not None:
            label = f"{'back to ' if undone else ''}{mark.percentage} %"
            text = {"type": "text", "y": -6 - 12 * row, "align": "left", "fontSize": 10, "fill": colour, "text": label}
            layers.append({"data": data, "mark": text | {"baseline": "bottom", "dx": -4}, "encoding": whole})
    return layers


def _rows(marks: Sequence[Mark], began: int, ended: int) -> list[int | None]:
    """Return in which row above the plot each label finds a place; None where it finds none."""
    free = [-1.0] * _MARK_ROWS
    rows: list[int | None] = []
    for mark in marks:
        place = (_milliseconds(mark.at) - began) / max(1, ended - began)
        row = next((index for index, end in enumerate(free) if place >= end), None)
        if row is not None:
            free[row] = place + _MARK_GAP * (1.6 if mark.verb in set(UNDOING) else 1)
        rows.append(row)
    return rows


def _top(series: Series) -> float | None:
    """Return how far up the axis has to reach; None when there is nothing to draw."""
    known = [value for line in series.lines for value in line.values if value is not None]
    if not known:
        return None
    highest = max(known)
    if series.limit is not None and series.limit <= max(highest * _FAR, _SMALLEST.get(series.unit, 1.0)):
        highest = max(highest, series.limit)
    return highest * 1.05 or _SMALLEST.get(series.unit, 1.0)


def _axis_format(unit: Unit) -> str:
    return _AXIS_FORMATS.get(unit, "format(datum.value, '~s')")


def _time_format(window: Window) -> str:
    return "%b %-d" if window.seconds > 2 * 86400 else "%H:%M"


def _end(series: Series, index: int) -> int:
    """Return when a value's step ended, in milliseconds as Vega has moments."""
    return _milliseconds(series.began) + round((index + 1) * series.step_seconds * 1000)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
