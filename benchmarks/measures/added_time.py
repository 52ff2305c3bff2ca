"""What the edge adds to a request, and what the LiteLLM path adds to a call of a model."""

import asyncio
import json
from collections.abc import Sequence

from benchmarks.figures import Figure
from benchmarks.http_client import completion
from benchmarks.load import Plan, Record, milliseconds, percentile, run, worst_delay
from benchmarks.test_stack import TestStack
from components.catalogue import default_models

EDGE_ROUNDS = 3
PAIRS = 300
RATE = 2000 / 60
"""Requests a second on the path that is loaded."""
SECONDS = 30.0
WARM_UP_SECONDS = 5.0
ROUNDS = 4
UPSTREAM_MS = 800

# Runs inside a container of the stack's network: there both ways are one hop over the same bridge, without the
# host's port publishing, and the load generator's limit to loopback addresses stays what it is. In turn, on kept
# connections; the edge opens a new one to the replica for each request, and that is part of what it adds.
_SCRIPT = """
import http.client, json, time
ways = [http.client.HTTPConnection(host, 3000, timeout=10) for host in ("edge", "{replica}")]
times = [[], []]
for number in range(20 + {pairs}):
    for way in (0, 1) if number % 2 else (1, 0):
        start = time.perf_counter()
        ways[way].request("GET", "/")
        answer = ways[way].getresponse()
        answer.read()
        took = time.perf_counter() - start
        assert answer.status == 200, answer.status
        if number >= 20:
            times[way].append(took * 1000)
print(json.dumps([sorted(found)[len(found) // 2] for found in times]))
"""


def edge(stack: TestStack) -> list[Figure]:
    """Ask Friday's start page in turn through the edge and at a replica's own address; the medians are compared."""
    networks = stack.project.containers("friday")[0].attrs["NetworkSettings"]["Networks"].values()
    script = _SCRIPT.format(replica=next(iter(networks))["IPAddress"], pairs=PAIRS)
    rounds = [json.loads(stack.project.python_in("simulator", script)) for _ in range(EDGE_ROUNDS)]
    note = f"{PAIRS} pairs a round; through the edge "
    note += ", ".join(f"{edge:.2f} ms against {replica:.2f}" for edge, replica in rounds)
    return [Figure("the edge adds, p50", 1, "ms", tuple(edge - replica for edge, replica in rounds), note)]


def overhead(stack: TestStack) -> list[Figure]:
    """Load the two paths in turn with the same arrivals, from one process with one client; compare their percentiles.

    The gateway path is the edge's published gateway port, two replicas of LiteLLM, the simulator; the direct one
    the simulator's published port. In turn and not at once: the load of one would take processor time from the other.
    """
    slow = {"kind": "latency", "distribution": {"kind": "fixed", "ms": UPSTREAM_MS}}
    with stack.faults(slow):
        _, *rounds = [_round(stack, SECONDS if seed else WARM_UP_SECONDS, seed) for seed in range(ROUNDS + 1)]
    late = max(worst_delay(records) for pair in rounds for records in pair)
    direct = [_percentile(direct, 0.5) for _, direct in rounds]
    note = f"{sum(map(len, rounds[0]))} requests a round; direct p50 {min(direct):.1f} to {max(direct):.1f} ms; "
    note += f"the load generator was at most {late:.0f} ms late"
    return [
        Figure("LiteLLM path adds, p50", 10, "ms", tuple(added(*pair, 0.5) for pair in rounds), note),
        Figure("LiteLLM path adds, p95", 30, "ms", tuple(added(*pair, 0.95) for pair in rounds)),
    ]


def _round(stack: TestStack, seconds: float, seed: int) -> tuple[list[Record], list[Record]]:
    """Return the requests of the gateway path and of the direct one."""
    keys = json.loads((stack.project.root / ".state" / "secrets.json").read_text())
    model = default_models()[0]
    gateway = completion("/v1/chat/completions", keys["gatewayKey"], model.name)
    direct = completion("/api/v1/chat/completions", keys["fridayOpenrouterApiKey"], model.id)
    through = Plan(stack.project.gateway_url, RATE, lambda _: gateway, seconds, seed)
    straight = Plan(stack.project.simulator_url, RATE, lambda _: direct, seconds, seed)
    return asyncio.run(run(through)), asyncio.run(run(straight))


def added(through: Sequence[Record], straight: Sequence[Record], share: float) -> float:
    """Return the difference of two percentiles in milliseconds; RuntimeError when a request failed."""
    return _percentile(through, share) - _percentile(straight, share)


def _percentile(records: Sequence[Record], share: float) -> float:
    failed = [record for record in records if record.error]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(records)} requests failed, the first with {failed[0]}")
    return percentile(milliseconds(records), share)
