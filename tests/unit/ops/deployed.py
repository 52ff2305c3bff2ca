"""A deployment whose stack, hosts and history are what a test gives."""

from collections.abc import Callable
from typing import Any

import pytest

from components.settings.stack import StackSettings
from ops.deployment import Deployment
from ops.hosts.docker_host import DockerHost
from ops.hosts.other_state import Made
from ops.progress import Report, Say
from ops.rollout.history import Entry
from tests.unit.given import settings


class PlayedHosts:
    """Hosts that answer as given: `manager` speaks for the stack, `by_address` are all."""

    def __init__(self, manager: Any = None, by_address: dict[str, Any] | None = None) -> None:
        self.manager = manager
        self.by_address = by_address or {}

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self.by_address)

    @property
    def connected(self) -> dict[str, DockerHost]:
        return self.by_address

    def answering(self, lost: Say) -> dict[str, DockerHost]:
        return self.by_address

    def client(self, address: str) -> Any:
        return self.by_address[address]


class Played(Deployment):
    """A deployment of the stack `t`; what is not given is not there, and asking for it fails."""

    def __init__(self, chosen: Callable[[], StackSettings] = settings, report: Report = lambda *_: None) -> None:
        super().__init__("t", chosen(), report)
        self._chosen = chosen
        self.entries: Callable[[], list[Entry]] = list
        self.has_failed: Exception | None = None

    def reload(self) -> StackSettings:
        self.settings = self._chosen()
        return self.settings

    def open_to_change(self, **_: bool) -> Any:
        return self.stack

    def made_by_another_state(self, found: Any) -> Made | None:
        return self.__dict__.get("made")

    def read_history_again(self) -> list[Entry]:
        return self.entries()

    def with_hosts(self, manager: Any = None, by_address: dict[str, Any] | None = None) -> "Played":
        self.__dict__["hosts"] = PlayedHosts(manager, by_address)
        return self

    def given(self, **parts: Any) -> "Played":
        """Return it with these in the place of what would be opened: stack, history, switch, decrypted_settings."""
        self.__dict__.update(parts)
        return self

    def everywhere(self, monkeypatch: pytest.MonkeyPatch) -> "Played":
        """Let every command open this one."""

        def open_played(name: str, report: Report) -> Deployment:
            self.report = report
            self.reload()
            self.__dict__.setdefault("history", self.entries())
            return self

        monkeypatch.setattr(Deployment, "open", open_played)
        return self
