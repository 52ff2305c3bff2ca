"""The fast switch: HAProxy's runtime API at every edge closes the gateway within a second, without Pulumi."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from components import edge
from ops.errors import OperationError
from ops.hosts import edge_runtime
from ops.hosts.docker_host import DockerHost
from ops.waiting import look_until

# One that starts, or begins to leave, this moment is deaf to everybody. What leaves is not asked.
_STOPPING_SECONDS = 15.0
_EVERY_SECONDS = 0.3


class Switch:
    """The gateway's switch at all edges. What it does holds until an edge is made anew: an update makes it durable."""

    def __init__(self, hosts: Sequence[DockerHost], stack: str) -> None:
        self._hosts = hosts
        self._stack = stack

    def close(self) -> None:
        """Send new requests away from the gateway; running ones finish. OperationError when an edge does not do it."""
        self._move(edge.CLOSE_GATEWAY, is_open=False)

    def open(self) -> None:
        """Let requests to the gateway again. OperationError when an edge does not do it."""
        self._move(edge.OPEN_GATEWAY, is_open=True)

    def _move(self, command: str, *, is_open: bool) -> None:
        found = look_until(
            lambda: self._ask(command), lambda said: None not in said.values(), _STOPPING_SECONDS, _EVERY_SECONDS
        )
        wrong = [name for name, state in found.items() if state is not is_open]
        if wrong or not found:
            what = f"the gateway's switch at {', '.join(wrong)} did not move" if wrong else "no edge runs"
            raise OperationError(what, f"./fridayctl status {self._stack} shows the containers")

    def _ask(self, command: str) -> dict[str, bool | None]:
        """Run a command and return whether each edge is open after it, or None where it does not say."""
        asked = edge_runtime.told(f"{command.strip()}; {edge.SHOW_GATEWAY.strip()}")
        with ThreadPoolExecutor(max(1, len(self._hosts))) as pool:
            ran = pool.map(lambda host: edge_runtime.serving(host, self._stack, asked), self._hosts)
            return {name: _is_open(answer) for answers in ran for name, answer in answers.items()}


def _is_open(answer: str) -> bool | None:
    try:
        return edge.gateway_is_open(answer)
    except ValueError:
        return None
