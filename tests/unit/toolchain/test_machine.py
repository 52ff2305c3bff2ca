"""macOS and WSL, as far as they can be played: official releases, limits, and words that fit the machine."""

import os
import platform
from pathlib import Path

import pytest
import requests

from components.settings.hosts import SshSettings
from ops.errors import OperationError
from ops.hosts import ssh_errors, ssh_master
from ops.hosts.connection import unix_error
from tests.unit.toolchain.conftest import Stub
from toolchain import apt, docker_engine, download, files, machine, process, versions
from toolchain.docker_engine import DOCKER_ENGINE
from toolchain.download import DownloadError
from toolchain.errors import SetupError
from toolchain.local_state import LOCAL_STATE

MAC, WSL, LINUX = ("Darwin", "24.1.0"), ("Linux", "5.15.167.4-microsoft-standard-WSL2"), ("Linux", "6.12.0-amd64")


def on(monkeypatch: pytest.MonkeyPatch, system: str, release: str, processor: str = "x86_64") -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "release", lambda: release)
    monkeypatch.setattr(platform, "machine", lambda: processor)


@pytest.mark.parametrize(("kind", "mac", "wsl"), [(MAC, True, False), (WSL, False, True), (LINUX, False, False)])
def test_each_kind_is_known(kind: tuple[str, str], mac: bool, wsl: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, *kind)
    assert (machine.is_macos(), machine.is_wsl()) == (mac, wsl)


@pytest.mark.parametrize(
    ("kind", "processor", "cli", "plugin"),
    [
        (MAC, "arm64", "darwin-arm64", "darwin-arm64"),
        (MAC, "x86_64", "darwin-x64", "darwin-amd64"),
        (LINUX, "aarch64", "linux-arm64", "linux-arm64"),
        (LINUX, "x86_64", "linux-x64", "linux-amd64"),
    ],
)
def test_names_of_the_official_files(
    kind: tuple[str, str], processor: str, cli: str, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, *kind, processor)
    assert download.pulumi_release().archive == f"pulumi-v{versions.PULUMI}-{cli}.tar.gz"
    provider = download.docker_provider_release()
    assert provider.archive == f"pulumi-resource-docker-v{versions.DOCKER_PROVIDER}-{plugin}.tar.gz"


@pytest.mark.parametrize(("system", "processor"), [("Linux", "riscv64"), ("FreeBSD", "amd64")])
def test_a_machine_without_releases_is_an_error_to_go_on_from(
    system: str, processor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, system, "1", processor)
    with pytest.raises(DownloadError, match=f"{system} on {processor}"):
        download.pulumi_release()


@pytest.mark.parametrize(
    ("kind", "commands", "fix"),
    [
        (MAC, [], "start Docker Desktop, or install it (brew install --cask docker-desktop)"),
        (MAC, ["docker"], "start Docker Desktop, or install it (brew install --cask docker-desktop)"),
        (WSL, ["docker"], "start Docker Desktop, with this distribution switched on"),
        (WSL, ["docker", "dockerd"], "sudo service docker start"),
        (LINUX, ["docker", "dockerd"], "start dockerd as root"),
    ],
)
def test_an_engine_is_started_as_its_machine_does_it(
    kind: tuple[str, str], commands: list[str], fix: str, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, *kind)
    # Root may install and start an engine, but not one in somebody's Docker Desktop.
    monkeypatch.setattr(os, "geteuid", lambda: 1000 if "dockerd" in commands else 0)
    monkeypatch.setattr(docker_engine, "_has_systemd", lambda: False)
    for name in commands:
        stub(name, "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    stub("apt-get", "echo must not run >&2; exit 1")
    with pytest.raises(SetupError) as caught:
        DOCKER_ENGINE.run(lambda _: None)
    assert caught.value.fix.startswith(fix)


@pytest.mark.parametrize(
    ("kind", "words"), [(MAC, "unix://$HOME/.docker/run/docker.sock"), (LINUX, "fridayctl doctor")]
)
def test_a_socket_that_is_not_there_may_be_elsewhere(
    kind: tuple[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, *kind)
    error = unix_error("unix:///var/run/docker.sock", requests.ConnectionError("No such file or directory"))
    assert words in error.fix


@pytest.mark.parametrize(
    ("kind", "has_apt", "words"),
    [
        (LINUX, True, "sudo apt-get install a b"),
        (LINUX, False, "install a b, with the package manager of this system"),
        (MAC, False, "install a b, with Homebrew"),
    ],
)
def test_packages_are_installed_as_the_machine_does_it(
    kind: tuple[str, str], has_apt: bool, words: str, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, *kind)
    if has_apt:
        stub("apt-get", "exit 0")
    assert apt.by_hand(["a", "b"]) == words


@pytest.mark.parametrize(("kind", "longest"), [(MAC, 86), (LINUX, 90)])
def test_a_sockets_path_is_as_long_as_the_system_takes(
    kind: tuple[str, str], longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, *kind)
    ending = len("/friday-litellm/") + 16
    fits = f"/{'d' * (longest - ending - 1)}"
    monkeypatch.setenv("XDG_RUNTIME_DIR", fits)
    path = ssh_master.options("ssh://h.example", SshSettings())[-1]
    assert len(path) == longest
    monkeypatch.setenv("XDG_RUNTIME_DIR", f"{fits}d")
    with pytest.raises(OperationError, match="too long for a socket, by 1 bytes"):
        ssh_master.options("ssh://h.example", SshSettings())


@pytest.mark.parametrize("kind", [WSL, LINUX])
def test_a_key_on_a_windows_drive_keeps_no_modes(kind: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, *kind)
    said = 'Load key "/mnt/c/keys/id": bad permissions\nroot@h.example: Permission denied (publickey).'
    error = ssh_errors.explain("ssh://root@h.example", SshSettings(identity_file=Path("/mnt/c/keys/id")), said)
    assert ("have it below your home" in error.fix) == (kind == WSL)


def test_a_state_that_others_could_read_is_refused(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    monkeypatch.setattr(files, "_finish", lambda path, _: os.chmod(path, 0o644))  # noqa: PTH101 - the other is played
    with pytest.raises(SetupError, match="keeps no permissions") as caught:
        LOCAL_STATE.run(lambda _: None)
    assert "FRIDAY_STATE_DIR" in caught.value.fix


@pytest.mark.parametrize(("state", "runs"), [("S", True), ("Z+", False), (None, True)])
def test_without_proc_the_process_table_is_asked(
    state: str | None, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda _: False)
    monkeypatch.setattr(
        process, "read", lambda command: state if command[-1] == str(os.getpid()) else pytest.fail("asked of another")
    )
    assert process.runs(os.getpid()) is runs
