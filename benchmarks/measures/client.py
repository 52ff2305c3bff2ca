"""What Friday's client costs while 100 users ask at once, and whether it keeps something of every call.

The calls are made in a process of their own: its processor time and memory come from them alone.
"""

import asyncio
import gc
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from benchmarks.figures import Figure
from benchmarks.http_client import TIMEOUT_SECONDS, check_target
from benchmarks.load import Ask, describe, failures, run_users
from benchmarks.measures.memory import MEGABYTE
from benchmarks.test_stack import TestStack
from benchmarks.upstream import KEY, simulator
from components.catalogue import default_models
from friday.llm import Caller, LlmConfig, LlmRouter, configure, invoke_llm
from friday.llm.constants import CHAT_PATH
from friday.llm.monitoring.logger import configure_logging

UPSTREAM_MS = 300
MOST_GROWTH = 5
"""Megabytes. A client that kept one object of each call, its request or its answer, would keep a kilobyte or more: 18
over the calls after the warm-up. What the allocator itself gains and loses stays below."""
CALL: dict[str, Any] = {"messages": [{"role": "user", "content": "Are you there?"}], "max_tokens": 64}
PLAIN, CLIENT = "plain", "client"
"""Ways to call: an httpx client with its defaults, and invoke_llm."""
ROUNDS = 5
ROUND_CALLS = 1_200
"""Twelve for each user: about 4 s when an answer takes 300 ms."""
WARM_UP_CALLS = 2_000
ALL_CALLS = 20_000


def client_load(_: TestStack) -> list[Figure]:
    """Compare invoke_llm with httpx alone, both against a simulator in another process."""
    with simulator(UPSTREAM_MS) as url:
        cost = in_own_process(processor, url)
    failed = (sum(cost.failed.values()),)
    spreads = (f"{name} {min(values):.2f} to {max(values):.2f} ms" for name, values in cost.numbers.items())
    note = f"a call costs {', '.join(spreads)}"
    return [
        Figure("100 users at once: failed calls", 0, "calls", failed, describe(cost.calls, cost.failed)),
        Figure("client adds to plain httpx, processor time", 1, "ms", added(cost.numbers), note),
    ]


def added(numbers: Mapping[str, Sequence[float]]) -> tuple[float, ...]:
    """Return how much more a call of invoke_llm costs than one by httpx alone, round by round."""
    return tuple(client - plain for client, plain in zip(numbers[CLIENT], numbers[PLAIN], strict=True))


def client_memory(_: TestStack) -> list[Figure]:
    """Compare the resident memory after the warm-up with that after all calls."""
    with simulator(0) as url:
        cost = in_own_process(memory, url)
    if cost.failed:
        raise RuntimeError(f"calls failed, {describe(cost.calls, cost.failed)}")
    resident = cost.numbers["resident"]
    sizes = ", ".join(f"{size / MEGABYTE:.1f}" for size in resident)
    note = f"resident after each {WARM_UP_CALLS:,} calls: {sizes} MB"
    return [Figure(f"client: memory growth over {ALL_CALLS:,} calls", MOST_GROWTH, "MB", (growth(resident),), note)]


def growth(resident: Sequence[float]) -> float:
    """Return how much more memory there is at the end than after the warm-up, in megabytes."""
    return (resident[-1] - resident[0]) / MEGABYTE


@dataclass(frozen=True)
class Cost:
    """What a process measured: numbers by name, how many calls of invoke_llm it made, and how often each error came."""

    numbers: dict[str, list[float]]
    calls: int
    failed: dict[str, int]


def in_own_process(measure: Callable[[str], Coroutine[Any, Any, Cost]], url: str) -> Cost:
    """Measure the API at `url` in a new interpreter; raises what that raises, and RuntimeError when it ends."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_quietly, measure, url).result()


def _quietly(measure: Callable[[str], Coroutine[Any, Any, Cost]], url: str) -> Cost:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        configure_logging(nowhere)  # as the service does: the log line of a call is part of its cost
        return asyncio.run(measure(url))


async def processor(url: str, rounds: int = ROUNDS, calls: int = ROUND_CALLS) -> Cost:
    """Let 100 users at once call each way in turn; the milliseconds of processor time of a call, for each round.

    The rounds begin with either way in turn, and none pays for collecting the garbage of the one before. Raises
    RuntimeError when a call by httpx alone fails.
    """
    numbers: dict[str, list[float]] = {PLAIN: [], CLIENT: []}
    outcomes: Counter[str] = Counter()
    async with _ways(url) as ways:
        for name in numbers:
            await _round(ways[name], calls // 2)
        for number in range(rounds):
            for name in (PLAIN, CLIENT) if number % 2 else (CLIENT, PLAIN):
                milliseconds, ended = await _round(ways[name], calls)
                numbers[name].append(milliseconds)
                if name == CLIENT:
                    outcomes += ended
                elif failed := failures(ended):
                    raise RuntimeError(f"calls by httpx alone failed, {describe(ended.total(), failed)}")
    return Cost(numbers, outcomes.total(), failures(outcomes))


async def memory(url: str, warm_up: int = WARM_UP_CALLS, calls: int = ALL_CALLS) -> Cost:
    """Call invoke_llm `calls` times, or until some fail; the resident memory in bytes after each `warm_up` of them."""
    resident: list[float] = []
    outcomes: Counter[str] = Counter()
    async with _ways(url) as ways:
        while outcomes.total() < calls and not failures(outcomes):
            outcomes += await run_users(ways[CLIENT], _after(warm_up))
            gc.collect()
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            resident.append(float(pages * os.sysconf("SC_PAGE_SIZE")))
    return Cost({"resident": resident}, outcomes.total(), failures(outcomes))


@asynccontextmanager
async def _ways(url: str) -> AsyncIterator[Mapping[str, Ask]]:
    """Open the clients of both ways to the same API."""
    check_target(url)
    model = default_models()[0].id
    router = LlmRouter(LlmConfig(openrouter_base_url=url, openrouter_api_key=SecretStr(KEY), openrouter_model=model))
    configure(router)

    async def client(user: int) -> None:
        await invoke_llm(CALL, Caller(user_id=user))

    async def plain(_: int) -> None:
        response = await http.post(url + CHAT_PATH, json={"model": model, **CALL})
        response.raise_for_status()
        response.json()

    headers = {"Authorization": f"Bearer {KEY}"}
    try:
        async with (
            aclosing(router),
            httpx.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False) as http,
        ):
            yield {PLAIN: plain, CLIENT: client}
    finally:
        configure(None)


async def _round(ask: Ask, calls: int) -> tuple[float, Counter[str]]:
    gc.collect()
    before = time.process_time()
    outcomes = await run_users(ask, _after(calls))
    return (time.process_time() - before) * 1000 / calls, outcomes


def _after(calls: int) -> Callable[[], bool]:
    """Return a function that returns false `calls` times, then true."""
    left = iter(range(calls))
    return lambda: next(left, None) is None
