"""What a call costs the gateway, beside stock LiteLLM's proxy of the same version, models and metrics.

All containers answer in turn, against an upstream that answers at once. A gateway may use one processor, and what asks
it and what it asks use the others.
"""

import os
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.calls import Spent, chat, spent
from benchmarks.figures import Figure
from benchmarks.gateways import OURS, STOCK, Gateway, of_checkout, running, stock
from benchmarks.instant_upstream import instant_upstream
from benchmarks.measures.memory import MEGABYTE, used
from benchmarks.test_stack import TestStack
from testing.project import ROOT

CALLS, CALLERS = 300, 8
WARM_UP_CALLS = 100
SHARE = 0.25
"""Of a processor, for chats a second: a gateway that is quicker than those who ask it would show their pace."""
ALL_CALLS = 10_000
STREAMS, STREAM_CALLERS = 8, 4
EVENTS, FEW_EVENTS = 200, 2
EVERY_MS = 5
"""Between two events of a stream, so that each is an event of its own for the gateway too."""
CHAT, EVENT, RATE, START, MEMORY = "chat", "event", "rate", "start", "memory"
UNITS = {CHAT: "ms", EVENT: "ms", RATE: "/s", START: "s", MEMORY: "MB"}
WORDS = {
    CHAT: "processor time of a plain chat",
    EVENT: "processor time of a streamed event",
    RATE: "chats a second on one processor",
    START: "start to ready",
    MEMORY: f"memory after {ALL_CALLS:,} calls",
}
TARGETS = {CHAT: 0.45, START: 0.8, MEMORY: 0.85}
"""The most that ours may be of stock's."""
LEAST_RATE = 2.0
"""The least that ours may be of stock's; the table wants the most, so it judges the inverse."""

Found = dict[str, dict[str, list[float]]]
"""What was measured, by its name and the gateway's."""


def gateways(stack: TestStack) -> list[Gateway]:
    """Return what is compared: this checkout's gateway, those of the checkouts that the run names, and stock."""
    ours = of_checkout(ROOT, OURS)
    others = [of_checkout(checkout, checkout.name) for checkout in stack.comparison.beside]
    return [ours, *others, stock(ours)]


def beside_stock(stack: TestStack) -> list[Figure]:
    """Start each gateway in turn, and let it answer chats and streams; round by round, each begins with another."""
    found: Found = defaultdict(lambda: defaultdict(list))
    busy: list[float] = []
    compared = gateways(stack)
    with _kept_off_the_last_processor() as last, instant_upstream() as upstream:
        for number in range(stack.comparison.rounds):
            for gateway in in_turn(compared, number):
                with running(gateway, upstream, processor=last) as run:
                    found[START][gateway.name].append(run.ready_seconds)
                    spent(run, chat(run), WARM_UP_CALLS, CALLERS)
                    calls = spent(run, chat(run), CALLS, CALLERS)
                    found[CHAT][gateway.name].append(calls.milliseconds)
                    with run.limited(SHARE):
                        short = spent(run, chat(run), CALLS, CALLERS)
                    found[RATE][gateway.name].append(short.rate / SHARE)
                    busy.append(short.busy / SHARE)
                    streams = [
                        spent(run, chat(run, stream=True, events=events, every=EVERY_MS), count, STREAM_CALLERS)
                        for events, count in ((EVENTS, STREAMS), (FEW_EVENTS, 4 * STREAMS))
                    ]
                    found[EVENT][gateway.name].append(of_one_event(*streams))
    used_up = f"the gateways used {min(busy):.0%} to {max(busy):.0%} of the {SHARE:.0%} of a processor that they had"
    notes = {CHAT: f"of {CALLS} calls", RATE: used_up}
    return [each for what in (CHAT, EVENT, RATE, START) for each in figures(what, found[what], notes.get(what, ""))]


def gateway_memory(stack: TestStack) -> list[Figure]:
    """Let each gateway answer as many calls, and compare what its control group then holds."""
    found: dict[str, list[float]] = {}
    with instant_upstream() as upstream:
        for gateway in gateways(stack):
            with running(gateway, upstream) as run:
                spent(run, chat(run), ALL_CALLS, CALLERS)
                found[gateway.name] = [used(run.memory()) / MEGABYTE]
    return figures(MEMORY, found, "usage without inactive file cache, as docker stats shows it")


def in_turn(compared: Sequence[Gateway], number: int) -> list[Gateway]:
    """Return all, beginning with another one in each round: none always follows the same one."""
    first = number % len(compared)
    return [*compared[first:], *compared[:first]]


def of_one_event(many: Spent, few: Spent) -> float:
    """Return the milliseconds of processor time that one more event of a stream takes."""
    return (many.milliseconds - few.milliseconds) / (EVENTS - FEW_EVENTS)


def figures(what: str, found: dict[str, list[float]], note: str) -> list[Figure]:
    """Return the figure of each gateway, and ours as a share of each other one's, round by round."""
    made = [
        Figure(f"{name}: {WORDS[what]}", None, UNITS[what], tuple(values), note if name == OURS else "")
        for name, values in found.items()
    ]
    for name, ratios in of_others(found).items():
        if what == RATE:
            made.append(_rate(name, ratios))
        else:
            target = TARGETS.get(what) if name == STOCK else None
            made.append(Figure(f"{WORDS[what]}, ours of {name}'s", target, "times", ratios))
    return made


def of_others(found: dict[str, list[float]]) -> dict[str, tuple[float, ...]]:
    """Return ours by each other one's, round by round."""
    return {
        name: tuple(ours / other for ours, other in zip(found[OURS], values, strict=True))
        for name, values in found.items()
        if name != OURS
    }


def _rate(name: str, ratios: tuple[float, ...]) -> Figure:
    note = f"ours answers {statistics.median(ratios):.2f} times as many"
    target = 1 / LEAST_RATE if name == STOCK else None
    return Figure(f"{WORDS[RATE]}, {name}'s of ours", target, "times", tuple(1 / each for each in ratios), note)


@contextmanager
def _kept_off_the_last_processor() -> Iterator[int | None]:
    """Leave one processor to the gateways while this runs; what is started meanwhile keeps off it too.

    Yields its number, or None where there is only one.
    """
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        yield None
        return
    last = max(allowed)
    os.sched_setaffinity(0, allowed - {last})
    try:
        yield last
    finally:
        os.sched_setaffinity(0, allowed)
