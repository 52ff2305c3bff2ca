"""Load: requests at a given rate, which do not wait for earlier ones, or users who ask again once they are answered."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from benchmarks.http_client import TIMEOUT_SECONDS, Request, Response, Send, chat_of_number, client

MOST_SECONDS = 240.0
USERS = 100
"""As many as the migration plan tests."""
OK = "ok"

Ask = Callable[[int], Awaitable[object]]
"""One request of a user."""
Judge = Callable[[Response], str | None]
"""Says what is wrong with an answer; None for a good one."""
Enough = Callable[[], bool]
"""Asked before each request; no more are sent once it returns true."""
_Found = TypeVar("_Found")
_Done = TypeVar("_Done")


def by_status(response: Response) -> str | None:
    """Judge an answer by its status alone."""
    return None if response.ok else f"status {response.status}"


@dataclass(frozen=True)
class Plan:
    """What to send and when: `rate` requests a second, at random times (Poisson), the same ones for the same seed."""

    url: str
    rate: float
    request: Callable[[int], Request] = chat_of_number
    """The request of each number, from 0."""
    seconds: float = MOST_SECONDS
    seed: int = 0
    timeout: float = TIMEOUT_SECONDS
    until: Enough = lambda: False
    judge: Judge = by_status


@dataclass(frozen=True)
class Record:
    """One request. `start` and `due` in seconds from the beginning of the run, `duration` in seconds.

    `start - due` is how late the generator itself was; a large delay spoils the measurement.
    """

    number: int
    due: float
    start: float
    duration: float
    error: str | None
    """None for an answer that the plan's judge finds good."""
    headers: Mapping[str, str]
    """Of the answer."""


def due_times(plan: Plan) -> Iterator[float]:
    """Yield the seconds from the start at which requests are due."""
    rng = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
    due = rng.expovariate(plan.rate)
    while due <= plan.seconds:
        yield due
        due += rng.expovariate(plan.rate)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of the sorted values do not exceed."""
    if not values or not 0 <= share <= 1:
        raise ValueError("percentile: needs values, and a share between 0 and 1")
    rank = -(-share * len(values) // 1)
    return values[max(0, int(rank) - 1)]


def milliseconds(records: Sequence[Record]) -> list[float]:
    """Return the sorted durations of the answers."""
    return sorted(record.duration * 1000 for record in records if record.error is None)


def errors(records: Sequence[Record]) -> Counter[str]:
    """Return how often each error occurred."""
    return Counter(record.error for record in records if record.error is not None)


def worst_delay(records: Sequence[Record]) -> float:
    """Return how late the generator was at worst, in milliseconds."""
    return max((record.start - record.due for record in records), default=0.0) * 1000


def describe(calls: int, failed: Mapping[str, int]) -> str:
    """Return text for a note: of how many calls, and which failures."""
    return f"of {calls}" + "".join(f", {count} {name}" for name, count in failed.items())


async def run(plan: Plan) -> list[Record]:
    """Carry out the plan. Raises TargetError for a host that is not this machine."""
    records: list[Record] = []
    async with client(plan.url, plan.timeout) as send, asyncio.TaskGroup() as running:
        begun = time.perf_counter()
        for number, due in enumerate(due_times(plan)):
            await asyncio.sleep(max(0.0, begun + due - time.perf_counter()))
            if plan.until():
                break
            running.create_task(_one(send, plan, number, begun, due, records))
    return sorted(records, key=lambda record: record.number)


async def _one(send: Send, plan: Plan, number: int, begun: float, due: float, records: list[Record]) -> None:
    headers: Mapping[str, str] = {}
    start = time.perf_counter()
    try:
        response = await send(plan.request(number))
        headers, error = response.headers, plan.judge(response)
    except TimeoutError:
        error = "timeout"
    except aiohttp.ClientError as failure:
        error = type(failure).__name__
    records.append(Record(number, due, start - begun, time.perf_counter() - start, error, headers))


async def run_users(ask: Ask, enough: Enough, users: int = USERS) -> Counter[str]:
    """Let users 0 to `users - 1` ask at once, each again once answered, until `enough()`.

    Returns how often each outcome came: `OK`, or an exception's name.
    """
    outcomes: Counter[str] = Counter()

    async def user(number: int) -> None:
        while not enough():
            try:
                await ask(number)
            except Exception as error:
                outcomes[type(error).__name__] += 1
            else:
                outcomes[OK] += 1

    await asyncio.gather(*(user(number) for number in range(users)))
    return outcomes


def failures(outcomes: Counter[str]) -> dict[str, int]:
    """Return the outcomes that are no answer."""
    return {name: count for name, count in outcomes.items() if name != OK}


async def beside(
    action: Awaitable[_Done], load: Callable[[Enough], Coroutine[Any, Any, _Found]]
) -> tuple[_Found, _Done]:
    """Do something while a load goes on, which ends once `enough()` is true; return what both found."""
    over = asyncio.Event()
    running = asyncio.create_task(load(over.is_set))
    try:
        done = await action
    finally:
        over.set()
        found = await running
    return found, done
