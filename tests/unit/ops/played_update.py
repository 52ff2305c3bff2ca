"""Updates that are played: a Docker host, Pulumi's updates, and one deployment of both."""

from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import pytest

from ops.commands import deploy
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.stacks import backups, pulumi_files, stacks
from ops.stacks.pulumi_files import Resource
from ops.stacks.stacks import Update
from tests.unit.given import settings
from tests.unit.ops.deployed import PlayedHosts


class Host:
    """A Docker host with the given containers; it remembers what was asked of it."""

    def __init__(self, names: set[str]) -> None:
        self.has = names
        self.swept: list[set[str]] = []
        self.cleared: set[str] = set()
        self.met: list[tuple[str, str]] = []

    def names(self, _: str) -> set[str]:
        return self.has

    def reasons(self, _: str) -> str:
        return "friday-t-1: exited"

    def remove_orphans(self, _: str, known: set[str]) -> list[str]:
        self.swept.append(known)
        return ["friday-t-stray"]

    def remove_leftovers(self, _: str) -> list[str]:
        return ["friday-t-left"]

    def remove_unhealthy(self, _: str, ids: Collection[str]) -> dict[str, str]:
        self.cleared = set(ids)
        return {each: f"name of {each}" for each in sorted(ids) if each != "late"}

    def containers(self, _: str) -> list[Any]:
        return []

    def replicas(self, _: str, parts: Collection[str], but_not: Collection[str] = ()) -> list[Any]:
        return []

    def guests(self, _: str) -> list[tuple[str, str]]:
        return self.met


class Pulumi:
    """Plays the updates: each call takes the next result, raising it when it is an error."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *results: Update | OperationError, dead: bool = False, cut: str = ""
    ) -> None:
        self._results = list(results)
        self.made: Callable[[], object] = lambda: None
        self.refreshed: list[bool] = []
        self.read: list[str] = []
        opened = SimpleNamespace(name="t", refresh=lambda **_: self.read.append("the hosts"))
        monkeypatch.setattr(stacks, "open_stack", lambda _, **__: opened)
        monkeypatch.setattr(pulumi_files, "release_dead", lambda _: "up: 10 %" if dead else "")
        monkeypatch.setattr(backups, "put_back", lambda _: cut)
        known = Resource.model_validate({"urn": "u", "type": "x", "id": "known"})
        for room in (deploy, pulumi_files):
            monkeypatch.setattr(room, "resources", lambda _: [known])
        monkeypatch.setattr(deploy, "update", self.update)
        monkeypatch.setattr(deploy, "generate_missing", lambda *_: None)

    def update(self, _: Any, message: str, tell: Any, *, refresh: bool = False) -> Update:
        self.refreshed.append(refresh)
        self.made()
        result = self._results.pop(0)
        if isinstance(result, OperationError):
            raise result
        return result


def run(host: Host) -> tuple[Update, list[str]]:
    told: list[str] = []
    deployment = Deployment("t", settings(), lambda _, text: told.append(text))
    deployment.__dict__["hosts"] = PlayedHosts(host)
    deployment.__dict__["made_by_another_state"] = lambda _: None
    return deploy.deploy(deployment, "why"), told
