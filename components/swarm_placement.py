"""Where a Swarm may put the tasks of a stack: not on a node that has not been sent the images that are built here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.workload import Workload

_ANYWHERE = "node.platform.os==linux"
"""A constraint that always holds: without any the plugin leaves those in place that there were before."""


@dataclass(frozen=True)
class Strangers:
    """The `nodes` (their ids) of a Swarm that may get a task and are no host of the stack file.

    `at_work` are by part those of them where a task of it runs: somebody has sent them its image. `limited` are the
    parts whose service is kept off some node now, or was.
    """

    nodes: frozenset[str] = frozenset()
    at_work: Mapping[str, frozenset[str]] = field(default_factory=dict)
    limited: frozenset[str] = frozenset()

    def constraints(self, workload: Workload, sent: frozenset[str]) -> list[str]:
        """Return the constraints of a workload's tasks; `sent` are the names of images built here, without tags.

        A task of such an image cannot start where nobody has sent it, and the Swarm would take that for a bad update
        and go back. Constraints that change alone let the tasks that run go on.
        """
        own = [workload.placement] if workload.placement else []
        off = self.nodes - self.at_work.get(workload.part, frozenset())
        if workload.image.rpartition(":")[0] not in sent or not (off or workload.part in self.limited):
            return own
        return [*own, _ANYWHERE, *(f"node.id!={node}" for node in sorted(off))]


NO_STRANGERS = Strangers()


def is_limited(constraints: list[str]) -> bool:
    """Return whether a service has, or had, to be kept off some node; `constraints` are those that the Swarm has."""
    return _ANYWHERE in constraints
