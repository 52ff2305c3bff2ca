"""What each edge knows of the replicas behind it: which of them get requests, and what the others answered it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ops.hosts import edge_runtime
from ops.hosts.docker_host import DockerHost

BACKENDS = ("friday", "litellm")
"""The parts behind an edge, by whose names it has a backend each."""

_WORDS = {"NOLB": "says that it leaves", "DRAIN": "is being drained", "MAINT": "is in maintenance"}


@dataclass(frozen=True)
class EdgeServer:
    """One replica as one edge sees it: its part and address, and what the edge's own check of it said last.

    `status` is HAProxy's word for it (UP, DOWN, NOLB, DRAIN, MAINT), `check` that of the last check, such as L7OKC,
    and `answer` the HTTP status that it got ("" for none).
    """

    part: str
    address: str
    status: str
    check: str
    answer: str

    @property
    def gets_requests(self) -> bool:
        """Return whether new requests go there."""
        return self.status.startswith("UP")

    @property
    def is_last_resort(self) -> bool:
        """Return whether new requests go there when none gets them (`use-server` in the edge's configuration)."""
        return self.status.startswith(("NOLB", "DRAIN"))

    @property
    def words(self) -> str:
        """Return why it gets none."""
        if self.answer and self.answer != "200":
            return f"answers its check with {self.answer}"
        return _WORDS.get(self.status.split(" ", maxsplit=1)[0], f"does not answer its check ({self.check})")


def edge_servers(hosts: Mapping[str, DockerHost], stack: str) -> dict[str, list[EdgeServer] | None]:
    """Ask every running edge of a stack; return what each says, by "container on host", None where it says nothing."""
    said = edge_runtime.run_everywhere(hosts, stack, edge_runtime.told(edge_runtime.SHOW_SERVERS))
    return {
        name: list(_servers(printed)) if printed.startswith(edge_runtime.SERVERS_HEAD) else None
        for name, printed in said.items()
    }


def up(servers: Iterable[EdgeServer], part: str) -> int:
    """Return how many replicas of a part get requests."""
    return sum(each.gets_requests for each in servers if each.part == part)


def _servers(printed: str) -> Iterable[EdgeServer]:
    for row in edge_runtime.table(printed, edge_runtime.SERVERS_HEAD, ","):
        # A slot that waits for an address has none.
        if row["pxname"] in BACKENDS and (address := row["addr"].rpartition(":")[0]):
            check = row["check_status"].removeprefix("* ")
            yield EdgeServer(row["pxname"], address, row["status"], check, row["check_code"])
