"""What the LiteLLM path adds to a call of a model, compared with calling the model's host directly."""

import asyncio
import json
from collections.abc import Callable, Sequence

from benchmarks.chat import completion
from benchmarks.figures import Figure
from benchmarks.http_client import Request
from benchmarks.load import Plan, Record, milliseconds, percentile, run, worst_delay
from benchmarks.test_stack import TestStack
from components.catalogue import default_models

RATE = 2000 / 60
"""Requests a second on the path that is loaded."""
SECONDS = 30.0
WARM_UP_SECONDS = 5.0
ROUNDS = 4
UPSTREAM_MS = 800


def measure(stack: TestStack) -> list[Figure]:
    """Load the two paths in turn with the same arrivals, from one process with one client; compare their percentiles.

    The gateway path is the edge's published gateway port, two replicas of LiteLLM, the simulator; the direct one
    the simulator's published port. In turn and not at once: the load of one would take processor time from the other.
    """
    slow = {"kind": "latency", "distribution": {"kind": "fixed", "ms": UPSTREAM_MS}}
    with stack.faults(slow):
        rounds = asyncio.run(_rounds(stack))
    late = max(worst_delay(records) for pair in rounds for records in pair)
    direct = [_percentile(direct, 0.5) for _, direct in rounds]
    note = f"{sum(map(len, rounds[0]))} requests a round; direct p50 {min(direct):.1f} to {max(direct):.1f} ms; "
    note += f"the load generator was at most {late:.0f} ms late"
    return [
        Figure("LiteLLM path adds, p50", 10, "ms", tuple(added(*pair, 0.5) for pair in rounds), note),
        Figure("LiteLLM path adds, p95", 30, "ms", tuple(added(*pair, 0.95) for pair in rounds)),
    ]


async def _rounds(stack: TestStack) -> list[tuple[list[Record], list[Record]]]:
    keys = json.loads((stack.project.root / ".state" / "secrets.json").read_text())
    model = default_models()[0]
    gateway = completion("/v1/chat/completions", keys["gatewayKey"], model.name)
    direct = completion("/api/v1/chat/completions", keys["fridayOpenrouterApiKey"], model.id)
    paths = (stack.project.gateway_url, gateway), (stack.project.simulator_url, direct)
    await _round(paths, WARM_UP_SECONDS, 0)
    return [await _round(paths, SECONDS, seed) for seed in range(1, ROUNDS + 1)]


async def _round(
    paths: tuple[tuple[str, Request], tuple[str, Request]], seconds: float, seed: int
) -> tuple[list[Record], list[Record]]:
    through, straight = [
        await run(Plan(url, RATE, request=_always(request), seconds=seconds, seed=seed)) for url, request in paths
    ]
    return through, straight


def _always(request: Request) -> Callable[[int], Request]:
    return lambda _: request


def added(through: Sequence[Record], straight: Sequence[Record], share: float) -> float:
    """Return the difference of two percentiles in milliseconds; RuntimeError when a request failed."""
    return _percentile(through, share) - _percentile(straight, share)


def _percentile(records: Sequence[Record], share: float) -> float:
    failed = [record for record in records if record.failed]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(records)} requests failed, the first with {failed[0]}")
    return percentile(milliseconds(records), share)
