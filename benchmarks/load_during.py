"""Load that goes on while a stack is changed."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure
from benchmarks.http_client import PERCENTAGE_HEADER
from benchmarks.load import Plan, Record, beside, describe, errors, run, worst_delay

RATE = 50.0
"""Requests a second."""
BEFORE_SECONDS = 3.0
AFTER_SECONDS = 3.0


@dataclass(frozen=True)
class LoadDuring:
    """What the users saw. The change began `began` seconds after the load, and took `seconds`."""

    records: list[Record]
    began: float
    seconds: float

    def last(self, header: str, value: str, *, started: bool = False) -> float:
        """Return when the last answer with this header ended, or its request started, in seconds from `began`.

        Raises RuntimeError when no answer had it: the load did not meet what it was meant to meet.
        """
        met = [record for record in self.records if record.headers.get(header) == value]
        if not met:
            raise RuntimeError(f"no answer with {header}: {value} was seen")
        return max(record.start + (0 if started else record.duration) for record in met) - self.began


def under_load(url: str, action: Callable[[], float], seed: int = 0, rate: float = RATE) -> LoadDuring:
    """Let users 0 to 99 ask in turn, `rate` a second, while `action` runs, which returns its seconds."""

    async def change() -> tuple[float, float]:
        begun = time.perf_counter()
        await asyncio.sleep(BEFORE_SECONDS)
        began = time.perf_counter() - begun
        seconds = await asyncio.to_thread(action)
        await asyncio.sleep(AFTER_SECONDS)
        return began, seconds

    load = beside(change(), lambda enough: run(Plan(url, rate, seed=seed, until=enough)))
    records, (began, seconds) = asyncio.run(load)
    return LoadDuring(records, began, seconds)


def failed_requests(what: str, target: float | None, loads: Sequence[LoadDuring]) -> Figure:
    """Return how many requests failed altogether, of how many, with which errors, and how late the generator was."""
    records = [record for load in loads for record in load.records]
    failed = errors(records)
    note = f"{describe(len(records), failed)}; the load generator was at most {worst_delay(records):.0f} ms late"
    return Figure(what, target, "requests", (failed.total(),), note)


def last_of_old(what: str, target: float | None, changes: Sequence[tuple[LoadDuring, str]]) -> list[Figure]:
    """Return when the old replicas of each change took their last request, and when its last answer had ended.

    A change comes with the percentage, as text, that the old replicas had. What an old replica has taken it answers to
    the end, so the second figure grows with the answers' length; both are judged by `target`, in seconds.
    """
    taken = tuple(load.last(PERCENTAGE_HEADER, old, started=True) for load, old in changes)
    answered = tuple(load.last(PERCENTAGE_HEADER, old) for load, old in changes)
    return [
        Figure(f"{what}last request taken by an old replica", target, "s", taken),
        Figure(f"{what}last answer of an old replica", target, "s", answered),
    ]
