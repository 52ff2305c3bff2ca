"""What the edge adds to a request."""

import json

from benchmarks.figures import Figure
from benchmarks.test_stack import TestStack

ROUNDS = 3
PAIRS = 300

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


def measure(stack: TestStack) -> list[Figure]:
    """Ask Friday's start page in turn through the edge and at a replica's own address; the medians are compared."""
    networks = stack.project.containers("friday")[0].attrs["NetworkSettings"]["Networks"].values()
    script = _SCRIPT.format(replica=next(iter(networks))["IPAddress"], pairs=PAIRS)
    rounds = [json.loads(stack.project.python_in("simulator", script)) for _ in range(ROUNDS)]
    note = f"{PAIRS} pairs a round; through the edge "
    note += ", ".join(f"{edge:.2f} ms against {replica:.2f}" for edge, replica in rounds)
    return [Figure("the edge adds, p50", 1, "ms", tuple(edge - replica for edge, replica in rounds), note)]
