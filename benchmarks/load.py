"""Load at a given rate, whatever the answers do: requests do not wait for earlier ones."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import aiohttp

from benchmarks.http_client import TIMEOUT_SECONDS, Client, Request, Response

MOST_SECONDS = 240.0


@dataclass(frozen=True)
class Plan:
    """What to send and when: `rate` requests a second, at random times (Poisson), the same ones for the same seed."""

    url: str
    rate: float
    request: Callable[[int], Request]
    """The request of each number, from 0."""
    seconds: float = MOST_SECONDS
    seed: int = 0
    timeout: float = TIMEOUT_SECONDS
    picked_headers: tuple[str, ...] = ()
    """Headers of the answers to keep, in lower case."""
    until: Callable[[], bool] = lambda: False
    """Asked before each request; no more are sent once it returns true."""


@dataclass(frozen=True)
class Record:
    """One request. `start` and `due` in seconds from the beginning of the run, `duration` in seconds.

    `start - due` is how late the generator itself was; a large delay spoils the measurement.
    """

    number: int
    due: float
    start: float
    duration: float
    status: int | None
    error: str | None
    headers: dict[str, str]

    @property
    def failed(self) -> bool:
        """No answer, or one with a status outside 200 to 299."""
        return self.error is not None


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
    return sorted(record.duration * 1000 for record in records if not record.failed)


def errors(records: Sequence[Record]) -> Counter[str]:
    """Return how often each error occurred."""
    return Counter(record.error for record in records if record.error is not None)


def worst_delay(records: Sequence[Record]) -> float:
    """Return how late the generator was at worst, in milliseconds."""
    return max((record.start - record.due for record in records), default=0.0) * 1000


async def run(plan: Plan) -> list[Record]:
    """Carry out the plan. Raises TargetError for a host that is not this machine."""
    records: list[Record] = []
    async with Client(plan.url, plan.timeout) as client, asyncio.TaskGroup() as running:
        begun = time.perf_counter()
        for number, due in enumerate(due_times(plan)):
            await asyncio.sleep(max(0.0, begun + due - time.perf_counter()))
            if plan.until():
                break
            running.create_task(_one(plan, client, number, begun, due, records))
    return sorted(records, key=lambda record: record.number)


async def _one(plan: Plan, client: Client, number: int, begun: float, due: float, records: list[Record]) -> None:
    response: Response | None = None
    error: str | None = None
    start = time.perf_counter()
    try:
        response = await client.send(plan.request(number))
    except TimeoutError:
        error = "timeout"
    except aiohttp.ClientError as failure:
        error = type(failure).__name__
    duration = time.perf_counter() - start
    if response is None:
        records.append(Record(number, due, start - begun, duration, None, error, {}))
        return
    if not 200 <= response.status < 300:
        error = f"status {response.status}"
    headers = {name: response.headers[name] for name in plan.picked_headers if name in response.headers}
    records.append(Record(number, due, start - begun, duration, response.status, error, headers))
