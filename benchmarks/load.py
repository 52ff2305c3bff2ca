"""Load at a given rate, whatever the answers do: arrivals do not wait for earlier requests.

`python3 -m benchmarks.load http://127.0.0.1:4000/healthz --rate 33 --seconds 10` prints one JSON summary.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from benchmarks.http_client import Client, ProtocolError, Request, Response, Target, TargetError

MOST_REQUESTS = 200_000
MOST_SECONDS = 3_600.0
MOST_IN_FLIGHT = 2_000

Arrivals = Literal["poisson", "fixed"]


@dataclass(frozen=True)
class Plan:
    """What to send and when. `rate` is requests a second; the run ends at `count` or `seconds`."""

    url: str
    rate: float
    request: Callable[[int], Request] = lambda _: Request()
    """The request of each number, from 0."""
    arrivals: Arrivals = "poisson"
    count: int = MOST_REQUESTS
    seconds: float = MOST_SECONDS
    seed: int = 0
    timeout: float = 30.0
    picked_headers: tuple[str, ...] = ()
    fresh_connections: bool = False
    accept: Callable[[Response], bool] = lambda response: 200 <= response.status < 300
    until: Callable[[], bool] = lambda: False
    """Asked before each request; no more are sent once it says yes."""

    def __post_init__(self) -> None:
        """Raises `ValueError` when the plan is not bounded."""
        limits = (
            ("rate", self.rate, MOST_REQUESTS),
            ("count", self.count, MOST_REQUESTS),
            ("seconds", self.seconds, MOST_SECONDS),
            ("timeout", self.timeout, MOST_SECONDS),
        )
        for name, value, most in limits:
            if not 0 < value <= most:
                raise ValueError(f"{name}: should be above 0 and at most {most:g} (got {value:g})")


@dataclass(frozen=True)
class Record:
    """One request. `start` and `due` in seconds from the beginning of the run, `duration` in seconds.

    `start - due` is how late the generator itself was; a large one spoils the measurement.
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
        """No answer, or one that the plan does not accept."""
        return self.error is not None


@dataclass(frozen=True)
class Summary:
    """A run in figures; times in milliseconds, percentiles over the accepted answers only."""

    requests: int
    failures: int
    rate_per_second: float
    statuses: dict[str, int]
    errors: dict[str, int]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    worst_lag_ms: float


def due_times(plan: Plan) -> Iterator[float]:
    """Seconds from the start at which requests are due; the same for the same seed."""
    rng = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
    due = 0.0
    for _ in range(plan.count):
        due += rng.expovariate(plan.rate) if plan.arrivals == "poisson" else 1 / plan.rate
        if due > plan.seconds:
            return
        yield due


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the sorted values do not exceed."""
    if not values or not 0 <= share <= 1:
        raise ValueError("percentile: needs values, and a share between 0 and 1")
    rank = -(-share * len(values) // 1)
    return values[max(0, int(rank) - 1)]


async def run(plan: Plan) -> list[Record]:
    """Carry out the plan. Raises `TargetError` for a host that is not this machine."""
    client = Client(Target.parse(plan.url), fresh_connections=plan.fresh_connections)
    begun = time.perf_counter()
    records: list[Record] = []
    running: set[asyncio.Task[None]] = set()
    try:
        for number, due in enumerate(due_times(plan)):
            await asyncio.sleep(max(0.0, begun + due - time.perf_counter()))
            if plan.until():
                break
            if len(running) >= MOST_IN_FLIGHT:
                late = time.perf_counter() - begun
                records.append(Record(number, due, late, 0.0, None, "too many in flight", {}))
                continue
            task = asyncio.create_task(_one(plan, client, number, begun, due, records))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await client.close()
    return sorted(records, key=lambda record: record.number)


async def _one(plan: Plan, client: Client, number: int, begun: float, due: float, records: list[Record]) -> None:
    response: Response | None = None
    error: str | None = None
    start = time.perf_counter()
    try:
        async with asyncio.timeout(plan.timeout):
            response = await client.send(plan.request(number))
    except TimeoutError:
        error = "timeout"
    except (OSError, ProtocolError) as failure:
        error = type(failure).__name__
    duration = time.perf_counter() - start
    if response is not None and not plan.accept(response):
        error = "not accepted"
    status = None if response is None else response.status
    headers = {} if response is None else _picked(response, plan.picked_headers)
    records.append(Record(number, due, start - begun, duration, status, error, headers))


def _picked(response: Response, names: tuple[str, ...]) -> dict[str, str]:
    return {name: response.headers[name.lower()] for name in names if name.lower() in response.headers}


def summarise(records: Sequence[Record]) -> Summary:
    """Figures of a run."""
    good = sorted(record.duration * 1000 for record in records if not record.failed)
    figures = [round(percentile(good, share), 3) if good else None for share in (0.5, 0.95, 0.99, 1)]
    span = max((record.due for record in records), default=0.0)
    return Summary(
        requests=len(records),
        failures=sum(record.failed for record in records),
        rate_per_second=round(len(records) / span, 2) if span else 0.0,
        statuses=dict(Counter(str(record.status) for record in records)),
        errors=dict(Counter(record.error for record in records if record.error is not None)),
        p50_ms=figures[0],
        p95_ms=figures[1],
        p99_ms=figures[2],
        max_ms=figures[3],
        worst_lag_ms=round(max((record.start - record.due for record in records), default=0.0) * 1000, 3),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; exit code 2 for a wrong argument, 1 when a request failed."""
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks.load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--count", type=int, default=MOST_REQUESTS)
    parser.add_argument("--arrivals", choices=("poisson", "fixed"), default="poisson")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for one request")
    parser.add_argument("--json", dest="body", help="body of a POST; GET without it")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    parser.add_argument("--fresh-connections", action="store_true", help="a connection for each request")
    options = vars(parser.parse_args(arguments))
    request = _request_of(options.pop("body"), options.pop("header"))
    try:
        plan = Plan(request=lambda _: request, **options)
        summary = summarise(asyncio.run(run(plan)))
    except (TargetError, ValueError) as error:
        print(f"load: {error}", file=sys.stderr)
        return 2
    print(json.dumps(asdict(summary)))
    return 1 if summary.failures else 0


def _request_of(body: str | None, lines: list[str]) -> Request:
    headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if body is None:
        return Request(headers=headers)
    return Request("POST", "", {"Content-Type": "application/json", **headers}, body.encode())


if __name__ == "__main__":
    sys.exit(main())
