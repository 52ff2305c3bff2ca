"""How long users wait when the first model of the catalogue stops answering: one of them, and everybody after."""

import asyncio
import json
import statistics
import time

from benchmarks.figures import Figure
from benchmarks.http_client import PATH_HEADER, Response, Send, chat, client
from benchmarks.test_stack import TestStack

FOLLOWING = 20
USER_ON_GATEWAY = 0


def dead_model(stack: TestStack) -> list[Figure]:
    """Ask Friday one question after the other, through the edge and the gateway.

    One round only: the model is then left out for a minute. The replicas of the gateway are asked in turn, so
    the questions after the first also show whether the other replicas know what one replica found out.
    """
    return asyncio.run(_measure(stack))


async def _measure(stack: TestStack) -> list[Figure]:
    async with client(stack.project.url, timeout=40) as send:
        before = [await _ask(send) for _ in range(6)]
        asked_first = json.loads(before[-1][1].body)["model"]
        with stack.faults({"kind": "hang", "model": asked_first}):
            first, *following = [await _ask(send) for _ in range(1 + FOLLOWING)]
    paths = sorted({response.headers.get(PATH_HEADER, "none") for _, response in (first, *following)})
    usual = statistics.median_high(seconds for seconds, _ in before) * 1000
    note = f"paths that answered: {', '.join(paths)}; before the fault the median was {usual:.0f} ms"
    later = [seconds * 1000 for seconds, _ in following]
    return [
        Figure("first request past a dead model", 5, "s", (first[0],), note),
        Figure("the next request", 100, "ms", (later[0],)),
        Figure(f"the slowest of the next {FOLLOWING}", 100, "ms", (max(later),)),
    ]


async def _ask(send: Send) -> tuple[float, Response]:
    """Return the seconds that an answer took, and the answer; RuntimeError when it is not 200."""
    started = time.perf_counter()
    response = await send(chat(USER_ON_GATEWAY))
    seconds = time.perf_counter() - started
    if response.status != 200:
        raise RuntimeError(f"Friday answered {response.status}: {response.body[:300]!r}")
    return seconds, response
