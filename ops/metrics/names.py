"""Whether the metrics that a figure was read from exist: a renamed one would look like one that stands at 0."""

import re
from dataclasses import replace
from typing import TypeVar

from ops.metrics.server import SilentError
from ops.rollout.gates.look import Figure, Look, Sample

_METRIC = re.compile(r"\b(friday|gateway|haproxy)_\w+")
_VALUE = re.compile(r'"[^"]*"')
"""A label's value: proxies of the edge have names such as gateway_internal."""
_SUFFIX = re.compile(r"_(total|bucket|count|sum)$")

_Value = TypeVar("_Value")


def noting(figure: Figure[_Value], look: Look) -> tuple[_Value | None, list[str]]:
    """Return the figure and the expressions that were asked for it. Raises what `look` raises."""
    queries: list[str] = []

    def ask(expression: str, at: float) -> list[Sample]:
        queries.append(expression)
        return look.ask(expression, at)

    return figure.look(replace(look, ask=ask)), queries


def missing(queries: list[str], names: frozenset[str] | SilentError) -> str:
    """Return which metric of these expressions no part has although others of the part are there; "" when none.

    Client libraries name a metric before it has its first value, so one that is not named is not counted anywhere.
    """
    if isinstance(names, SilentError):
        return ""
    known = {_SUFFIX.sub("", name) for name in names}
    scraped = {name.partition("_")[0] for name in known}
    for query in queries:
        for found in _METRIC.finditer(_VALUE.sub("", query)):
            if found[1] in scraped and _SUFFIX.sub("", found[0]) not in known:
                return f"the metric {found[0]} is not among those of {found[1]}: was it renamed?"
    return ""
