"""Reads a plot as a person does: the axis says which height is which value, and the lines are at heights."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from ops.report.page_plot import HEIGHT, WIDTH

_SVG = "{http://www.w3.org/2000/svg}"
_PLACE = re.compile(r"translate\((-?[\d.e-]+),\s*(-?[\d.e-]+)\)")
_POINT = re.compile(r"([ML])(-?[\d.e-]+),(-?[\d.e-]+)")
_UNITS = {"%": 0.01, "s": 1.0, "": 1.0, "k": 1000.0}
_BASELINE = 3  # pixels by which the text of a label is below its line


@dataclass(frozen=True)
class Drawn:
    """What is seen: `lines` hold, in the order of the series, (place from 0 to 1, value) of each stretch.

    `rules` are the places of vertical lines.
    """

    lines: list[list[list[tuple[float, float]]]]
    dashes: list[str]
    rules: list[float]
    texts: list[str]


def read(svg: str) -> Drawn:
    """Return what a plot shows. AssertionError when it has no axis of values."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - drawn by ourselves
    labels = sorted(_labels(root))
    assert len(labels) > 1, "an axis has at least two labels"
    (low, bottom), (high, top) = labels[0], labels[-1]

    def value(height: float) -> float:
        return low + (bottom - height) / (bottom - top) * (high - low)

    lines, dashes = [], []
    groups = [group for group in root.iter(f"{_SVG}g") if "mark-line role-mark" in group.get("class", "")]
    for group in sorted(groups, key=lambda group: int(re.findall(r"line(\d+)_", group.get("class", ""))[0])):
        stretches: list[list[tuple[float, float]]] = []
        for path in group.iter(f"{_SVG}path"):
            for move, x, y in _POINT.findall(path.get("d", "")):
                if move == "M":
                    stretches.append([])
                stretches[-1].append((float(x) / WIDTH, value(float(y))))
            dashes.append(path.get("stroke-dasharray", ""))
        lines.append(stretches)
    return Drawn(lines, dashes, _rules(root), [text.text or "" for text in root.iter(f"{_SVG}text")])


def _labels(root: ElementTree.Element) -> list[tuple[float, float]]:
    """Return the value and the height of each label beside the plot."""
    found = []
    for text in root.iter(f"{_SVG}text"):
        x, y = _place(text)
        if text.get("text-anchor") == "end" and x < 0:
            count, unit = re.fullmatch(r"([\d.]+)\s*(\D?)", text.text or "", re.ASCII).groups()  # type: ignore[union-attr]
            found.append((float(count) * _UNITS[unit], y - _BASELINE))
    return found


def _rules(root: ElementTree.Element) -> list[float]:
    """Return where the vertical lines over the whole height are, from 0 to 1."""
    found = []
    for group in root.iter(f"{_SVG}g"):
        if "mark-rule role-mark" in group.get("class", ""):
            for rule in group.iter(f"{_SVG}line"):
                if abs(float(rule.get("y2", "0"))) == HEIGHT:
                    found.append(_place(rule)[0] / WIDTH)
    return found


def _place(element: ElementTree.Element) -> tuple[float, float]:
    found = _PLACE.search(element.get("transform", ""))
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)
