"""What an indicator is: a number with a name, a unit, words, and its expression in Prometheus' language."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from indicators import promql

Unit = Literal["ratio", "seconds", "count", "dollars", "percent", "flag"]
"""`ratio` is 0 to 1, `percent` 0 to 100, `flag` 0 or 1."""

Expression = Callable[[str], str]
"""Returns the PromQL over a window: a duration such as `5m`, or a dashboard's variable such as `$__rate_interval`."""


@dataclass(frozen=True)
class Indicator:
    """A service level indicator.

    `says` is what it counts, `do` what to do about it, with STACK for a stack's name. The result of its `expression`
    has the labels `by`; without any it is one value.
    """

    name: str
    title: str
    unit: Unit
    says: str
    do: str
    expression: Expression
    by: tuple[str, ...] = ()


def percent(share: float) -> str:
    """Return a share of 1 as people read it: 0.5 %, 12 %."""
    return f"{share * 100:.3g} %"


def count(metric: str, *by: str) -> Expression:
    """Return how far a counter rose, by some of its labels."""
    return lambda window: promql.counted(metric, window, by)


def share(part: str, whole: str) -> Expression:
    """Return how much of what a counter counts another one does, 0 to 1."""
    return lambda window: promql.ratio(promql.counted(part, window), promql.counted(whole, window))


def quantile(below: float, metric: str, *by: str) -> Expression:
    """Return the duration in seconds that the share `below` of a histogram's stays within."""
    return lambda window: promql.quantile(below, metric, window, by)
