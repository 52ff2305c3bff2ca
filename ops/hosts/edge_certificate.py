"""The certificate that an edge serves at this moment, by HAProxy's runtime API."""

import datetime as dt
import re
from collections.abc import Iterable
from contextlib import suppress

from docker.errors import DockerException

from components import edge
from ops.errors import OperationError
from ops.hosts import edge_runtime
from ops.hosts.docker_host import DockerHost

_ENDS = re.compile(r"^Not ?After: (.+) GMT$", re.MULTILINE | re.IGNORECASE)


def served_until(host: DockerHost, stack: str) -> dt.datetime | None:
    """Return when the certificate ends that the edge of a host serves, None when no edge says so."""
    ends = (_ENDS.search(answer) for answer in edge_runtime.ask(host, stack, edge.SHOW_CERTIFICATE).values())
    return next((dt.datetime.strptime(f"{end[1]} +0000", "%b %d %H:%M:%S %Y %z") for end in ends if end), None)


def served_last(hosts: Iterable[DockerHost], stack: str) -> dt.datetime | None:
    """Return the latest end of a certificate that an edge of these hosts serves; one that cannot be asked has none."""
    found: list[dt.datetime] = []
    for host in hosts:
        with suppress(OperationError, DockerException):
            if ends := served_until(host, stack):
                found.append(ends)
    return max(found, default=None)
