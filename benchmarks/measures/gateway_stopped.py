"""What users notice when the whole gateway stops while 100 of them ask."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from docker.models.containers import Container

from benchmarks import load
from benchmarks.figures import Figure
from benchmarks.http_client import PATH_HEADER, Request, chat, client
from benchmarks.load import USERS, Enough, Plan, Record, describe, failures, percentile
from benchmarks.test_stack import TestStack
from testing.meanwhile import until

UPSTREAM_MS = 300
RATE = USERS / 3
"""Requests a second of users who pause: each asks about once in 3 s, 2,000 a minute altogether."""
BEFORE_SECONDS = 10.0
AFTER_SECONDS = 10.0
BACK_SECONDS = 120.0
MOST_USUAL_MS = 2 * UPSTREAM_MS
MOST_EXTRA_MS = 1000
"""A request that is running when the gateway ends is repeated on the direct path: one more answer of the upstream, and
the time that the edge and the client need to notice. The breaker spares everybody else this."""

ENDS = {"stop": "gateway stopped", "kill": "gateway killed"}
"""Methods of a container, and what they do."""


@dataclass(frozen=True)
class Stop:
    """What an end of the gateway cost: milliseconds above the median before it, which `note` reports."""

    requests: int
    failed: dict[str, int]
    extra_p95: float
    extra_max: float
    note: str


def gateway_stopped(stack: TestStack) -> list[Figure]:
    """Stop all replicas of LiteLLM at once, then kill them, each under two loads.

    Users who pause show how long they wait. Users who never pause show whether a request is lost; they are more than
    two processors can serve with a gateway, so their answers get faster without it and say nothing about waiting.
    """
    stops: dict[str, Stop] = {}
    outcomes: Counter[str] = Counter()
    with stack.faults({"kind": "latency", "distribution": {"kind": "fixed", "ms": UPSTREAM_MS}}):
        for end in ENDS:
            with _brought_back(stack) as gateway:
                stops[end] = asyncio.run(_pausing(stack.project.url, gateway, end))
            with _brought_back(stack) as gateway:
                outcomes += asyncio.run(_never_pausing(stack.project.url, gateway, end))
    failed = sum((Counter(stop.failed) for stop in stops.values()), Counter(failures(outcomes)))
    requests = outcomes.total() + sum(stop.requests for stop in stops.values())
    lost = describe(requests, failed) + f", of them {outcomes.total()} of {USERS} users who never paused"
    figures = [Figure("gateway stopped or killed: failed requests", 0, "requests", (failed.total(),), lost)]
    for end, stop in stops.items():
        longest = Figure(f"{ENDS[end]}: the slowest answer, extra", MOST_EXTRA_MS, "ms", (stop.extra_max,), stop.note)
        figures += [longest, Figure(f"{ENDS[end]}: p95 of the answers, extra", None, "ms", (stop.extra_p95,))]
    return figures


async def _pausing(url: str, gateway: Sequence[Container], end: str) -> Stop:
    def users(enough: Enough) -> Coroutine[Any, Any, list[Record]]:
        return load.run(Plan(url, RATE, chat_on_gateway, until=enough))

    return evaluate(*await load.beside(_end(gateway, end), users))


async def _never_pausing(url: str, gateway: Sequence[Container], end: str) -> Counter[str]:
    paths: list[str] = []

    async def ask(user: int) -> None:
        response = await send(chat_on_gateway(user))
        if not response.ok:
            raise RuntimeError(f"Friday answered {response.status}")
        paths.append(response.headers.get(PATH_HEADER, ""))

    async with client(url) as send:
        outcomes, _ = await load.beside(_end(gateway, end), partial(load.run_users, ask))
    check_seen(paths[:1], paths[-1:])
    return outcomes


async def _end(gateway: Sequence[Container], end: str) -> float:
    """End all replicas at once, with load before and after it; return the seconds from the load's start to that."""
    begun = time.perf_counter()
    await asyncio.sleep(BEFORE_SECONDS)
    ended_at = time.perf_counter() - begun
    await asyncio.gather(*(asyncio.to_thread(getattr(replica, end)) for replica in gateway))
    await asyncio.sleep(AFTER_SECONDS)
    return ended_at


@contextmanager
def _brought_back(stack: TestStack) -> Iterator[list[Container]]:
    """Yield the replicas of LiteLLM, then start them again and wait until users are answered over them as before."""
    gateway = stack.project.containers("litellm")
    try:
        yield gateway
    finally:
        for replica in gateway:
            replica.start()
    until(lambda: all(_healthy(each) for each in gateway), "every replica is healthy", BACK_SECONDS, every=1)
    # Every replica of Friday, asked twice in turn, uses the gateway: none has its breaker open.
    users = range(2 * len(stack.project.containers("friday")))
    until(
        lambda: {stack.project.chat(user).path for user in users} == {"litellm"}, "no breaker is open", BACK_SECONDS, 1
    )


def _healthy(replica: Container) -> bool:
    replica.reload()
    return bool(replica.health == "healthy")


def chat_on_gateway(number: int) -> Request:
    """Return the question of one of 100 users who are all on the gateway at 50 %: 0 to 49 and 100 to 149."""
    number %= USERS
    return chat(number // 50 * 100 + number % 50)


def evaluate(records: Sequence[Record], ended_at: float) -> Stop:
    """Return what the end of the gateway, `ended_at` seconds from the beginning of the run, cost.

    An answer that was running then counts as one after it. Raises RuntimeError when the end was not seen, or when the
    machine was so busy that its load without the gateway would hide what the end cost.
    """
    before = [record for record in records if record.start + record.duration < ended_at]
    after = [record for record in records if record.start + record.duration >= ended_at]
    check_seen(*([record.headers.get(PATH_HEADER, "") for record in part] for part in (before, after)))
    usual, later = load.milliseconds(before), load.milliseconds(after)
    median = percentile(usual, 0.5)
    if median > MOST_USUAL_MS:
        raise RuntimeError(
            f"the machine is too busy: answers of {UPSTREAM_MS} ms took {median:.0f} ms, gateway and all"
        )
    note = f"above the median before, {median:.0f} ms; p95 was {percentile(usual, 0.95):.0f} ms, "
    note += f"max {usual[-1]:.0f} ms; the load generator was at most {load.worst_delay(records):.0f} ms late"
    extra_p95, extra_max = (percentile(later, share) - median for share in (0.95, 1))
    return Stop(len(records), load.errors(records), extra_p95, extra_max, note)


def check_seen(before: Iterable[str], after: Iterable[str]) -> None:
    """Raise RuntimeError unless the gateway answered before its end and the direct path took over after it."""
    if "litellm" not in before or "fallback" not in after:
        raise RuntimeError("no answer of the gateway was seen, or none of the direct path after it")
