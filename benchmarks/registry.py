"""The measurements by name, in the order in which they run. Nothing heavy is imported: --help reads this too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A measurement: what it is about, and whether the stack has to be up before it starts."""

    about: str
    needs_stack: bool = True


# Name -> module below benchmarks/measures. The dead model comes late: it stays left out for a minute.
MEASUREMENTS = {
    "setup": Entry("set-up when all is there", needs_stack=False),
    "lifecycle": Entry("up from nothing, up again, down", needs_stack=False),
    "edge": Entry("what the edge adds to a request"),
    "overhead": Entry("what the LiteLLM path adds at 2,000 requests a minute"),
    "rollout": Entry("a changed percentage under 50 requests a second"),
    "dead_model": Entry("the requests after the first model stopped answering"),
    "memory": Entry("memory of all containers after a short load"),
}
