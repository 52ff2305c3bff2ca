"""The measurements by name, in the order in which they run. Nothing heavy is imported: --help reads this too."""

from typing import NamedTuple


class Entry(NamedTuple):
    """A measurement: its module below benchmarks/measures, which has a function of its name, and its subject.

    The stack has to be up before it starts, or else absent.
    """

    module: str
    about: str
    needs_stack: bool = True


# The client's own come before a stack is up, because an idle one takes processor time. The dead model comes late,
# because it is left out for a minute. What restarts the gateway comes last.
MEASUREMENTS = {
    "setup": Entry("commands", "set-up when there is nothing to do", needs_stack=False),
    "watches": Entry("watches", "sound steps taken back and bad ones not found, in drawn watches", needs_stack=False),
    "client_load": Entry("client", "cost of the client while 100 users ask at once", needs_stack=False),
    "client_memory": Entry("client", "whether the client keeps something of 20,000 calls", needs_stack=False),
    "lifecycle": Entry("commands", "up from nothing, up again, down", needs_stack=False),
    "beside_stock": Entry("beside_stock", "processor time and start beside stock LiteLLM", needs_stack=False),
    "gateway_memory": Entry("beside_stock", "memory after 10,000 calls, beside stock LiteLLM", needs_stack=False),
    "beside_stock_added": Entry("beside_stock_load", "what is added, beside stock LiteLLM", needs_stack=False),
    "replicas": Entry("beside_stock_load", "1, 2 and 4 replicas, beside stock LiteLLM", needs_stack=False),
    "profile": Entry("profile", "where the gateway's processor time goes", needs_stack=False),
    "idle_host": Entry("idle_host", "a host's processor time with a stack that nobody asks", needs_stack=False),
    "swarm": Entry("swarm", "changes and a killed host on a Swarm of three hosts", needs_stack=False),
    "push": Entry("push", "a changed Friday to a host that has the other images", needs_stack=False),
    "own_image": Entry("own_image", "changes of an image that does not drain, and docker-compose", needs_stack=False),
    "edge": Entry("added_time", "what the edge adds to a request"),
    "edge_image": Entry("edge_image", "another image of the edge under 50 requests a second"),
    "idle_connections": Entry("idle_connections", "10,000 idle connections beside 2,000 requests a minute"),
    "overhead": Entry("added_time", "what the LiteLLM path adds at 2,000 requests a minute"),
    "rollout": Entry("changes", "a changed percentage under 50 requests a second"),
    "rollback": Entry("changes", "the four levels of rollback under the same load, and docker-compose beside them"),
    "dead_model": Entry("dead_model", "the requests after the first model stopped answering"),
    "cached_day": Entry("cached_day", "calls to OpenRouter for a day with repeated requests, with the cache"),
    "memory": Entry("memory", "memory of all containers after a short load"),
    "alerts": Entry("alerts", "processor time and memory of Alertmanager and the rules"),
    "gates": Entry("gates", "status, and the gates over 48 hours of metrics"),
    "report": Entry("report", "the report, and the live page, over seven days of metrics"),
    "gateway_stopped": Entry("gateway_stopped", "the gateway stopped and killed while 100 users ask"),
}
