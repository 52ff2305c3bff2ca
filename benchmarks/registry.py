"""The measurements by name, in the order in which they run. Nothing heavy is imported: --help reads this too."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A measurement: its subject, and whether the stack has to be up before it starts, or else absent."""

    about: str
    needs_stack: bool = True


# Name -> module below benchmarks/measures. The client's own come before a stack is up, because an idle one takes
# processor time. The dead model comes late, because it is left out for a minute. What restarts the gateway comes last.
MEASUREMENTS = {
    "setup": Entry("set-up when there is nothing to do", needs_stack=False),
    "client_load": Entry("cost of the client while 100 users ask at once", needs_stack=False),
    "client_memory": Entry("whether the client keeps something of 20,000 calls", needs_stack=False),
    "lifecycle": Entry("up from nothing, up again, down", needs_stack=False),
    "swarm": Entry("changes and a killed host on a Swarm of three hosts", needs_stack=False),
    "edge": Entry("what the edge adds to a request"),
    "overhead": Entry("what the LiteLLM path adds at 2,000 requests a minute"),
    "rollout": Entry("a changed percentage under 50 requests a second"),
    "rollback": Entry("the four levels of rollback under the same load, and docker-compose beside them"),
    "dead_model": Entry("the requests after the first model stopped answering"),
    "memory": Entry("memory of all containers after a short load"),
    "gates": Entry("status, and the gates over 48 hours of metrics"),
    "gateway_stopped": Entry("the gateway stopped and killed while 100 users ask"),
}
