"""Replicas that end again and again at their start: the wait for them is ended, long before its limit."""

import threading
from collections.abc import Collection
from contextlib import suppress

from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from ops.errors import OperationError
from ops.hosts.docker_host import BY_FORCE, DockerHost
from ops.hosts.last_words import complaint_of
from ops.progress import Say

ENDS = 6
"""How often a replica may end before it is given up, as in the Docker plugin that is built here (`ends` in
toolchain/go/docker-provider/shim/health.go). The engine counts a restart when one has ended, and then pauses: 0.1 s,
and twice as long each time. So a database has 3 s, and what the image itself takes six times, to come up meanwhile."""

_EVERY_SECONDS = 1.0
_END_SECONDS = 5.0


class CrashLoops:
    """Watches a host during an update, which waits for what it makes there until that is healthy or time is over.

    To take the container away is what ends that wait, with the official Docker plugin too, which looks at nothing but
    its health. Only those of `parts` that the update itself has made are looked at: what is there before may serve.
    """

    def __init__(self, host: DockerHost, stack: str, parts: Collection[str], say: Say) -> None:
        self._host = host
        self._stack = stack
        self._parts = parts
        self._say = say
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._left_alone: set[str] = set()
        self.removed: dict[str, str] = {}
        """What was taken away: its name and last words, by id."""

    def __enter__(self) -> "CrashLoops":
        if self._parts:
            self._left_alone = {str(each.id) for each in self._host.replicas(self._stack, self._parts)}
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._parts:
            self._over.set()
            self._thread.join(_END_SECONDS)  # it may hang on a host that is lost

    @property
    def words(self) -> str:
        """Return the last words of what was taken away, "" when nothing was."""
        return "\n".join(self.removed.values())

    def _watch(self) -> None:
        # Who waits for a host that is lost meanwhile says so.
        with suppress(DockerException, OSError, OperationError):
            while not self._over.wait(_EVERY_SECONDS):
                for container in self._host.replicas(self._stack, self._parts, self._left_alone):
                    self._judge(container)

    def _judge(self, container: Container) -> None:
        state, ends = container.attrs["State"], int(container.attrs["RestartCount"])
        if state.get("Health", {}).get("Status") == "healthy":
            self._left_alone.add(str(container.id))  # the update goes on with it
        # One that was just started once more gets its turn: its exit code is that of the last one's end only before.
        elif ends > ENDS or (ends == ENDS and state["Status"] == "restarting"):
            how = f", last with exit code {state['ExitCode']}" if state["Status"] == "restarting" else ""
            words = f"{container.name}: it has ended {ends} times at its start{how}; it is waited for no longer"
            said = complaint_of(container).partition("\n")[2]
            with suppress(NotFound):
                container.remove(**BY_FORCE)
            self.removed[str(container.id)] = f"{words}\n{said}"
            self._say(words)
