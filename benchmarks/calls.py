"""Calls of a model in a process of their own: its processor time and its memory are theirs alone.

`python3 -m benchmarks.calls processor|memory URL` loads the API at URL and prints one JSON object.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from benchmarks.crowd import Ask, crowd, failures, told
from benchmarks.http_client import Target
from benchmarks.upstream import KEY
from components.catalogue import default_models
from friday.llm import Caller, LlmConfig, LlmRouter, configure, invoke_llm
from friday.llm.constants import CHAT_PATH
from friday.llm.monitoring.logger import configure_logging
from friday.llm.transport import SpreadTransport
from testing.project import ROOT

CALL: dict[str, Any] = {"messages": [{"role": "user", "content": "Are you there?"}], "max_tokens": 64}
PLAIN, POOLS, CLIENT = "plain", "pools", "client"
"""Ways to call: an httpx client as it comes, one on the connection pools of friday/llm, and invoke_llm."""
ROUNDS = 5
WINDOW_CALLS = 1_200
"""Twelve for each user: about 4 s when an answer takes 300 ms."""
WARM_UP_CALLS = 2_000
ALL_CALLS = 20_000
TIMEOUT = 30.0


@dataclass(frozen=True)
class Found:
    """What a process found: numbers by name, and of how many calls of invoke_llm which errors came how often."""

    numbers: dict[str, list[float]]
    calls: int
    failed: dict[str, int]


def apart(what: str, url: str) -> Found:
    """Run this module as a process. Raises RuntimeError with what it said when it fails."""
    command = [sys.executable, "-m", "benchmarks.calls", what, url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} ended with {done.returncode}:\n{done.stderr}")
    return Found(**json.loads(done.stdout))


async def processor(url: str, rounds: int = ROUNDS, window: int = WINDOW_CALLS) -> Found:
    """Let 100 users at once call each way in turn; the milliseconds of processor time of a call, for each round.

    Every round begins with another way, and none pays for collecting the garbage of the one before. Raises
    RuntimeError when a call fails that is not invoke_llm's.
    """
    found: dict[str, list[float]] = {PLAIN: [], POOLS: [], CLIENT: []}
    outcomes: Counter[str] = Counter()
    async with _ways(url) as ways:
        for name in found:
            await _window(ways[name], window // 2)
        for number in range(rounds):
            for name in _turned(list(found), number):
                milliseconds, ended = await _window(ways[name], window)
                found[name].append(milliseconds)
                if name == CLIENT:
                    outcomes += ended
                elif failed := failures(ended):
                    raise RuntimeError(f"calls by httpx alone ({name}) failed, {told(ended.total(), failed)}")
    return Found(found, outcomes.total(), failures(outcomes))


async def memory(url: str, warm_up: int = WARM_UP_CALLS, calls: int = ALL_CALLS) -> Found:
    """Call invoke_llm `calls` times, or until some fail; the resident memory in bytes after each `warm_up` of them."""
    resident: list[float] = []
    outcomes: Counter[str] = Counter()
    async with _ways(url) as ways:
        while outcomes.total() < calls and not failures(outcomes):
            outcomes += await crowd(ways[CLIENT], _after(warm_up))
            gc.collect()
            resident.append(_resident())
    return Found({"resident": resident}, outcomes.total(), failures(outcomes))


@asynccontextmanager
async def _ways(url: str) -> AsyncIterator[Mapping[str, Ask]]:
    """Open the clients of all ways to the same API."""
    Target.parse(url)  # this machine only
    model = default_models()[0].id
    config = LlmConfig(openrouter_base_url=url, openrouter_api_key=SecretStr(KEY), openrouter_model=model)
    options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {KEY}"}, "timeout": TIMEOUT, "trust_env": False}
    router = LlmRouter(config)
    configure(router)

    async def client(user: int) -> None:
        await invoke_llm(CALL, Caller(user_id=user))

    def bare(http: httpx.AsyncClient) -> Callable[[int], Awaitable[None]]:
        async def ask(_: int) -> None:
            response = await http.post(url + CHAT_PATH, json={"model": model, **CALL})
            response.raise_for_status()
            response.json()

        return ask

    try:
        async with (
            httpx.AsyncClient(**options) as plain,
            httpx.AsyncClient(**options, transport=SpreadTransport(url)) as pools,
        ):
            yield {PLAIN: bare(plain), POOLS: bare(pools), CLIENT: client}
    finally:
        configure(None)
        await router.aclose()


async def _window(ask: Ask, calls: int) -> tuple[float, Counter[str]]:
    gc.collect()
    before = time.process_time()
    outcomes = await crowd(ask, _after(calls))
    return (time.process_time() - before) * 1000 / calls, outcomes


def _turned(names: Sequence[str], by: int) -> list[str]:
    by %= len(names)
    return [*names[by:], *names[:by]]


def _after(calls: int) -> Callable[[], bool]:
    """Return a question that is answered with no `calls` times."""
    left = iter(range(calls))
    return lambda: next(left, None) is None


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def main(arguments: Sequence[str]) -> int:
    """The command line of the process."""
    what, url = arguments
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        configure_logging(nowhere)  # as the service does: its line for each call is part of what a call costs
        found = asyncio.run({"processor": processor, "memory": memory}[what](url))
    print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
