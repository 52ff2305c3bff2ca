"""Replicas that end again and again at their start."""

import time
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, DockerException, NotFound

from ops.errors import OperationError
from ops.hosts import crash_loops
from ops.hosts.crash_loops import ENDS, CrashLoops
from ops.hosts.docker_host import PART_LABEL, DockerHost


class Replica:
    """A container that was started again so often; it remembers that it was removed."""

    def __init__(self, name: str, restarts: int, status: str = "restarting", health: str = "unhealthy") -> None:
        self.id, self.name = f"{name}-id", name
        self.attrs = {
            "RestartCount": restarts,
            "State": {"Status": status, "ExitCode": 1, "Health": {"Status": health}},
        }
        self.gone = False

    def logs(self, **_: Any) -> bytes:
        return b"cannot reach the database\n"

    def remove(self, **_: Any) -> None:
        if self.gone:
            raise NotFound("somebody else was quicker")
        self.gone = True


class Host:
    """Has one replica that serves, whatever became of it, and those that an update makes."""

    def __init__(self, *made: Replica) -> None:
        self.old = Replica("old", 99)
        self.made = list(made)
        self.looks = 0

    def replicas(self, _: str, parts: Collection[str], but_not: Collection[str] = ()) -> list[Replica]:
        self.looks += 1
        there = [self.old, *(self.made if self.looks > 1 else [])]
        return [each for each in there if not each.gone and each.id not in but_not]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash_loops, "_EVERY_SECONDS", 0.001)


def watched(host: Any, looks: Callable[[], bool], parts: Collection[str] = ("friday",)) -> tuple[CrashLoops, list[str]]:
    """Watch a host until it was looked at enough."""
    said: list[str] = []
    with CrashLoops(host, "t", parts, said.append) as loops:
        deadline = time.monotonic() + 30
        while not looks():
            assert time.monotonic() < deadline, "nobody looks"
            time.sleep(0.001)
    return loops, said


def test_one_that_ends_again_and_again_is_taken_away_with_its_last_words() -> None:
    host = Host(Replica("new", ENDS))
    loops, said = watched(host, lambda: host.looks > 3)
    head = f"new: it has ended {ENDS} times at its start, last with exit code 1; it is waited for no longer"
    assert said == [head]
    assert loops.words == f"{head}\n  log   | cannot reach the database"
    assert loops.removed.keys() == {"new-id"}
    assert host.made[0].gone
    assert not host.old.gone


def test_one_that_was_just_started_once_more_gets_its_turn() -> None:
    trying, over = (
        Replica("trying", ENDS, "running", "starting"),
        Replica("over", ENDS + 1, "running", "starting"),
    )
    host = Host(Replica("few", ENDS - 1), trying, over)
    loops, said = watched(host, lambda: host.looks > 3)
    assert loops.removed.keys() == {"over-id"}
    assert "exit code" not in said[0]


def test_one_that_was_healthy_once_is_left_to_whoever_goes_on_with_it() -> None:
    host = Host(replica := Replica("new", 0, "running", "healthy"))
    looks = iter(range(100))

    def grown_worse() -> bool:
        if host.looks > 2:
            replica.attrs = Replica("new", ENDS).attrs
        return next(looks) > 50 and host.looks > 6

    loops, said = watched(host, grown_worse)
    assert (loops.removed, loops.words, said) == ({}, "", [])


def test_one_that_somebody_else_has_removed_is_no_error() -> None:
    replica = Replica("new", ENDS)
    host = Host(replica)
    replica.remove = lambda **_: (_ for _ in ()).throw(NotFound("gone"))  # type: ignore[method-assign]
    loops, _ = watched(host, lambda: host.looks > 3)
    assert loops.removed.keys() == {"new-id"}


@pytest.mark.parametrize("error", [DockerException("away"), OSError("away"), OperationError("away", "look")])
def test_a_host_that_is_lost_is_looked_at_no_more(error: Exception) -> None:
    class Lost(Host):
        def replicas(self, *_: Any, **__: Any) -> list[Replica]:
            self.looks += 1
            if self.looks > 1:
                raise error
            return []

    host = Lost()
    with CrashLoops(host, "t", ["friday"], pytest.fail) as loops:  # type: ignore[arg-type]
        loops._thread.join(30)
        assert not loops._thread.is_alive()
    assert host.looks == 2


def test_the_words_of_one_that_is_being_removed_are_done_without() -> None:
    def refuse(**_: Any) -> bytes:
        raise APIError("409", explanation="can not get logs from container which is dead or marked for removal")

    replica = Replica("new", ENDS)
    replica.logs = refuse  # type: ignore[method-assign]
    loops, _ = watched(host := Host(replica), lambda: host.looks > 3)
    assert loops.words.endswith("log   | (can not get logs from container which is dead or marked for removal)")


def test_without_parts_nobody_looks() -> None:
    host = Host(Replica("new", ENDS))
    loops, _ = watched(host, lambda: True, parts=())
    assert (host.looks, loops.words) == (0, "")


def test_a_host_looks_at_the_replicas_that_are_asked_for_only() -> None:
    def get(id_: str) -> str:
        if id_ == "gone":
            raise NotFound("gone")
        return f"container {id_}"

    of = {"a": "friday", "b": "litellm", "c": "redis", "d": "friday", "gone": "friday", "files": None}
    listed = [{"Id": id_, "Labels": {PART_LABEL: part} if part else {}} for id_, part in of.items()]
    client: Any = SimpleNamespace(
        api=SimpleNamespace(containers=lambda **_: listed), containers=SimpleNamespace(get=get)
    )
    assert DockerHost(client).replicas("t", {"friday", "litellm"}, {"d"}) == ["container a", "container b"]
