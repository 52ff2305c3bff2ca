"""How the page writes numbers, moments and spans. What is not known is a word, never 0."""

import math
from datetime import datetime, timedelta

from ops.report.model import Unit, Window
from ops.rollout.steps import in_words

UNKNOWN = "unknown"
_NOUNS = {
    Unit.CALLS: "call",
    Unit.REQUESTS: "request",
    Unit.TOKENS: "token",
    Unit.VOTES: "vote",
}


def number(value: float | None) -> str:
    """Return a number with about three figures and no more digits than it has; 12,345 keeps all before the point."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size == 0 or size >= 100:
        return f"{value:,.0f}"
    digits = 2 - math.floor(math.log10(size))
    text = f"{value:.{min(digits, 9)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float | None, unit: Unit) -> str:
    """Return a value with its unit: 0.4 %, 840 ms, $0.00, 1,204 calls."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if unit == Unit.SHARE:
        return f"{number(value * 100)} %"
    if unit == Unit.SECONDS:
        return f"{number(value * 1000)} ms" if 0 < abs(value) < 1 else f"{number(value)} s"
    if unit == Unit.DOLLARS:  # what is not zero must not look like it
        return f"${value:.2f}" if value == 0 or abs(value) >= 0.01 else f"${number(value)}"
    return f"{number(value)} {_NOUNS[unit]}{'' if value == 1 else 's'}"


def signed(value: float | None, unit: Unit) -> str:
    """Return a difference with its sign; of shares it is in percentage points."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = quantity(abs(value), unit)
    points = f"{text.removesuffix(' %')} points" if unit == Unit.SHARE else text
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{points}"  # noqa: RUF001 - a minus as long as the plus


def moment(at: datetime) -> str:
    """Return a moment to the minute, in UTC as everything of a stack is."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def length(seconds: float) -> str:
    """Return how long something takes: 7 days, 26 h, 3 min."""
    days = seconds / 86400
    if days >= 2:
        return f"{days:.0f} days" if abs(days - round(days)) < 0.01 else f"{days:.1f} days"
    return in_words(timedelta(seconds=seconds))


def window_words(window: Window) -> str:
    """Return over what a number was taken: 24 h to 2026-11-30 18:40 UTC."""
    return f"{length(window.seconds)} to {moment(window.ended)}"
