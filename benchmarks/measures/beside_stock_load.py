"""What a gateway adds under the plan's load, and what replicas of it make of a machine, beside stock LiteLLM."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import docker
from docker.models.containers import Container

from benchmarks.calls import chat, make_calls, spent
from benchmarks.figures import Figure
from benchmarks.gateways import KEY, OURS, REDIS_PASSWORD, STOCK, Gateway, Running, running
from benchmarks.http_client import completion
from benchmarks.instant_upstream import PATH, instant_upstream
from benchmarks.load import Plan, Record, milliseconds, percentile, run, worst_delay
from benchmarks.measures.added_time import RATE, UPSTREAM_MS, added
from benchmarks.measures.beside_stock import CALLERS, WARM_UP_CALLS, gateways, in_turn, of_others
from benchmarks.test_stack import TestStack
from images.tags import tag
from testing.meanwhile import until
from testing.ports import free_ports

SECONDS = 15.0
SHARES = {"p50": 0.5, "p95": 0.95}
TARGETS = {"p50": 0.6, "p95": 0.5}
"""The most that ours may add, of what stock adds."""
REPLICAS = (1, 2, 4)
REPLICA_CALLS = 400
_REDIS_SECONDS = 20.0
_DIRECT = "direct"


def beside_stock_added(stack: TestStack) -> list[Figure]:
    """Send the same arrivals, 2,000 a minute, through each gateway and straight to the upstream, round by round."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    late: list[float] = []
    compared = gateways(stack)
    with instant_upstream() as upstream, ExitStack() as up:
        runs = {each.name: up.enter_context(running(each, upstream)) for each in compared}
        for each in runs.values():
            spent(each, chat(each), WARM_UP_CALLS, CALLERS)
        for number in range(stack.comparison.rounds):
            direct = _load(f"http://127.0.0.1:{upstream}", f"{PATH}/chat/completions", compared[0].model, number)
            for gateway in in_turn(compared, number):
                through = _load(runs[gateway.name].url, "/v1/chat/completions", gateway.model, number)
                late.append(worst_delay(through))
                for name, share in SHARES.items():
                    found[name][gateway.name].append(added(through, direct, share))
            found[_DIRECT][_DIRECT].append(percentile(milliseconds(direct), 0.5))
    straight = max(found[_DIRECT][_DIRECT])
    note = f"the load generator was at most {max(late):.0f} ms late; straight to the upstream p50 {straight:.1f} ms"
    return [each for name in SHARES for each in _added(name, found[name], note)]


def _load(url: str, path: str, model: str, seed: int) -> list[Record]:
    request = completion(path, KEY, model)
    request.body["messages"] = [{"role": "user", "content": f"wait {UPSTREAM_MS}"}]
    return asyncio.run(run(Plan(url, RATE, lambda _: request, SECONDS, seed)))


def _added(name: str, found: dict[str, list[float]], note: str) -> list[Figure]:
    each = [
        Figure(f"{gateway} adds, {name}", None, "ms", tuple(values), note if gateway == OURS else "")
        for gateway, values in found.items()
    ]
    for other, ratios in of_others(found).items():
        target = TARGETS[name] if other == STOCK else None
        each.append(Figure(f"added {name}, ours of {other}'s", target, "times", ratios))
    return each


def replicas(stack: TestStack) -> list[Figure]:
    """Let 1, 2 and 4 replicas answer the same callers; count the calls a second and what they ask of Redis."""
    figures = []
    with instant_upstream() as upstream:
        for gateway in gateways(stack):
            for count in REPLICAS:
                rates, commands = _of_replicas(gateway, upstream, count, stack.comparison.rounds)
                what = f"{gateway.name}, {count} replica{'s' if count > 1 else ''}"
                figures.append(Figure(f"{what}: chats a second", None, "/s", rates))
                if commands:
                    figures.append(Figure(f"{what}: Redis commands a chat", None, "", commands))
    return figures


def _of_replicas(
    gateway: Gateway, upstream: int, count: int, rounds: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the chats a second and the commands a chat of each round; a single replica has no Redis."""
    rates, commands = [], []
    with ExitStack() as up:
        redis, port = up.enter_context(_redis()) if count > 1 else (None, 0)
        runs = [up.enter_context(running(gateway, upstream, replicas=count, redis=port)) for _ in range(count)]
        make_calls(runs, WARM_UP_CALLS * count, CALLERS)
        for _ in range(rounds):
            before = _commands(redis, port) if redis else 0
            rates.append(REPLICA_CALLS / _seconds(runs))
            if redis:
                commands.append((_commands(redis, port) - before) / REPLICA_CALLS)
    return tuple(rates), tuple(commands)


def _seconds(runs: Sequence[Running]) -> float:
    began = time.perf_counter()
    make_calls(runs, REPLICA_CALLS, CALLERS)
    return time.perf_counter() - began


@contextmanager
def _redis() -> Iterator[tuple[Container, int]]:
    """Run a Redis of the stack's image; yields it and its port on 127.0.0.1."""
    port = free_ports(1)[0]
    arguments = ["--bind", "127.0.0.1", "--port", str(port), "--requirepass", REDIS_PASSWORD, "--save", ""]
    engine = docker.from_env()
    redis = engine.containers.run(
        tag("redis"), ["redis-server", *arguments], network_mode="host", detach=True, user="redis"
    )
    try:
        until(lambda: _cli(redis, port, "ping") == "PONG", "Redis answers", _REDIS_SECONDS)
        yield redis, port
    finally:
        redis.remove(force=True, v=True)
        engine.close()


def _commands(redis: Container, port: int) -> int:
    """Return how many commands it has carried out."""
    lines = _cli(redis, port, "info", "commandstats").splitlines()
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in lines if line.startswith("cmdstat_"))


def _cli(redis: Container, port: int, *words: str) -> str:
    command = ["redis-cli", "-p", str(port), "--no-auth-warning", "-a", REDIS_PASSWORD, *words]
    output: Any = redis.exec_run(command).output
    return str(output.decode()).strip()
