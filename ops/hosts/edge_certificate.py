"""The certificate that an edge serves at this moment, by HAProxy's runtime API."""

import datetime as dt
import re
import shlex

from components import edge
from ops.hosts.docker_host import DockerHost

_ENDS = re.compile(r"^Not ?After: (.+) GMT$", re.MULTILINE | re.IGNORECASE)


def served_until(host: DockerHost, stack: str) -> dt.datetime | None:
    """Return when the certificate ends that the edge of a host serves, None when no edge says so."""
    line = ["bash", "-c", f'printf %s "$0" | {shlex.join(edge.SOCAT)}', edge.SHOW_CERTIFICATE]
    ends = (_ENDS.search(answer) for answer in host.run_in(stack, edge.NAME, line).values())
    return next((dt.datetime.strptime(f"{end[1]} +0000", "%b %d %H:%M:%S %Y %z") for end in ends if end), None)
