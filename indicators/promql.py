"""Prometheus' language: how counters and histograms are asked for.

A window is a duration of that language, such as `5m`, or a dashboard's variable for one, such as `$__rate_interval`.
"""

import math
import re
from collections.abc import Iterable

_EXACT_SECONDS = 600.0
"""Up to here each duration of a histogram is counted: an estimate would make the few calls of a watch more or fewer."""

_REMEMBERED = "1h"
"""How long before a window a counter may have been seen last. What was away for longer counts as new."""

_SHORT = ("$__interval", "$__rate_interval")
"""A dashboard's variables for the window of one point of a plot."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PIECE = re.compile(r"(\d+)(ms|[smhdw])")


def counted(metric: str, window: str, by: Iterable[str] = ()) -> str:
    """Return the expression of how far a counter rose within the last `window`, exactly.

    `increase` would miss all that a new series counted before it was first scraped: the first error of its kind, the
    first dollar. So a series that was not there before the window counts from 0, and so does one that begins the window
    below where it stood. Where it stood is what was last seen, `_REMEMBERED` ago at most: Prometheus may have been away
    as the window began. `increase` is for what was reset within the window, as counters are that do not say which life
    of their process they are of (`serving/exposition.py`).
    """
    within = f"{metric}[{window}]"
    highest = f"max_over_time({within})"
    before = f"(last_over_time({metric}[{_REMEMBERED}] offset {window}) <= min_over_time({within}) or {highest} * 0)"
    return f"sum by ({', '.join(by)}) ((increase({within}) and resets({within}) > 0) or {highest} - {before})"


def rising(metric: str, window: str, by: Iterable[str] = ()) -> str:
    """Return the expression of a counter's increase, for the many series of a histogram: quicker, and near enough."""
    return f"sum by ({', '.join(by)}) (increase({metric}[{window}]))"


def buckets(metric: str, window: str, by: Iterable[str] = ()) -> str:
    """Return the expression of a histogram's buckets by `le` and further labels: exact within ten minutes.

    The window of one point of a plot is as short, unless somebody looks at weeks.
    """
    length = seconds(window)
    is_short = window in _SHORT if length is None else length <= _EXACT_SECONDS
    return (counted if is_short else rising)(metric, window, (*by, "le"))


def quantile(share: float, metric: str, window: str, by: Iterable[str] = ()) -> str:
    """Return the expression of the duration that `share` (0 to 1) of all stay below; `metric` names the buckets.

    NaN without a call in the window.
    """
    return f"histogram_quantile({share:g}, {buckets(metric, window, by)})"


def ratio(part: str, whole: str, by: Iterable[str] = ()) -> str:
    """Return the expression of a part's share in the whole: 0 where there is no part, NaN where the whole is 0."""
    labels = ", ".join(by)
    none = f"{whole} * 0" if labels else "vector(0)"
    return f"(({part}) or {none}) / {f'on ({labels}) ' if labels else ''}({whole})"


def or_none(expression: str, label: str) -> str:
    """Return an expression that is one 0 with the label `none` where nothing was counted, so that a plot shows it."""
    return f'({expression}) or on () label_replace(vector(0), "{label}", "none", "", "")'


def risen(metric: str, window: str) -> str:
    """Return the expression of how far a counter rose within `window`, to be asked of many moments.

    By what two samples show: `increase` would spread it over the whole range by where its samples happen to be, which
    Prometheus 2 and 3 count differently. A series that is new, or was reset, counts from 0. One that was away for a
    while counts nothing for that time: its whole life is no minute's.
    """
    before = f"offset {window}"
    return (
        f"sum (({metric} - {metric} {before} >= 0) or {metric} < {metric} {before}"
        f" or ({metric} unless last_over_time({metric}[1h] {before})))"
    )


def sampled(function: str, expression: str, window: str, every: str = "") -> str:
    """Return a function over time of an expression, sampled `every` so often; "": as often as rules are evaluated."""
    return f"{function}(({expression})[{window}:{every}])"


def step(length: float, finest: float = 5) -> float:
    """Return the seconds between two of at most 2,880 samples (each minute of 48 h) of a window of so many seconds."""
    return max(finest, math.ceil(length / 2880))


def duration(length: float) -> str:
    """Return seconds as Prometheus writes them; never 0, which it refuses."""
    return f"{max(1, round(length * 1000))}ms"


def seconds(window: str) -> float | None:
    """Return the seconds of a duration such as `1h30m`, None for a dashboard's variable."""
    pieces = _PIECE.findall(window)
    if not pieces or "".join(number + unit for number, unit in pieces) != window:
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in pieces)
