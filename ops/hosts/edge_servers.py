"""What each edge knows of the replicas behind it: which of them get requests, and what the others answered it."""

import csv
import io
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ops.hosts import edge_runtime
from ops.hosts.docker_host import DockerHost

BACKENDS = ("friday", "litellm")
"""The parts behind an edge, by whose names it has a backend each."""

_SERVERS_ONLY = "show stat -1 4 -1"
_HEADER = "# pxname,"
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
    with ThreadPoolExecutor(max(1, len(hosts))) as pool:
        ran = list(pool.map(lambda host: edge_runtime.ask(host, stack, _SERVERS_ONLY), hosts.values()))
    return {
        f"{container} on {address}": list(_servers(printed)) if printed.startswith(_HEADER) else None
        for address, answers in zip(hosts, ran, strict=True)
        for container, printed in answers.items()
    }


def up(servers: Iterable[EdgeServer], part: str) -> int:
    """Return how many replicas of a part get requests."""
    return sum(each.gets_requests for each in servers if each.part == part)


def _servers(printed: str) -> Iterable[EdgeServer]:
    for row in csv.DictReader(io.StringIO(printed.removeprefix("# "))):
        # A slot that waits for an address has none.
        if row["pxname"] in BACKENDS and (address := row["addr"].rpartition(":")[0]):
            check = row["check_status"].removeprefix("* ")
            yield EdgeServer(row["pxname"], address, row["status"], check, row["check_code"])
