"""The words for what is not healthy on a host, and how long a container that has just started is waited for."""

from types import SimpleNamespace
from typing import Any

import pytest

from ops.hosts import docker_host
from ops.hosts.docker_host import REPLICA_LABEL, DockerHost


class Looked:
    """A container whose state is another at each look; the last one stays."""

    def __init__(self, *states: tuple[str, str], restarts: int = 0) -> None:
        self.labels, self.name, self._restarts = {REPLICA_LABEL: "1"}, "friday-1", restarts
        self._states = list(states)
        self.looks = 0

    @property
    def attrs(self) -> dict[str, Any]:
        return self._attributes

    def look(self) -> "Looked":
        status, health = self._states[min(self.looks, len(self._states) - 1)]
        self.looks += 1
        state = {"Status": status, "ExitCode": 0, "StartedAt": "2026-11-27T18:00:00", "Health": {"Status": health}}
        networks = {"Networks": {"friday-t-app": {"IPAddress": "10.0.0.1"}}}
        self._attributes = {
            "State": state,
            "RestartCount": self._restarts,
            "Config": {"Image": "friday"},
            "NetworkSettings": networks,
        }
        return self

    def logs(self, tail: int) -> bytes:
        return b"listening\n" * min(tail, 1)


def looking_at(container: Looked, monkeypatch: pytest.MonkeyPatch, well: int = 0) -> DockerHost:
    """A host with one container, of which its engine calls `well` many healthy in its plain list."""
    made = DockerHost.__new__(DockerHost)
    made._client = SimpleNamespace(  # type: ignore[assignment]
        containers=SimpleNamespace(list=lambda **_: [container.look()]),
        api=SimpleNamespace(containers=lambda filters, **_: [{}] * (well if "health" in filters else 1)),
    )
    monkeypatch.setattr(docker_host, "_EVERY_SECONDS", 0.0)
    return made


def test_a_container_that_has_just_started_is_given_time_for_its_first_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    container = Looked(("running", "starting"), ("running", "starting"), ("running", "healthy"))
    assert looking_at(container, monkeypatch).complaint("t") == ""


def test_where_all_is_well_no_container_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    container = Looked(("running", "healthy"))
    assert looking_at(container, monkeypatch, well=1).complaint("t") == ""
    assert container.looks == 0


def test_the_time_for_a_first_probe_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_host, "_FIRST_PROBE_SECONDS", 0.01)
    said = looking_at(Looked(("running", "starting")), monkeypatch).complaint("t")
    assert said == "friday-1: running, starting\n  log   | listening"


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (Looked(("running", "unhealthy")), "running, unhealthy"),
        (Looked(("running", "starting"), restarts=1), "running, starting"),
        (Looked(("restarting", "starting")), "restarting, starting"),
    ],
    ids=["unhealthy", "failed before", "between two tries"],
)
def test_what_has_failed_is_complained_of_at_once(
    container: Looked, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = looking_at(container, monkeypatch).complaint("t")
    assert said.startswith(f"friday-1: {words}\n")
    assert container.looks == 1
