"""What runs once on a host: made, watched to its end or its limit, and removed unless it ended well."""

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, NotFound
from requests import Response

from components.migration import migration
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.hosts import one_off
from ops.hosts.docker_host import JOB_LABEL
from ops.hosts.one_off import OneOff
from tests.unit.components.test_migration import OWN
from tests.unit.declared import IMAGES
from tests.unit.given import settings

DIGEST = "0123456789ab"
SECRET = "postgres-password"


class Container:
    """A container that ends after some looks with an exit code; without one it never ends."""

    def __init__(self, exit_code: int | None = 0, lines: tuple[str, ...] = (), *, status: str = "created") -> None:
        self.name, self.status, self.lines = "friday-t-migrate-1", status, lines
        self.labels = {one_off.DIGEST_LABEL: DIGEST, JOB_LABEL: "migrate"}
        self.attrs: dict[str, Any] = {"State": {"ExitCode": exit_code, "OOMKilled": exit_code == 137}, "Created": ""}
        self.done: list[str] = []
        self.looks = 0
        self.on_start: Exception | None = None
        self.on_look: BaseException | None = None
        self.has_printed = threading.Event()

    def start(self) -> None:
        if self.on_start:
            raise self.on_start
        self.status = "running"

    def reload(self) -> None:
        self.has_printed.wait(10)
        self.looks += 1
        if self.on_look:
            raise self.on_look
        if self.looks > 1 and self.attrs["State"]["ExitCode"] is not None:
            self.status = "exited"

    def logs(self, *, stream: bool = False, follow: bool = False, tail: int = 0) -> Any:
        return self._stream() if stream else "\n".join(self.lines[-tail:]).encode()

    def _stream(self) -> Iterator[bytes]:
        yield from (f"{line}\n".encode() for line in self.lines)
        self.has_printed.set()
        if self.on_look:
            raise ConnectionError("the stream broke")

    def stop(self, timeout: int) -> None:
        self.done.append(f"stopped within {timeout}")

    def remove(self, *, force: bool, v: bool) -> None:
        assert force
        assert v
        self.done.append("removed")


class Engine:
    """An engine with some containers; the next that is made is the given one."""

    def __init__(self, made: Container, *earlier: Container) -> None:
        self.made: dict[str, Any] = {}
        self.volumes_made: list[tuple[str, Any]] = []
        self.joined: list[str] = []
        self.refusal: Exception | None = None

        def create(image: str, **options: Any) -> Container:
            if self.refusal:
                raise self.refusal
            self.made = {"image": image, **options}
            return made

        self.containers = SimpleNamespace(list=lambda **_: list(earlier), create=create)
        self.volumes = SimpleNamespace(create=lambda name, labels: self.volumes_made.append((name, labels)))
        self.networks = SimpleNamespace(get=lambda name: SimpleNamespace(connect=lambda _: self.joined.append(name)))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_off, "_EVERY_SECONDS", 0.001)


def run(engine: Engine, seconds: int = 60, **friday: Any) -> list[str]:
    told: list[str] = []
    asked = {**OWN, "migrate": {"command": ["node", "migrate.js"], "seconds": seconds}, **friday}
    planned = migration(
        "t", settings(friday=asked, fridaySecrets={"DATABASE_PASSWORD": f"{SECRET}\nmore-of-it", "X": "a"}), IMAGES
    )
    assert planned
    OneOff(engine, "t", planned, DIGEST).run(told.append)  # type: ignore[arg-type]
    return told


def earlier_one(exit_code: int = 0, created: str = "") -> Container:
    """Return a container of other settings that has ended."""
    made = Container(exit_code, status="exited")
    made.labels[one_off.DIGEST_LABEL] = "another"
    made.attrs["Created"] = created
    return made


def test_it_ends_well_as_friday_would_run() -> None:
    made, earlier = Container(0, ("one", f"to x:{SECRET}@database: more-of-it")), earlier_one()
    engine = Engine(made, earlier)
    assert run(engine, networks=["database", "mail"]) == ["one", "to x:***@database: ***"]
    assert (made.done, earlier.done) == ([], [])
    options = engine.made
    assert (options["name"], options["network"]) == (f"friday-t-migrate-{DIGEST}", "database")
    assert engine.joined == ["mail"]
    assert (options["entrypoint"], options["command"]) == (["node"], ["migrate.js"])
    assert options["environment"]["DATABASE_PASSWORD"].startswith(SECRET)
    assert SECRET not in str({key: value for key, value in options.items() if key != "environment"})
    assert (options["user"], options["cap_drop"], options["init"]) == ("1000:1000", ["ALL"], True)
    assert engine.volumes_made == [("friday-t-friday-app-uploads", {"friday-litellm.stack": "t"})]
    assert options["volumes"] == {"friday-t-friday-app-uploads": {"bind": "/app/uploads", "mode": "rw"}}


def test_the_last_that_ended_well_are_kept_to_go_back_to() -> None:
    earlier = [earlier_one(created=f"2026-11-{day:02}") for day in range(10, 16)]
    failed = earlier_one(1, "2026-11-20")
    run(Engine(Container(), failed, *earlier))
    assert [each.done for each in earlier] == [["removed"]] * 2 + [[]] * 4
    assert failed.done == ["removed"]


def test_without_networks_of_the_host_it_is_on_the_engines_own() -> None:
    engine = Engine(Container())
    run(engine, networks=[])
    assert (engine.made["network"], engine.joined) == ("bridge", [])


def test_of_a_flood_the_end_is_shown() -> None:
    told = run(Engine(Container(0, tuple(f"line {number}" for number in range(9)))))
    assert told == ["(4 lines more)", *(f"line {number}" for number in range(4, 9))]


@pytest.mark.parametrize(("exit_code", "words"), [(3, "failed with exit code 3"), (137, "more than friday.memoryMb")])
def test_one_that_fails_is_removed_with_its_last_words(exit_code: int, words: str) -> None:
    made, earlier = Container(exit_code, (f"no {SECRET}",)), earlier_one()
    with pytest.raises(OperationError, match=words) as caught:
        run(Engine(made, earlier))
    assert (caught.value.exit_code, caught.value.details) == (EXIT_FAILED, "  log   | no ***")
    assert "nothing of the stack was changed" in caught.value.fix
    assert made.done == ["stopped within 10", "removed"]
    assert earlier.done == []  # it is still true of the image before


def test_one_that_hangs_says_so_meanwhile_and_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_off, "_SILENT_SECONDS", 0.01)
    made, told = Container(None), list[str]()
    planned = migration("t", settings(friday=OWN), IMAGES)
    assert planned
    with pytest.raises(OperationError, match=r"did not end within 90 s \(friday.migrate.seconds\)") as caught:
        moments = iter(range(0, 1000, 30))
        monkeypatch.setattr(time, "monotonic", lambda: next(moments))
        OneOff(Engine(made), "t", planned, DIGEST).run(told.append)  # type: ignore[arg-type]
    assert made.done == ["stopped within 10", "removed"]
    assert told[0] == "still at work after 30 s of 90"
    assert caught.value.details == "  log   | (nothing logged)"


def test_it_goes_when_the_user_ends_the_command() -> None:
    made = Container(0)
    made.on_look = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(Engine(made))
    assert made.done == ["stopped within 10", "removed"]


def test_a_lost_host_is_what_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Container(0)
    made.on_look = OperationError("connection lost", "look")
    monkeypatch.setattr(made, "stop", lambda **_: (_ for _ in ()).throw(OperationError("lost again", "look")))
    with pytest.raises(OperationError, match="connection lost"):
        run(Engine(made))


def refused(status: int, words: str) -> APIError:
    response = Response()
    response.status_code = status
    return APIError(words, response, words)


def test_what_the_engine_refuses_is_named() -> None:
    made = Container()
    made.on_start = refused(400, 'exec: "node": not found')
    with pytest.raises(OperationError, match="could not be run") as caught:
        run(Engine(made))
    assert 'engine | exec: "node": not found' in caught.value.details
    assert made.done == ["stopped within 10", "removed"]


@pytest.mark.parametrize("status", ["running", "paused"])
def test_two_never_run_at_once(status: str) -> None:
    earlier = Container(status=status)
    with pytest.raises(OperationError, match=r"going on already \(friday-t-migrate-1\)") as caught:
        run(Engine(Container(), earlier))
    assert (caught.value.exit_code, earlier.done) == (EXIT_USAGE, [])


def test_nor_when_another_update_was_quicker() -> None:
    engine = Engine(Container())
    engine.refusal = refused(409, "the name is in use")
    with pytest.raises(OperationError, match="another update has just begun it"):
        run(engine)


def test_what_is_left_of_a_killed_attempt_is_in_nobodys_way() -> None:
    left = Container(3, status="exited")
    run(Engine(Container(), left))
    assert left.done[0] == "removed"


@pytest.mark.parametrize(
    ("status", "exit_code", "digest", "well"),
    [
        ("exited", 0, DIGEST, True),
        ("exited", 1, DIGEST, False),
        ("exited", 0, "another", False),
        ("running", 0, DIGEST, False),
        ("created", 0, DIGEST, False),
    ],
)
def test_only_exit_code_0_of_the_same_counts(status: str, exit_code: int, digest: str, well: bool) -> None:
    container = Container(exit_code, status=status)
    container.labels[one_off.DIGEST_LABEL] = digest
    assert one_off.has_ended_well(one_off.found(Engine(Container(), container), "t"), DIGEST) is well  # type: ignore[arg-type]


def test_down_removes_it_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    job, replica = Container(), Container()
    replica.labels = {}
    told: list[str] = []
    host: Any = SimpleNamespace(containers=lambda _: [job, replica])
    monkeypatch.setattr(job, "remove", lambda **_: (_ for _ in ()).throw(NotFound("gone")))
    one_off.remove_all(host, "t", told.append)
    assert (told, replica.done) == (["removed friday-t-migrate-1"], [])
