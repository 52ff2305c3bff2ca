"""Calls to one gateway: so many, by callers of whom each asks again once it is answered, and what they cost it."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from benchmarks.gateways import KEY, Running
from benchmarks.http_client import Request, check_target
from benchmarks.instant_upstream import question
from benchmarks.load import describe, failures, run_users

CHAT_PATH = "/v1/chat/completions"
_DONE = b"data: [DONE]"


@dataclass(frozen=True)
class Spent:
    """What so many calls took: the container's processor time and the clock's, in seconds."""

    calls: int
    processor: float
    clock: float

    @property
    def milliseconds(self) -> float:
        """Processor time of one call."""
        return 1000 * self.processor / self.calls

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.clock

    @property
    def busy(self) -> float:
        """How much of one processor the gateway used, 0 to 1 for one process."""
        return self.processor / self.clock


def chat(gateway: Running, *, stream: bool = False, **wanted: int) -> Request:
    """Return a call that wants so much of the upstream (`instant_upstream.question`)."""
    body = {"model": gateway.gateway.model, "messages": [{"role": "user", "content": question(**wanted)}]}
    return Request(CHAT_PATH, {**body, "stream": True} if stream else body, {"Authorization": f"Bearer {KEY}"})


def spent(gateway: Running, request: Request, calls: int, callers: int) -> Spent:
    """Make the calls; RuntimeError when one fails, or a stream does not come to its end."""
    processor, clock = gateway.processor_seconds(), time.perf_counter()
    make_calls([gateway], calls, callers, request)
    return Spent(calls, gateway.processor_seconds() - processor, time.perf_counter() - clock)


def make_calls(gateways: Sequence[Running], calls: int, callers: int, request: Request | None = None) -> None:
    """Make the calls (plain chats unless told), of one caller always to the same gateway; RuntimeError as above."""
    asyncio.run(_make([each.url for each in gateways], request or chat(gateways[0]), calls, callers))


async def _make(urls: Sequence[str], request: Request, calls: int, callers: int) -> None:
    for url in urls:
        check_target(url)
    started = itertools.count()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=request.headers) as http:

        async def ask(caller: int) -> None:
            async with http.post(urls[caller % len(urls)] + request.path, json=request.body) as answer:
                body = await answer.read()
            if answer.status != 200 or (request.body.get("stream") and _DONE not in body):
                raise RuntimeError(f"status {answer.status}, {body[-200:]!r}")

        outcomes = await run_users(ask, lambda: next(started) >= calls, callers)
    if failed := failures(outcomes):
        raise RuntimeError(f"{urls}: calls failed, {describe(calls, failed)}")
