"""Which updates run a migration, and what preflight says of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from ops.checks import migration
from ops.commands import deploy, migrate
from ops.errors import OperationError
from ops.hosts import image
from ops.hosts.one_off import OneOff
from ops.stacks.pulumi_files import HeldError
from tests.unit.components.test_migration import OWN
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.hosts.test_one_off import Container, Engine

HOST = "unix:///var/run/docker.sock"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was run: the digests."""
    found: list[str] = []
    monkeypatch.setattr(OneOff, "run", lambda self, _: found.append(self.digest))
    monkeypatch.setattr(image, "find", lambda *_: SimpleNamespace(id="sha256:1"))
    monkeypatch.setattr(migrate, "is_locked", lambda _: False)
    return found


def played(*earlier: Container, **friday: Any) -> tuple[Played, list[str]]:
    told: list[str] = []

    def chosen() -> Any:
        return settings(friday={**OWN, **friday})

    deployment = Played(chosen, lambda _, text: told.append(text)).with_hosts(
        None, {HOST: Engine(Container(), *earlier)}
    )
    return deployment.given(stack=SimpleNamespace(name="t"), decrypted_settings=chosen()), told


@pytest.mark.parametrize("message", ["up: 10 %", "in somebody's own words", ""])
def test_an_update_runs_it(ran: list[str], message: str) -> None:
    deployment, told = played()
    migrate.migrate(deployment, message)
    assert len(ran) == 1
    assert told == ["node dist/migrate.js (up to 90 s)", "ended well"]


@pytest.mark.parametrize("verb", ["rollback", "abort", "fix", "promote", "pause", "resume"])
def test_what_goes_back_or_changes_the_percentage_alone_does_not(ran: list[str], verb: str) -> None:
    migrate.migrate(played()[0], f"{verb}: 10 %")
    assert ran == []


def test_nor_does_one_whose_migration_has_ended_well(ran: list[str]) -> None:
    first, _ = played()
    migrate.migrate(first, "up")
    done = Container(0, status="exited")
    done.labels["friday-litellm.digest"] = ran.pop()
    deployment, told = played(done)
    migrate.migrate(deployment, "up")
    assert (ran, told) == ([], [])
    assert [check.found for check in migration.checks(deployment)] == [
        "node dist/migrate.js (up to 90 s): has ended well already"
    ]


def test_nor_one_without_a_migration(ran: list[str]) -> None:
    deployment, told = played(migrate=None)
    migrate.migrate(deployment, "up")
    assert (ran, told, migration.checks(deployment)) == ([], [], [])


def test_it_does_not_run_beside_another_update(ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "is_locked", lambda _: True)
    with pytest.raises(HeldError, match="another update of t is going on"):
        migrate.migrate(played()[0], "up")
    assert ran == []


def test_preflight_says_that_it_will_run(ran: list[str]) -> None:
    (check,) = migration.checks(played()[0])
    assert check.found == "node dist/migrate.js (up to 90 s): the next ./fridayctl up runs it before new replicas"
    assert ran == []


def test_preflight_does_without_when_the_host_is_lost(ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: Any) -> None:
        raise OperationError("no route", "look")

    monkeypatch.setattr(image, "find", lose)
    (check,) = migration.checks(played()[0])
    assert check.found == "it is not known whether it has to run: no route"


MADE, ENDED = "2026-11-30T11:20:33.123456789Z", "2026-11-30T11:21:07.5Z"


def kept(exit_code: int, digest: str = "another", *, status: str = "exited", made: str = MADE) -> Container:
    found = Container(exit_code, status=status)
    found.labels["friday-litellm.digest"] = digest
    found.attrs |= {"Created": made, "State": {**found.attrs["State"], "FinishedAt": ENDED}}
    return found


def recorded(deployment: Played) -> migration.Record:
    found = migration.record(deployment)
    assert found
    return found


def test_what_is_on_record_is_said_with_what_the_next_update_does(ran: list[str]) -> None:
    assert migration.record(played(migrate=None)[0]) is None
    assert recorded(played()[0]).words("t") == "has not run on this host; the next ./fridayctl up t runs it"
    assert recorded(played()[0]).document() == {"container": None, "at": None, "exit_code": None, "is_current": False}
    first, _ = played()
    migrate.migrate(first, "up")
    other, same = kept(0, made="2026-11-29T00:00:00Z"), kept(0, ran.pop())
    current = recorded(played(other, same)[0])
    assert current.words("t") == "ended with exit code 0 at 2026-11-30 11:21 UTC; as the stack file asks for it"
    assert current.document()["at"] == "2026-11-30T11:21:07+00:00"
    assert recorded(played(other)[0]).words("t").endswith("; the next ./fridayctl up t runs it")
    assert recorded(played(same, kept(0, status="running", made="2026-11-30T12:00:00Z"))[0]).words("t") == (
        "is going on since 2026-11-30 12:00 UTC"
    )


def test_what_is_on_record_is_shown_where_the_secrets_cannot_be_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise OperationError("wrong passphrase", "look")

    monkeypatch.setattr(migration, "plan", refuse)
    words = recorded(played(kept(0))[0]).words("t")
    assert words.startswith(
        "ended with exit code 0 at 2026-11-30 11:21 UTC; whether the next update runs it again is not"
    )


def test_one_that_fails_ends_the_update_before_it_changes_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OperationError("the migration failed", "look")

    monkeypatch.setattr(deploy, "migrate", fail)
    monkeypatch.setattr(deploy, "generate_missing", lambda *_: None)
    monkeypatch.setattr(deploy, "update", lambda *_, **__: pytest.fail("updated"))
    deployment, _ = played()
    deployment.with_hosts(SimpleNamespace(reasons=lambda _: pytest.fail("asked for others' words")))
    with pytest.raises(OperationError, match="the migration failed"):
        deploy.deploy(deployment, "up")
