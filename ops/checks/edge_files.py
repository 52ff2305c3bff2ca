"""Whether each edge runs with the files that an update has written for it."""

from collections.abc import Mapping

from components.edge import TAKEN
from ops.errors import CheckError
from ops.hosts.docker_host import DockerHost
from ops.hosts.edge_runtime import run_everywhere
from ops.waiting import look_until

_SECONDS = 30.0  # an edge looks twice a second; what takes long on a busy host is the start of another process
_EVERY = 0.3


def require_taken(stack: str, hosts: Mapping[str, DockerHost]) -> None:
    """Wait until every edge has taken its files; CheckError with HAProxy's own words when one does not."""
    wrong = look_until(lambda: _waiting(stack, hosts), lambda found: not found, _SECONDS, _EVERY)
    if wrong:
        fix = f"./fridayctl logs {stack} edge says more; ./fridayctl status {stack} whether users are served"
        raise CheckError(f"{stack}: an edge has not taken its new configuration", fix, details="\n".join(wrong))


def _waiting(stack: str, hosts: Mapping[str, DockerHost]) -> list[str]:
    said = run_everywhere(hosts, stack, ["bash", "-c", TAKEN])
    return [f"{name}: {text.strip() or 'no answer'}" for name, text in said.items() if text.strip() != "taken"]
