"""Load that goes on while a stack is changed."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.figures import Figure
from benchmarks.http_client import PERCENTAGE_HEADER, Request, chat_of_number
from benchmarks.load import Enough, Plan, Record, beside, describe, errors, run, worst_delay
from benchmarks.web_sockets import Held, hold

RATE = 50.0
"""Requests a second."""
BEFORE_SECONDS = 3.0
AFTER_SECONDS = 3.0
_Found = TypeVar("_Found")


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
    records, began, seconds = during(action, lambda enough: run(Plan(url, rate, seed=seed, until=enough)))
    return LoadDuring(records, began, seconds)


def chats_and_sockets(
    url: str,
    action: Callable[[], float],
    rate: float,
    sockets: int,
    request: Callable[[int], Request] = chat_of_number,
    headers: Mapping[str, str] | None = None,
) -> tuple[LoadDuring, Held]:
    """Let users ask, `rate` a second, and others hold web sockets at /ws, while `action` runs, as in `under_load`."""

    async def both(enough: Enough) -> tuple[list[Record], Held]:
        async with asyncio.TaskGroup() as running:
            held = running.create_task(hold(f"{url.replace('http', 'ws', 1)}/ws", sockets, headers or {}, enough))
            records = await run(Plan(url, rate, request, until=enough))
        return records, held.result()

    (records, held), began, seconds = during(action, both)
    return LoadDuring(records, began, seconds), held


def during(
    action: Callable[[], float], load: Callable[[Enough], Coroutine[Any, Any, _Found]]
) -> tuple[_Found, float, float]:
    """Let a load go on while `action` runs, and a while before and after it.

    Returns what the load found, when the action began, and its seconds.
    """

    async def change() -> tuple[float, float]:
        begun = time.perf_counter()
        await asyncio.sleep(BEFORE_SECONDS)
        began = time.perf_counter() - begun
        seconds = await asyncio.to_thread(action)
        await asyncio.sleep(AFTER_SECONDS)
        return began, seconds

    found, (began, seconds) = asyncio.run(beside(change(), load))
    return found, began, seconds


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
