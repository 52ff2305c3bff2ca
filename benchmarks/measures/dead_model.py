"""How long users wait when the first model of the catalogue stops answering: one of them, and everybody after."""

import asyncio
import json
import time

from benchmarks.chat import PATH_HEADER, chat
from benchmarks.figures import Figure
from benchmarks.http_client import Client, Response
from benchmarks.test_stack import TestStack

FOLLOWING = 20
USER_ON_GATEWAY = 0


def measure(stack: TestStack) -> list[Figure]:
    """Ask Friday one question after the other, through the edge and the gateway.

    One round only: the model is then left out for a minute. The replicas of the gateway are asked in turn, so
    the questions after the first also show whether the other replicas know what one replica found out.
    """
    return asyncio.run(_measure(stack))


async def _measure(stack: TestStack) -> list[Figure]:
    async with Client(stack.project.url, timeout=40) as client:
        answers = [await _ask(client) for _ in range(6)]
        with stack.faults({"kind": "hang", "model": _model(answers[-1][1])}):
            first, *following = [await _ask(client) for _ in range(1 + FOLLOWING)]
    paths = sorted({response.headers.get(PATH_HEADER, "none") for _, response in (first, *following)})
    note = f"paths that answered: {', '.join(paths)}; before the fault the median was "
    note += f"{sorted(seconds for seconds, _ in answers)[len(answers) // 2] * 1000:.0f} ms"
    next_seconds = [seconds * 1000 for seconds, _ in following]
    return [
        Figure("first request past a dead model", 5, "s", (first[0],), note),
        Figure("the next request", 100, "ms", (next_seconds[0],)),
        Figure(f"the slowest of the next {FOLLOWING}", 100, "ms", (max(next_seconds),)),
    ]


async def _ask(client: Client) -> tuple[float, Response]:
    """Return the seconds that an answer took, and the answer; RuntimeError when it is not 200."""
    started = time.perf_counter()
    response = await client.send(chat(USER_ON_GATEWAY))
    seconds = time.perf_counter() - started
    if response.status != 200:
        raise RuntimeError(f"Friday answered {response.status}: {response.body[:300]!r}")
    return seconds, response


def _model(response: Response) -> str:
    return str(json.loads(response.body)["model"])
