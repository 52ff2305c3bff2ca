"""The engine: found, started, installed, or refused with the way out."""

import json
import os
from pathlib import Path

import pytest

from tests.unit.recorded_engines import ENGINE_20, PODMAN
from tests.unit.toolchain.conftest import Stub
from toolchain import docker_engine
from toolchain.docker_engine import DOCKER_ENGINE, Engine
from toolchain.engine_traits import Traits
from toolchain.errors import SetupError

SERVER = json.dumps({"Version": "20.10.24", "ApiVersion": "1.41"})
ANSWERS = "Error response from daemon"
MAXIMUM = "Maximum supported API version is"
DOWN = "echo 'Cannot connect to the Docker daemon' >&2; exit 1"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without systemd, of root, with a short patience."""
    monkeypatch.setattr(docker_engine, "DAEMON_LOG", tmp_path / "dockerd.log")
    monkeypatch.setattr(docker_engine, "_START_SECONDS", 3.0)
    monkeypatch.setattr(docker_engine, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(docker_engine, "_has_systemd", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def run() -> list[str]:
    lines: list[str] = []
    DOCKER_ENGINE.run(lines.append)
    return lines


def test_an_engine_that_answers_needs_nothing(stub: Stub) -> None:
    stub("docker", f"echo '{SERVER}'")
    assert DOCKER_ENGINE.is_done()


@pytest.mark.parametrize(
    ("api", "oldest", "usable"),
    [
        ("1.41", "1.12", True),
        ("1.52", "1.44", True),  # 29.0 to 29.2
        ("1.56", "1.40", True),
        ("1.40", "1.12", False),
        ("1.60", "1.52", False),
    ],
)
def test_an_engine_is_usable_when_it_and_the_plugin_speak_one_api(
    stub: Stub, api: str, oldest: str, usable: bool
) -> None:
    stub("docker", f"echo '{json.dumps({'Version': 'own', 'ApiVersion': api, 'MinAPIVersion': oldest})}'")
    assert DOCKER_ENGINE.is_done() is usable
    stub("dockerd", "exit 1")
    if not usable:
        with pytest.raises(SetupError, match="the Docker engine is own") as caught:
            DOCKER_ENGINE.run(lambda _: None)
        assert caught.value.fix


@pytest.mark.parametrize(
    ("api", "supported"), [("", False), ("1.41", False), ("1.43", False), ("1.44", True), ("2.0", True)]
)
def test_a_start_interval_needs_engine_25(api: str, supported: bool) -> None:
    assert Engine("own", api).supports_start_interval is supported


@pytest.mark.parametrize("answer", ["", "null", "{}", "not json"])
def test_an_answer_without_an_engine_is_a_problem(stub: Stub, answer: str) -> None:
    stub("docker", f"echo '{answer}'")
    assert docker_engine.ask().problem == "docker version names no engine"
    assert not DOCKER_ENGINE.is_done()


def test_podmans_socket_is_no_docker_engine(stub: Stub) -> None:
    stub("docker", f"echo '{json.dumps(PODMAN)}'")
    engine = docker_engine.ask()
    assert engine.misfit == "Podman 4.3.1 answers, and a Docker engine is needed"
    assert "docs.docker.com" in engine.remedy
    assert not engine.is_usable


def test_podmans_docker_command_is_none_either(stub: Stub) -> None:
    stub("dockerd", "exit 1")
    stub("docker", """[ "$1" = --version ] && echo 'podman version 4.3.1' || echo null""")
    with pytest.raises(SetupError, match=r"Podman 4\.3\.1 answers"):
        run()


def test_the_traits_are_those_of_the_engine_that_docker_uses(stub: Stub) -> None:
    stub("docker", f"""[ "$1" = info ] && echo '{json.dumps(ENGINE_20)}'""")
    assert docker_engine.traits().folder == "/var/lib/docker"
    stub("docker", DOWN)
    assert docker_engine.traits() == Traits()
    stub("docker", "echo nonsense")
    assert docker_engine.traits() == Traits()


def test_a_stopped_engine_of_a_context_is_not_ours_to_start(stub: Stub) -> None:
    context = {"Name": "desktop", "Endpoints": {"docker": {"Host": "unix:///d.sock"}}, "Storage": {}}
    stub("docker", f"""[ "$1" = context ] && echo '{json.dumps(context)}' || {{ {DOWN}; }}""")
    stub("dockerd", "echo must not run")
    with pytest.raises(SetupError) as caught:
        run()
    fix = "check the docker context desktop, or use the engine of this machine: docker context use default"
    assert caught.value.fix == fix
    assert not docker_engine.DAEMON_LOG.exists()


def test_a_stopped_engine_is_started_in_the_background(stub: Stub, tmp_path: Path) -> None:
    running = tmp_path / "running"
    stub("docker", f"[ -f {running} ] && echo '{SERVER}' || {{ {DOWN}; }}")
    stub("dockerd", f"echo starting; touch {running}; sleep 1")
    assert "starting dockerd in the background" in run()[0]
    assert DOCKER_ENGINE.is_done()
    assert "starting" in docker_engine.DAEMON_LOG.read_text(encoding="utf-8")


def test_a_service_manager_starts_it(stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_engine, "_has_systemd", lambda: True)
    running = tmp_path / "running"
    stub("docker", f"[ -f {running} ] && echo '{SERVER}' || {{ {DOWN}; }}")
    stub("dockerd", "exit 1")
    stub("systemctl", f'[ "$*" = "start docker" ] && touch {running}')
    assert run()[0] == "starting the Docker service"


def test_a_daemon_that_dies_shows_its_last_lines_at_once(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_engine, "_START_SECONDS", 3600.0)
    stub("docker", DOWN)
    stub("dockerd", "echo 'iptables: Permission denied'; exit 1")
    with pytest.raises(SetupError, match=r"\| iptables: Permission denied"):
        run()


def test_a_missing_engine_is_installed_with_apt(stub: Stub, tmp_path: Path) -> None:
    stubs = tmp_path / "stubs"
    stub("answer", f"echo '{SERVER}'")
    stub("daemon", "exit 1")
    stub(
        "apt-get",
        f'case "$*" in *docker.io*) /bin/cp {stubs}/daemon {stubs}/dockerd ;; '
        f"*docker-cli*) /bin/cp {stubs}/answer {stubs}/docker ;; esac",
    )
    lines = run()
    assert [line.split(":")[0] for line in lines] == ["apt-get install docker.io", "apt-get install docker-cli"]
    assert DOCKER_ENGINE.is_done()


def test_a_user_without_root_is_told_what_to_install(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    stub("apt-get", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError) as caught:
        run()
    assert caught.value.fix.startswith("sudo apt-get install docker.io")


@pytest.mark.parametrize(
    ("uid", "host", "problem", "fix"),
    [
        (1000, "", "permission denied while trying to connect", "sudo usermod -aG docker $USER"),
        (1000, "", "Cannot connect", "start dockerd as root"),
        (0, "tcp://10.0.0.1:2375", "Cannot connect", "check DOCKER_HOST=tcp://10.0.0.1:2375"),
        # docker 29 and an engine 20.10; docker 20.10 and an engine 29.
        (0, "", f"{ANSWERS}: client version 1.52 is too new. {MAXIMUM} 1.41", "export DOCKER_API_VERSION=1.41"),
        (0, "unix:///run/x", f"{ANSWERS}: client version 1.52 is too new. {MAXIMUM} 1.41", "export DOCKER_API_VERSION"),
        (
            0,
            "",
            f"{ANSWERS}: client version 1.41 is too old. Minimum supported API version is 1.44",
            "upgrade the docker command",
        ),
    ],
)
def test_an_engine_that_is_not_ours_to_start(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, uid: int, host: str, problem: str, fix: str
) -> None:
    stub("docker", f"echo '{problem}' >&2; exit 1")
    stub("dockerd", "echo must not run")
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    if host:
        monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(SetupError, match=problem) as caught:
        run()
    assert caught.value.fix.startswith(fix)
    assert not docker_engine.DAEMON_LOG.exists()


def test_an_engine_that_is_too_old_is_named(stub: Stub) -> None:
    stub("docker", f"echo '{SERVER.replace('1.41', '1.40')}'")
    stub("dockerd", "exit 1")
    assert not DOCKER_ENGINE.is_done()
    with pytest.raises(SetupError, match=r"API 1\.40\), 20\.10 or newer is needed"):
        run()
