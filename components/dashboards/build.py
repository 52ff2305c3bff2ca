"""Makes a stack's dashboards of what is shown: queries from the indicators, thresholds from the stack's gates."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from components.dashboards.model import (
    UID_LENGTH,
    Annotation,
    Annotations,
    Dashboard,
    Defaults,
    FieldConfig,
    Panel,
    Place,
    Row,
    Step,
    Target,
    Thresholds,
    Unit,
    Variable,
    Variables,
)
from components.dashboards.shown import PAGES, Page, Section, Shown, has_friday
from components.settings.stack import StackSettings
from indicators import INDICATORS, Indicator, promql
from indicators.selectors import FRIDAY

_UNITS: dict[str, Unit] = {
    "ratio": "percentunit",
    "seconds": "s",
    "count": "short",
    "dollars": "currencyUSD",
    "percent": "percent",
    "flag": "short",
}
_COLUMNS = 24
_HEIGHTS = {"timeseries": 8, "stat": 4}
_GOOD, _BAD = "green", "red"
_PAGE = "docs/MONITORING.md says more."
# How much of a plot one point of it is. Counts are exact in each point, and no call is in two of them.
_FINEST, _SMOOTH = "1m", "5m"


def dashboards(stack: str, settings: StackSettings) -> dict[str, Dashboard]:
    """Return the dashboards of a stack by their names."""
    return {page.name: _dashboard(stack, settings, page) for page in PAGES}


def _dashboard(stack: str, settings: StackSettings, page: Page) -> Dashboard:
    return Dashboard(
        uid=_uid(f"friday-{page.name}-{stack}"),
        title=f"Friday {stack}: {page.title}",
        description=f"{page.says} {_PAGE}",
        tags=("friday-litellm", stack),
        panels=tuple(_panels(stack, settings, page.sections)),
        templating=Variables(list=(Variable(name="datasource", label="Prometheus", query="prometheus"),)),
        annotations=Annotations(list=(_STEPS,) if has_friday(settings) else ()),
        time={"from": "now-6h", "to": "now"},
    )


def _uid(name: str) -> str:
    """Return a name as Grafana takes it, shortened by a digest where it does not."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    if plain == name and len(name) <= UID_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: UID_LENGTH - 1 - len(digest)]}-{digest}"


_STEPS = Annotation(
    name="Rollout steps",
    expr=f"max({FRIDAY}) != max({FRIDAY} offset 1m)",
    step="60s",
    title_format="rollout percentage",
    text_format="{{value}} %",
)
"""A mark wherever the percentage changed."""


def _panels(stack: str, settings: StackSettings, sections: Sequence[Section]) -> Iterator[Panel | Row]:
    """Yield headings and panels from the left to the right, and line by line."""
    ids, y = count(1), 0
    for section in sections:
        shown = [each for each in section.panels if each.joins(settings)]
        if not shown:
            continue
        yield Row(id=next(ids), title=section.title, grid_pos=Place(x=0, y=y, w=_COLUMNS, h=1))
        y, x, height = y + 1, 0, 0
        for each in shown:
            if x + each.width > _COLUMNS:
                y, x, height = y + height, 0, 0
            place = Place(x=x, y=y, w=each.width, h=_HEIGHTS[each.kind])
            yield _panel(next(ids), settings, each, place, _description(stack, each))
            x, height = x + each.width, max(height, place.h)
        y += height


def _panel(number: int, settings: StackSettings, shown: Shown, place: Place, description: str) -> Panel:
    indicators = [INDICATORS[name] for name in shown.indicators]
    first = indicators[0]
    is_stat = shown.kind == "stat"
    counts = _is_counted(first)
    custom: dict[str, Any] = {} if is_stat else _drawn(counts, _limit(settings, first.name) is not None)
    return Panel(
        id=number,
        type=shown.kind,
        title=shown.title,
        description=description,
        grid_pos=place,
        interval=_FINEST if counts else _SMOOTH,
        targets=tuple(
            _target(letter, each, is_stat, counts) for letter, each in zip("ABCDEFGH", indicators, strict=False)
        ),
        options=_stat_options() if is_stat else _plot_options(),
        field_config=FieldConfig(
            defaults=Defaults(
                unit=_UNITS[first.unit],
                min=0,
                no_value="no calls" if first.unit in ("ratio", "seconds") else "none",
                thresholds=_thresholds(settings, first.name),
                color={"mode": "thresholds" if is_stat else "palette-classic"},
                custom=custom,
            )
        ),
    )


def _is_counted(indicator: Indicator) -> bool:
    """Return whether its numbers add up: they are drawn as bars, each the sum of its own time."""
    return indicator.unit == "dollars" or (indicator.unit in ("count", "seconds") and _rises(indicator))


def _rises(indicator: Indicator) -> bool:
    return "resets(" in indicator.expression(_FINEST) and not indicator.expression(_FINEST).startswith("histogram")


def _target(letter: str, indicator: Indicator, is_stat: bool, counts: bool) -> Target:
    window = "$__range" if is_stat else "$__interval" if counts else "$__rate_interval"
    expression = indicator.expression(window)
    if counts and indicator.by:
        expression = promql.or_none(expression, indicator.by[0])
    return Target(
        ref_id=letter,
        expr=expression,
        legend_format=" · ".join(f"{{{{{label}}}}}" for label in indicator.by) or indicator.title,
        instant=is_stat,
        range=not is_stat,
    )


def _description(stack: str, shown: Shown) -> str:
    """Return what a panel shows and what to do, each once; the names lead to the page of the queries."""
    indicators = [INDICATORS[name] for name in shown.indicators]
    said = dict.fromkeys(f"{each.title}: {each.says}." for each in indicators)
    done = dict.fromkeys(f"{each.do[:1].upper()}{each.do[1:]}." for each in indicators)
    names = ", ".join(each.name for each in indicators)
    text = "\n\n".join((*said, "What to do:", *done, f"Indicators: {names}. {_PAGE}"))
    return text.replace("STACK", stack)


def _limit(settings: StackSettings, name: str) -> float | None:
    """Return from where on an indicator is bad, as the stack's gates say it; None where none does."""
    gates = settings.gates
    errors = gates.errors.maximum_percent / 100
    fallbacks = gates.fallbacks.maximum_percent / 100
    limits = {
        **dict.fromkeys(("error_rate", "direct_error_rate", "all_error_rate"), errors),
        **dict.fromkeys(("edge_error_rate", "edge_chats_error_rate"), errors),
        **dict.fromkeys(("fallback_rate", "edge_fallback_rate"), fallbacks),
        **{
            f"{whose}_p{share * 100:.0f}": target
            for whose in ("latency", "direct_latency")
            for share, target in gates.latency.targets.items()
        },
        "overhead_p50": gates.overhead.p50_milliseconds / 1000,
        "quota_used": gates.quota.usable_percent / 100,
        "gateway_up": gates.gateway.minimum_up_percent / 100,
        "spend": 0.0,
        "alerts_firing": 1.0,
    }
    return limits.get(name)


_LOW_IS_BAD = ("gateway_up", "friday_up")


def _thresholds(settings: StackSettings, name: str) -> Thresholds:
    limit = _limit(settings, name)
    if limit is None:
        return Thresholds(steps=(Step(value=None, color=_GOOD),))
    if name in _LOW_IS_BAD:
        return Thresholds(steps=(Step(value=None, color=_BAD), Step(value=limit, color=_GOOD)))
    # A colour begins at its value, and money may be exactly 0.
    return Thresholds(steps=(Step(value=None, color=_GOOD), Step(value=limit or 1e-9, color=_BAD)))


def _drawn(counts: bool, has_limit: bool) -> dict[str, Any]:
    line = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "auto", "spanNulls": False}
    bars = {"drawStyle": "bars", "lineWidth": 1, "fillOpacity": 60, "stacking": {"mode": "normal", "group": "A"}}
    return {**(bars if counts else line), "thresholdsStyle": {"mode": "dashed" if has_limit else "off"}}


def _plot_options() -> dict[str, Any]:
    return {
        "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _stat_options() -> dict[str, Any]:
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
    }
