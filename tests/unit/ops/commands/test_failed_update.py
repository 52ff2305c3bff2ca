"""A failed update leaves what serves and nothing else, and says what its replicas said last."""

from types import SimpleNamespace
from typing import Any

import pytest

from images.tags import local_images
from ops.commands import deploy
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.stacks import stacks
from ops.stacks.pulumi_files import HeldError, Resource
from tests.unit.given import LOCAL, settings
from tests.unit.ops.deployed import PlayedHosts
from tests.unit.ops.played_update import Host, Pulumi


def replica(name: str, part: str = "friday", *, failed: bool = True, kind: str = stacks.CONTAINER) -> Resource:
    labels = [{"label": "friday-litellm.stack", "value": "t"}, {"label": "friday-litellm.part", "value": part}]
    found = {"urn": f"urn:{name}", "type": kind, "id": name, "inputs": {"labels": labels}}
    return Resource.model_validate({**found, "initErrors": ["not healthy"] if failed else []})


def failed_update(
    monkeypatch: pytest.MonkeyPatch, error: OperationError, *, locked: bool = False, **opened: Any
) -> tuple[Host, list[str], list[list[str]]]:
    """Fail an update; return the host, what was told, and what the state was made to look for."""
    Pulumi(monkeypatch, error)
    refreshed: list[list[str]] = []
    stack = SimpleNamespace(name="t", **{"refresh": lambda target, **_: refreshed.append(target), **opened})
    state = [
        replica("new"),
        replica("late"),
        replica("old", failed=False),
        replica("redis", "redis"),
        replica("service", kind="docker:index/service:Service"),
    ]
    monkeypatch.setattr(stacks, "open_stack", lambda *_, **__: stack)
    monkeypatch.setattr(deploy, "resources", lambda _: state)
    monkeypatch.setattr(deploy, "is_locked", lambda _: locked)
    told: list[str] = []
    host = Host(set())
    deployment = Deployment("t", settings(), lambda _, text: told.append(text))
    deployment.__dict__["hosts"] = PlayedHosts(host)
    deployment.__dict__["made_by_another_state"] = lambda _: None
    with pytest.raises(OperationError, match="failed"):
        deploy.deploy(deployment, "why")
    return host, told, refreshed


FAILED = OperationError("failed", "fix", details="not healthy")


def test_a_failed_update_leaves_no_replica_that_never_got_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    host, told, refreshed = failed_update(monkeypatch, FAILED)
    # Not what serves, not what has come up since, and not a part of which there is one only.
    assert host.cleared == {"new", "late"}
    assert told == ["removed name of new, which never got healthy"]
    assert refreshed == [["urn:new"]]


def test_it_leaves_them_to_an_update_that_is_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    host, told, refreshed = failed_update(monkeypatch, FAILED, locked=True)
    assert (host.cleared, told, refreshed) == (set(), [], [])


def test_an_update_that_has_changed_nothing_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    host, told, refreshed = failed_update(monkeypatch, HeldError("failed: another update", "wait"))
    assert (host.cleared, told, refreshed) == (set(), [], [])


def test_what_cannot_be_cleared_away_does_not_hide_why_the_update_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise OperationError("the state is away", "look")

    _, told, _ = failed_update(monkeypatch, FAILED, refresh=refuse)
    assert told[-1] == "what never got healthy could not be cleared away: the state is away"


class Loops:
    """Has taken the replica `new` away during the update, with these words."""

    def __init__(self, words: str) -> None:
        self.words, self.removed = words, {"new": words}

    def __enter__(self) -> "Loops":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def given_up(monkeypatch: pytest.MonkeyPatch, words: str, **friday: Any) -> tuple[OperationError, list[list[str]]]:
    """Fail an update whose replica was taken away with these words; return the error, and what was refreshed."""
    monkeypatch.setattr(deploy, "CrashLoops", lambda *_: Loops(words))
    pulumi = Pulumi(monkeypatch, OperationError("failed", "look", details="No such container: new"))
    refreshed: list[list[str]] = []
    stack = SimpleNamespace(name="t", refresh=lambda target, **_: refreshed.append(target))
    monkeypatch.setattr(stacks, "open_stack", lambda *_, **__: stack)
    monkeypatch.setattr(deploy, "resources", lambda _: [replica("new"), replica("old", failed=False)])
    monkeypatch.setattr(deploy, "is_locked", lambda _: False)
    host = Host(set())
    monkeypatch.setattr(host, "remove_unhealthy", lambda *_: {})  # it is gone
    deployment = Deployment("t", settings(friday={**LOCAL["friday"], **friday}), lambda *_: None)
    deployment.__dict__["hosts"] = PlayedHosts(host)
    deployment.__dict__["made_by_another_state"] = lambda _: None
    with pytest.raises(OperationError, match="failed") as caught:
        deploy.deploy(deployment, "why")
    assert pulumi.refreshed == [False]  # and not made again
    return caught.value, refreshed


def test_what_was_given_up_during_the_update_is_shown_first_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    error, refreshed = given_up(monkeypatch, "friday-t-friday-1: it has ended 5 times at its start")
    assert error.details.splitlines()[0] == "friday-t-friday-1: it has ended 5 times at its start"
    assert refreshed == [["urn:new"]]
    assert error.fix == "look"


NO_FOLDER = "friday-t-friday-1: it has ended 5 times\n  log   | Error: EACCES: permission denied, mkdir '/logs'"


def test_an_own_image_that_may_not_write_somewhere_gets_the_settings_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    error, _ = given_up(monkeypatch, NO_FOLDER, image="friday-ai:1")
    assert error.fix.startswith("Friday's user may not write /logs: name its folder in friday.writable")
    assert error.fix.endswith("./fridayctl up t")


def test_the_reference_friday_has_no_such_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given_up(monkeypatch, NO_FOLDER)[0].fix == "look"


@pytest.mark.parametrize(
    ("host", "image", "fix"),
    [
        ("ssh://ops@far", local_images()["redis"], "./fridayctl images push t, then ./fridayctl up t"),
        ("unix:///var/run/docker.sock", local_images()["redis"], "./fridayctl setup, then ./fridayctl up t"),
        ("ssh://ops@far", "registry.example/redis:1", ""),
    ],
)
def test_an_image_that_the_host_lost_is_brought_back_by_a_command(host: str, image: str, fix: str) -> None:
    said = f"error: Unable to create container with image {image}: unable to pull image {image}: not found"
    found = deploy._no_image(Deployment("t", settings(dockerHost=host), lambda *_: None), said)
    assert found.removeprefix("the host has not got it any more: ") == fix
