"""What a stack is declared beside: what its host, its Swarm and this machine say of themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.swarm_placement import NO_STRANGERS, Strangers


@dataclass(frozen=True)
class Surroundings:
    """All that the program asks for, and the settings do not say.

    `start_interval` is whether health probes may have one, `kept_images` are the images that stay, by the form of what
    runs of them. Of a Swarm `strangers` are the nodes that are none of its hosts, and `registries` those of its images
    for which this machine has a login. `made_by` says who makes the stack and where its state is, for whoever meets it
    with another state.
    """

    start_interval: bool = False
    kept_images: Mapping[str, str] = field(default_factory=dict)
    strangers: Strangers = NO_STRANGERS
    registries: Sequence[str] = ()
    made_by: str = ""


NOTHING_KNOWN = Surroundings()
