"""What calls of a model cost, in a process of their own: its processor time and its memory come from the calls alone.

`python3 -m benchmarks.client_cost processor|memory URL` loads the API at URL and prints one JSON object.
"""

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from benchmarks.http_client import TIMEOUT_SECONDS, check_target
from benchmarks.load import Ask, describe, failures, run_users
from benchmarks.upstream import KEY
from components.catalogue import default_models
from friday.llm import Caller, LlmConfig, LlmRouter, configure, invoke_llm
from friday.llm.constants import CHAT_PATH
from friday.llm.monitoring.logger import configure_logging
from testing.project import ROOT

CALL: dict[str, Any] = {"messages": [{"role": "user", "content": "Are you there?"}], "max_tokens": 64}
PLAIN, CLIENT = "plain", "client"
"""Ways to call: an httpx client with its defaults, and invoke_llm."""
ROUNDS = 5
ROUND_CALLS = 1_200
"""Twelve for each user: about 4 s when an answer takes 300 ms."""
WARM_UP_CALLS = 2_000
ALL_CALLS = 20_000


@dataclass(frozen=True)
class Cost:
    """What a process measured: numbers by name, how many calls of invoke_llm it made, and how often each error came."""

    numbers: dict[str, list[float]]
    calls: int
    failed: dict[str, int]


def in_own_process(what: str, url: str) -> Cost:
    """Run this module as a process. Raises RuntimeError with its output when it fails."""
    command = [sys.executable, "-m", "benchmarks.client_cost", what, url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} ended with {done.returncode}:\n{done.stderr}")
    return Cost(**json.loads(done.stdout))


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


def main(what: str, url: str) -> None:
    """The command line of the process."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        configure_logging(nowhere)  # as the service does: the log line of a call is part of its cost
        cost = asyncio.run({"processor": processor, "memory": memory}[what](url))
    print(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main(*sys.argv[1:])
