"""What Friday's client costs while 100 users ask at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.calls import CLIENT, PLAIN, POOLS, apart
from benchmarks.crowd import told
from benchmarks.figures import Figure
from benchmarks.stage import Stage
from benchmarks.upstream import simulator

UPSTREAM_MS = 300


def measure(_: Stage) -> list[Figure]:
    """Compare invoke_llm with httpx alone, both against a simulator in another process."""
    with simulator(UPSTREAM_MS) as url:
        found = apart("processor", url)
    ways = found.numbers
    note = "a call costs " + ", ".join(f"{name} {_spread(values)}" for name, values in ways.items())
    return [
        Figure(
            "100 users at once: failed calls",
            0,
            "calls",
            (sum(found.failed.values()),),
            told(found.calls, found.failed),
        ),
        Figure("client adds to plain httpx, processor time", 1, "ms", added(ways, PLAIN), note),
        Figure("client adds to httpx on its own pools", 1, "ms", added(ways, POOLS)),
    ]


def added(ways: Mapping[str, Sequence[float]], bare: str) -> tuple[float, ...]:
    """Return what a call of invoke_llm costs more than one of `bare`, round by round."""
    return tuple(client - other for client, other in zip(ways[CLIENT], ways[bare], strict=True))


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f} ms"
