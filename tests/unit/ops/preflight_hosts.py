"""Hosts of the tests of preflight: engines on sockets that answer as given, and stacks on them."""

from pathlib import Path
from typing import Any

import pytest

from components.settings.stack import StackSettings
from images.tags import local_images
from ops.checks.preflight import facts
from ops.progress import Report
from ops.rollout.history import Entry
from testing.ports import free_ports
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.engine import image


def every_image() -> dict[str, Any]:
    return {path: answer for each in local_images().values() for path, answer in image(each).items()}


@pytest.fixture
def local(tmp_path: Path) -> StackSettings:
    """Settings with free ports, whose engine is on a socket of the test."""
    users, gateway, simulator, monitoring, alerts = free_ports(5)
    return settings(
        dockerHost=f"unix://{tmp_path / 'docker.sock'}",
        edge={"port": users, "gatewayPort": gateway},
        simulator={"port": simulator},
        monitoring={"port": monitoring, "alerts": {"port": alerts}},
    )


@pytest.fixture
def built_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's engine is also the one that builds the images."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'docker.sock'}")


@pytest.fixture(autouse=True)
def history(monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """The history of the stack `t`, which no backend knows."""
    entries: list[Entry] = []
    monkeypatch.setattr(facts, "_history", lambda _: entries)
    return entries


def deployment(given: StackSettings, report: Report = lambda *_: None) -> Played:
    """Return a deployment that reaches the hosts which its settings name."""
    return Played(lambda: given, report)
