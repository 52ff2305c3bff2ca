"""A host that counts ssh connections, as `ufw limit` makes one: a stack comes up there, changes and goes back."""

import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing import remote_project
from testing.nested_host import NestedHost
from testing.project import Project
from testing.rig import Rig

pytestmark = [pytest.mark.engine, pytest.mark.beside, pytest.mark.slow]
SECONDS = 60  # twice ufw's: on a slow machine what is too many takes longer


@pytest.fixture
def nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="f-") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        yield


@pytest.mark.usefixtures("nobody_is_logged_in")
def test_a_host_that_counts_connections_gets_a_stack_from_a_cold_start(
    made: Rig, host: NestedHost, tmp_path: Path
) -> None:
    project = remote_project.create(tmp_path, made.of(1))
    stack = project.stack
    project.fridayctl("setup")
    with host.ssh_limited(SECONDS):
        project.fridayctl("images", "push", stack)
        project.fridayctl("up", stack)
        assert project.chat(0).path == "litellm"
        checks = json.loads(project.fridayctl("preflight", stack, "--json").out)["checks"]
        assert {check["name"]: check["state"] for check in checks}["ssh limits"] == "ok"
        project.configure({"rolloutPercentage": 60})
        project.fridayctl("up", stack)
        project.fridayctl("verify", stack)
        assert "no drift" in project.fridayctl("drift", stack).out
        project.fridayctl("rollback", stack, "--level", "1", "--yes")
        assert project.chat(0).path == "direct"
        project.fridayctl("down", stack, "--yes")
        assert_refused_in_words(project, host)


def assert_refused_in_words(project: Project, host: NestedHost) -> None:
    """Who has used the host's patience up is told so: the connection that was there is left out."""
    greeted = sum(greets(host) for _ in range(8))
    assert greeted <= 5
    with tempfile.TemporaryDirectory(prefix="f-") as runtime, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        ran = project.fridayctl("status", project.stack, code=2)
    assert f"{host.url}: cannot be reached" in ran.err
    assert ran.err.count("fix: ") == 1
    assert "Traceback" not in ran.text


def greets(host: NestedHost) -> bool:
    """Return whether its sshd answers a new connection."""
    try:
        with socket.create_connection((host.address, host.ssh_port), timeout=5) as made:
            return made.recv(1) == b"S"
    except OSError:
        return False
