"""A container that runs to its end once, on one host: made, watched, and kept when it ended well, to show that it did.

A stopped container is the record. Whoever removes it (`docker container prune`) makes it run once more.
"""

import datetime as dt
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from docker.types import LogConfig

from components.migration import JOB, Migration
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.docker_host import JOB_LABEL, STACK_LABEL, DockerHost
from ops.progress import Say

DIGEST_LABEL = "friday-litellm.digest"
_STOP_SECONDS = 10
_EVERY_SECONDS = 0.5
_SILENT_SECONDS = 10.0
_LAST_LINES = 15
_KEPT = 5
_MOST_AT_ONCE = 5
_SECRET_LETTERS = 6  # fewer are no secret, and would be found everywhere
_UNTOUCHED = "nothing of the stack was changed"
_GOING = ("created", "running", "paused")
_TAKEN = 409  # Docker's status for a name that another container has


def found(client: docker.DockerClient, stack: str) -> list[Container]:
    """Return the containers of a stack that run once, those that have ended too."""
    filters: dict[str, Any] = {"label": [f"{STACK_LABEL}={stack}", f"{JOB_LABEL}={JOB}"]}
    return list(client.containers.list(all=True, filters=filters, ignore_removed=True))


def has_ended_well(containers: Sequence[Container], digest: str) -> bool:
    """Return whether one with this digest is among them that ended with exit code 0."""
    return any(_is_well(each) for each in containers if each.labels.get(DIGEST_LABEL) == digest)


@dataclass(frozen=True)
class Run:
    """A run that is on record: `at` is the time of its end, and while it goes on (no exit code) of its beginning."""

    container: str
    at: dt.datetime
    exit_code: int | None


def newest(containers: Sequence[Container]) -> Run | None:
    """Return the one of them that was made last, None when there is none."""
    if not containers:
        return None
    last = max(containers, key=lambda each: str(each.attrs["Created"]))
    goes_on = last.status in _GOING
    at = last.attrs["Created"] if goes_on else last.attrs["State"]["FinishedAt"]
    exit_code = None if goes_on else int(last.attrs["State"]["ExitCode"])
    return Run(str(last.name), dt.datetime.fromisoformat(f"{str(at)[:19]}+00:00"), exit_code)


def running(containers: Sequence[Container]) -> str:
    """Return the name of the one that runs now, "" when none does."""
    return next((str(each.name) for each in containers if each.status in ("running", "paused")), "")


def remove_all(host: DockerHost, stack: str, say: Say) -> None:
    """Remove a stack's, running or not: they hold its volumes."""
    for each in host.containers(stack):
        if JOB_LABEL in each.labels:
            _remove(each)
            say(f"removed {each.name}")


@dataclass(frozen=True)
class OneOff:
    """A migration of a stack on the host of a client; `digest` is that of all that it does."""

    client: docker.DockerClient
    stack: str
    migration: Migration
    digest: str

    def run(self, say: Say) -> None:
        """Run it to its end, its lines shown; of those that ended well the last few are kept, to go back to and forth.

        Raises OperationError with its last lines when it fails, does not end in time or cannot be started. It is
        removed then, and so it is when the user ends the command. Exit code 2 when one runs already.
        """
        earlier = found(self.client, self.stack)
        if name := running(earlier):
            raise _still_running(self.stack, name)
        for each in earlier:
            if each.labels.get(DIGEST_LABEL) == self.digest or not _is_well(each):  # of an attempt that was killed
                _remove(each)
        earlier = [each for each in earlier if _is_well(each)]
        with _in_words(self.stack):
            container = self._create()
            with _removed_unless_it_ends_well(container):
                exit_code = _follow(container, self.migration.seconds, lambda line: say(self._without_secrets(line)))
                if exit_code != 0:
                    raise self._failure(container, exit_code)
            for each in sorted(earlier, key=lambda each: str(each.attrs["Created"]), reverse=True)[_KEPT - 1 :]:
                _remove(each)

    def _create(self) -> Container:
        """Make the container, as confined as Friday's replicas are, on the networks of the host that they join."""
        workload, labels = self.migration.workload, {STACK_LABEL: self.stack}
        volumes = {workload.volume_name(self.stack, suffix): path for path, suffix in workload.volumes.items()}
        for name in volumes:  # with the label by which `down` finds them; the update takes them as they are
            self.client.volumes.create(name, labels=labels)
        first, *others = workload.outer_networks or ("bridge",)
        container = self.client.containers.create(
            workload.image,
            name=f"friday-{self.stack}-{JOB}-{self.digest}",
            entrypoint=list(workload.command[:1]),
            command=list(workload.command[1:]),
            environment={**workload.env, **workload.secret_env},
            labels={**labels, JOB_LABEL: JOB, DIGEST_LABEL: self.digest},
            user=workload.user,
            network=first,
            volumes={name: {"bind": path, "mode": "rw"} for name, path in volumes.items()},
            tmpfs=workload.tmpfs_options(),
            mem_limit=f"{workload.memory_mb}m",
            memswap_limit=f"{workload.memory_mb}m",
            read_only=workload.read_only,
            init=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            log_config=LogConfig(type="json-file", config={"max-size": "10m", "max-file": "3"}),
            healthcheck={"test": ["NONE"]},  # the image's own is for what serves
        )
        for name in others:
            self.client.networks.get(name).connect(container)
        return container

    def _failure(self, container: Container, exit_code: int | None) -> OperationError:
        """Return the error for one that has ended with an exit code, or not in time (None)."""
        how = f"failed with exit code {exit_code}"
        if exit_code is None:
            how = f"did not end within {self.migration.seconds} s (friday.migrate.seconds) and was stopped"
        elif container.attrs["State"]["OOMKilled"]:
            how += f": it needs more than friday.memoryMb ({self.migration.workload.memory_mb})"
        lines = container.logs(tail=_LAST_LINES).decode(errors="replace").splitlines() or ["(nothing logged)"]
        said = "\n".join(f"  log   | {self._without_secrets(line)}" for line in lines)
        fix = f"correct what its lines say, then ./fridayctl up {self.stack}; {_UNTOUCHED}"
        return OperationError(f"{self.stack}: the migration {how}", fix, details=said)

    def _without_secrets(self, line: str) -> str:
        """Take Friday's secrets out of a line: tools for databases print where they connect to."""
        lines = (part for each in self.migration.workload.secret_env.values() for part in each.splitlines())
        for secret in sorted((each for each in lines if len(each) >= _SECRET_LETTERS), key=len, reverse=True):
            line = line.replace(secret, "***")
        return line


def _follow(container: Container, seconds: int, say: Say) -> int | None:
    """Start it and show what it prints; return its exit code, None when it has not ended after so many seconds."""
    container.start()
    lines: SimpleQueue[str] = SimpleQueue()
    reader = threading.Thread(target=_read, args=(container, lines), daemon=True)
    reader.start()
    began = shown = time.monotonic()
    while True:
        container.reload()
        has_ended = container.status not in _GOING
        if has_ended:
            reader.join(_STOP_SECONDS)  # what it said last is on its way
        if _show(lines, say):
            shown = time.monotonic()
        if has_ended:
            return int(container.attrs["State"]["ExitCode"])
        now = time.monotonic()
        if now - began > seconds:
            return None
        if now - shown > _SILENT_SECONDS:
            shown = now
            say(f"still at work after {now - began:.0f} s of {seconds}")
        time.sleep(_EVERY_SECONDS)


def _read(container: Container, lines: "SimpleQueue[str]") -> None:
    # Whatever breaks the stream, whoever looks at the container itself meets too, and reports.
    with suppress(Exception):
        for text in container.logs(stream=True, follow=True):
            for line in text.decode(errors="replace").splitlines():
                lines.put(line)


def _show(lines: "SimpleQueue[str]", say: Say) -> bool:
    """Show what was printed since the last look, of a flood the end; return whether there was something."""
    printed = []
    with suppress(Empty):
        while True:
            printed.append(lines.get_nowait())
    if len(printed) > _MOST_AT_ONCE:
        say(f"({len(printed) - _MOST_AT_ONCE} lines more)")
    for line in printed[-_MOST_AT_ONCE:]:
        say(line)
    return bool(printed)


@contextmanager
def _removed_unless_it_ends_well(container: Container) -> Iterator[None]:
    """Stop and remove it when what is done in the context fails, or the user ends it."""
    try:
        yield
    except BaseException:
        # When the host is lost, that is what is reported, and it may still be at work there.
        with suppress(DockerException, OperationError):
            container.stop(timeout=_STOP_SECONDS)
            _remove(container)
        raise


@contextmanager
def _in_words(stack: str) -> Iterator[None]:
    """Put what the engine refuses into words: a program that the image lacks, a user that it does not know."""
    try:
        yield
    except DockerException as error:
        if isinstance(error, APIError) and error.status_code == _TAKEN:
            raise _still_running(stack, "another update has just begun it") from error
        said = error.explanation if isinstance(error, APIError) else str(error)
        fix = f"correct what it names in Pulumi.{stack}.yaml, then ./fridayctl up {stack}; {_UNTOUCHED}"
        raise OperationError(f"{stack}: the migration could not be run", fix, details=f"  engine | {said}") from error


def _still_running(stack: str, name: str) -> OperationError:
    fix = f"wait until it has ended, or on the host: docker rm -f it; then ./fridayctl up {stack}"
    return OperationError(f"{stack}: a migration is going on already ({name})", fix, EXIT_USAGE)


def _is_well(container: Container) -> bool:
    return bool(container.status == "exited" and container.attrs["State"]["ExitCode"] == 0)


def _remove(container: Container) -> None:
    with suppress(NotFound):  # somebody else was quicker
        container.remove(force=True, v=True)
