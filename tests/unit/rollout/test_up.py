"""Updates that meet a host which is not as the state says, and failures that bring the containers' own words."""

from types import SimpleNamespace
from typing import Any

import pytest

from rollout import down, up
from rollout.errors import OperationError
from rollout.stacks import Update
from tests.unit.given import settings

TAKEN = OperationError("failed", "mend", details="the name x is already in use by container y")
OUTPUTS: dict[str, object] = {"fridayUrl": "http://127.0.0.1:1", "instances": {"friday": ["friday-t-1"]}}


class Host:
    """A Docker host with the given containers; it remembers what was asked of it."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self.swept: list[set[str]] = []

    def names(self, _: str) -> set[str]:
        return self._names

    def complaint(self, _: str) -> str:
        return "friday-t-1: exited"

    def remove_strays(self, _: str, known: set[str]) -> list[str]:
        self.swept.append(known)
        return ["friday-t-stray"]

    def remove_leftovers(self, _: str) -> list[str]:
        return ["friday-t-left"]


class Pulumi:
    """Plays the updates: each call takes the next result, raising it when it is an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *results: Update | OperationError, dead: bool = False) -> None:
        self._results = list(results)
        self.refreshed: list[bool] = []
        monkeypatch.setattr(up, "open_stack", lambda name: SimpleNamespace(name=name))
        monkeypatch.setattr(up, "release_dead_lock", lambda _: dead)
        monkeypatch.setattr(up, "container_ids", lambda _: {"known"})
        monkeypatch.setattr(up, "update", self.update)

    def update(self, _: Any, message: str, tell: Any, *, refresh: bool = False) -> Update:
        self.refreshed.append(refresh)
        result = self._results.pop(0)
        if isinstance(result, OperationError):
            raise result
        return result


def run(host: Host) -> tuple[Update, list[str]]:
    told: list[str] = []
    return up._update("t", "why", host, told.append), told  # type: ignore[arg-type]


def test_a_calm_update_is_one_update(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, Update(0, OUTPUTS), dead=True)
    done, told = run(Host({"friday-t-1"}))
    assert (done.changed, pulumi.refreshed) == (0, [False])
    assert told == ["the last update was killed; its lock is freed", "nothing to change"]


def test_a_vanished_container_is_made_again_after_a_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, Update(0, OUTPUTS), Update(1, OUTPUTS))
    done, told = run(Host(set()))
    assert (done.changed, pulumi.refreshed) == (1, [False, True])
    assert "friday-t-1" in told[0]


def test_a_stray_container_in_the_way_is_removed_and_the_update_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi(monkeypatch, TAKEN, Update(2, OUTPUTS))
    host = Host({"friday-t-1"})
    done, told = run(host)
    assert (done.changed, pulumi.refreshed, host.swept) == (2, [False, True], [{"known"}])
    assert any("friday-t-stray" in line for line in told)


def test_any_other_failure_brings_the_containers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    Pulumi(monkeypatch, OperationError("failed", "mend", details="not healthy"))
    with pytest.raises(OperationError) as caught:
        run(Host({"friday-t-1"}))
    assert caught.value.details == "not healthy\nfriday-t-1: exited"


def test_no_quota_of_the_real_upstream_is_spent_on_the_check() -> None:
    told: list[str] = []
    real = settings(upstream="openrouter")
    assert up._answers(Update(3, OUTPUTS), real, lambda label, text: told.append(text)) == []
    assert told == ["every container is healthy"]


def test_down_frees_a_dead_lock_and_tells_what_was_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    destroyed: list[str] = []
    monkeypatch.setattr(down, "read_settings", lambda _: settings())
    monkeypatch.setattr(down, "DockerHost", lambda _: Host(set()))
    monkeypatch.setattr(down, "open_stack", lambda name: SimpleNamespace(name=name))
    monkeypatch.setattr(down, "release_dead_lock", lambda _: True)
    monkeypatch.setattr(down, "destroy", lambda stack, _: destroyed.append(stack.name))
    told: list[str] = []
    down.take_down("t", told.append)
    assert destroyed == ["t"]
    assert [line.split()[0] for line in told] == ["the", "removed"]
