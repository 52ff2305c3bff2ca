"""Load that goes on while something is done to a stack."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.chat import PATH_HEADER, PERCENTAGE_HEADER, chat
from benchmarks.crowd import told
from benchmarks.figures import Figure
from benchmarks.http_client import Request
from benchmarks.load import Plan, Record, run, summarise

RATE = 50.0
"""Requests a second."""
BEFORE_SECONDS = 3.0
AFTER_SECONDS = 3.0
MOST_SECONDS = 240.0


@dataclass(frozen=True)
class Done:
    """What the users saw. It was done `began` seconds after the load's beginning, and took `seconds`."""

    records: list[Record]
    began: float
    seconds: float

    @property
    def failures(self) -> dict[str, int]:
        """Return how often each error was met."""
        return summarise(self.records).errors

    @property
    def worst_lag(self) -> float:
        """Return how late the load generator was at worst, in milliseconds."""
        return summarise(self.records).worst_lag_ms

    def last(self, header: str, value: str, *, started: bool = False) -> float:
        """Return when the last answer with this header ended, or its request started, in seconds from `began`.

        Raises RuntimeError when no answer had it: the load did not meet what it was to meet.
        """
        met = [record for record in self.records if record.headers.get(header) == value]
        if not met:
            raise RuntimeError(f"no answer with {header}: {value} was seen")
        return max(record.start + (0 if started else record.duration) for record in met) - self.began


def under_load(url: str, action: Callable[[], float], seed: int = 0, rate: float = RATE) -> Done:
    """Let users 0 to 99 ask in turn, `rate` a second, while `action`, which returns its seconds, is done."""
    return asyncio.run(_under_load(url, action, seed, rate))


async def _under_load(url: str, action: Callable[[], float], seed: int, rate: float) -> Done:
    over = asyncio.Event()
    plan = Plan(
        url,
        rate,
        request=chat_of_number,
        seconds=MOST_SECONDS,
        seed=seed,
        picked_headers=(PATH_HEADER, PERCENTAGE_HEADER),
        until=over.is_set,
    )
    begun = time.perf_counter()
    load = asyncio.create_task(run(plan))
    try:
        await asyncio.sleep(BEFORE_SECONDS)
        began = time.perf_counter() - begun
        seconds = await asyncio.to_thread(action)
        await asyncio.sleep(AFTER_SECONDS)
    finally:
        over.set()
        records = await load
    return Done(records, began, seconds)


def chat_of_number(number: int) -> Request:
    """Return the question of user `number % 100`."""
    return chat(number % 100)


def lost(what: str, target: float | None, loads: Sequence[Done]) -> Figure:
    """Return how many requests failed altogether, of how many, of what, and how late the load generator was."""
    failed = sum((Counter(done.failures) for done in loads), Counter[str]())
    late = f"the load generator was at most {max(done.worst_lag for done in loads):.0f} ms late"
    note = told(sum(len(done.records) for done in loads), failed)
    return Figure(what, target, "requests", (failed.total(),), f"{note}; {late}")


def last_of_old(what: str, target: float | None, changes: Sequence[tuple[Done, str]]) -> list[Figure]:
    """Return when the old replicas of each change took their last request, and when its last answer had ended.

    A change comes with the percentage, as text, that the old replicas had. What an old replica has taken it answers to
    the end, so the second figure grows with the answers' length; both are judged by `target`, in seconds.
    """
    taken = tuple(done.last(PERCENTAGE_HEADER, old, started=True) for done, old in changes)
    answered = tuple(done.last(PERCENTAGE_HEADER, old) for done, old in changes)
    return [
        Figure(f"{what}last request taken by an old replica", target, "s", taken),
        Figure(f"{what}last answer of an old replica", target, "s", answered),
    ]
