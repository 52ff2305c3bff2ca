"""How an engine is reached: over ssh by children that ask nothing, and a message for each thing in the way."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from components.settings.hosts import SshSettings, TlsSettings
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.hosts import connection, ssh_master
from ops.hosts.connection import connect, unix_error
from tests.unit.ops.engine import VERSION, calls, engine, gone, ssh_that_says, ssh_to
from tests.unit.recorded_engines import PODMAN
from toolchain.paths import ROOT

HOST = "ssh://deploy@h.example:2222"
SSH = SshSettings(identity_file=Path("/keys/id"), known_hosts_file=Path("/keys/known"))
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Host key for [h.example]:2222 has changed and you have requested strict checking.
Host key verification failed.
"""
UNKNOWN = """\
No ED25519 host key is known for [h.example]:2222 and you have requested strict checking.
Host key verification failed.
"""
REFUSED = "deploy@h.example: Permission denied (publickey).\n"
TOO_OPEN = f"""\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Permissions 0644 for '/keys/id' are too open.
Load key "/keys/id": bad permissions
{REFUSED}"""
DIAL = "failed to open the raw stream connection: dial unix /var/run/docker.sock: connect:"
BY_HAND = "ssh -t -i /keys/id -o UserKnownHostsFile=/keys/known ssh://deploy@h.example:2222"
KEYSCAN = "ssh-keyscan -p 2222 h.example > host.keys && ssh-keygen -lf host.keys"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose `ssh` is found before the system's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def far(tools: Path, tmp_path: Path) -> Iterator[Path]:
    """An engine that is reached by ssh; yields the file with the calls of `ssh`."""
    with engine(tmp_path / "docker.sock"):
        yield ssh_to(tools, tmp_path / "docker.sock")


@pytest.mark.parametrize(
    ("code", "said", "message", "fix"),
    [
        (255, UNKNOWN, "its host key is not in /keys/known, and none is trusted on first sight", KEYSCAN),
        (255, CHANGED, "shows another host key than the one in /keys/known", "ssh-keygen -R '[h.example]:2222' -f"),
        (255, REFUSED, "refuses the key of this machine", "ssh-copy-id -i /keys/id -p 2222 deploy@h.example"),
        (255, "Received disconnect: Too many authentication failures\n", "refuses the key", "ssh.identityFile"),
        (255, TOO_OPEN, "the key /keys/id cannot be used", "chmod 600 /keys/id"),
        (
            255,
            f"Warning: Identity file /keys/id not accessible: No such file or directory.\n{REFUSED}",
            "the key /keys/id cannot be used",
            "ls -l /keys/id",
        ),
        (255, f'Load key "/keys/id": error in libcrypto\n{REFUSED}', "the key /keys/id cannot be used", "ls -l"),
        (255, "ssh: connect to host h.example port 2222: Connection refused\n", "cannot be reached", BY_HAND),
        (255, "ssh: connect to host h.example port 2222: No route to host\n", "cannot be reached", BY_HAND),
        (255, "ssh: Could not resolve hostname h.example: Name or service not known\n", "cannot be reached", BY_HAND),
        (255, "Connection timed out during banner exchange\n", "cannot be reached", BY_HAND),
        (
            255,
            "ssh: connect to host h.example port 2222: Connection refused\n",
            "cannot be reached",
            "ufw insert 1 allow",
        ),
        (
            255,
            "kex_exchange_identification: read: Connection reset by peer\n",
            "cannot be reached: its sshd ends the connection before the login",
            f"(PerSourcePenalties, fail2ban); then {BY_HAND} sudo journalctl",
        ),
        (255, "Timeout, server h.example not responding.\n", "cannot be reached", BY_HAND),
        (127, "bash: line 1: docker: command not found\n", "has no docker command", f"{BY_HAND} sudo apt-get install"),
        (127, "sh: 1: docker: not found\n", "has no docker command", "apt-get install docker.io"),
        (1, f"{DIAL} permission denied\n", "its Docker socket is not for this user", "sudo usermod -aG docker deploy"),
        (1, f"{DIAL} no such file or directory\n", "its Docker daemon does not answer", "sudo systemctl start docker"),
        (1, f"{DIAL} connection refused\n", "its Docker daemon does not answer", "sudo systemctl start docker"),
        (
            1,
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
            "its Docker daemon does not answer",
            "sudo systemctl start docker",
        ),
        (255, "Bad configuration option: nonsense\n", "cannot be used over ssh", f"{BY_HAND} docker version"),
    ],
)
def test_each_thing_in_the_way_has_its_message_and_fix(
    tools: Path, code: int, said: str, message: str, fix: str
) -> None:
    ssh_that_says(tools, code, said)
    with pytest.raises(OperationError) as caught:
        connect(HOST, SSH, TlsSettings())
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.message.startswith(f"{HOST}: {message}")
    assert fix in caught.value.fix
    assert said.splitlines()[-1].strip() in caught.value.details
    assert "@@" not in caught.value.details


def test_root_is_not_sent_to_sudo(tools: Path) -> None:
    ssh_that_says(tools, 1, f"{DIAL} connection refused\n")
    with pytest.raises(OperationError) as caught:
        connect("ssh://root@h.example", SshSettings(), TlsSettings())
    assert caught.value.fix.startswith("ssh -t ssh://root@h.example systemctl start docker;")


def test_a_machine_without_ssh_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperationError, match="no ssh command on this machine") as caught:
        connect(HOST, SSH, TlsSettings())
    assert "openssh-client" in caught.value.fix


def test_a_port_that_is_none_is_said_before_ssh_is_asked() -> None:
    with pytest.raises(OperationError) as caught:
        connect("ssh://h.example:x", SSH, TlsSettings())
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.message.startswith("ssh://h.example:x: ")


def test_an_engine_is_asked_over_one_child_that_has_the_options_and_no_terminal(far: Path) -> None:
    client = connect(HOST, SSH, TlsSettings())
    try:
        assert [client.info()["ServerVersion"] for _ in range(3)] == ["20.10.24"] * 3
        (call,) = calls(far)
    finally:
        client.close()
    assert call["terminal"] is False
    assert call["line"][: len(SSH.options())] == SSH.options()
    assert "ControlMaster=no" in call["line"]
    assert call["line"][-5:] == ["--", HOST, "docker", "system", "dial-stdio"]
    assert gone(call["pid"])


def test_a_lost_connection_is_a_failure_while_working(far: Path, tools: Path) -> None:
    client = connect(HOST, SSH, TlsSettings())
    child = calls(far)[0]["pid"]
    os.kill(child, signal.SIGKILL)
    assert gone(child)
    ssh_that_says(tools, 255, "Connection to h.example closed by remote host.\n")
    with pytest.raises(OperationError) as caught:
        client.info()
    client.close()
    assert caught.value.exit_code == EXIT_FAILED
    assert caught.value.message == f"connection lost: {HOST}: cannot be reached"


@pytest.mark.parametrize("ending", ["pass", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_children_end_with_the_process_however_that_ends(far: Path, ending: str) -> None:
    script = (
        "from components.settings.hosts import SshSettings, TlsSettings\n"
        "from ops.hosts.connection import connect\n"
        f"client = connect({HOST!r}, SshSettings(), TlsSettings())\n{ending}"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False, timeout=60)
    (call,) = calls(far)
    assert gone(call["pid"])


@pytest.mark.parametrize("silent", ["-M", "dial-stdio"])
def test_a_host_that_says_nothing_is_given_up_and_its_child_ended(
    tools: Path, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    """Neither a login that does not end nor a daemon that hangs holds anybody up."""
    hang = f"""case " $* " in *" {silent} "*) echo $$ > '{tools}/pid'; exec sleep 300;; esac"""
    (tools / "ssh").write_text(f"#!/bin/sh\n{hang}\n")
    (tools / "ssh").chmod(0o755)
    monkeypatch.setattr(connection, "_FIRST_SECONDS", 1)
    monkeypatch.setattr(ssh_master, "_CONNECT_SECONDS", 1)
    with pytest.raises(OperationError, match="its Docker daemon does not answer in time") as caught:
        connect(HOST, SSH, TlsSettings())
    assert caught.value.exit_code == EXIT_USAGE
    assert gone(int((tools / "pid").read_text()))


def test_what_answers_but_is_no_docker_is_said(tmp_path: Path) -> None:
    other = engine(tmp_path / "s", {"/version": {"name": "something else"}})
    with other as address, pytest.raises(OperationError, match="what answers there is no Docker daemon"):
        connect(address, SshSettings(), TlsSettings())


def test_podman_is_named(tmp_path: Path) -> None:
    with engine(tmp_path / "s", {"/version": PODMAN}) as address, pytest.raises(OperationError) as caught:
        connect(address, SshSettings(), TlsSettings())
    assert caught.value.message == f"{address}: Podman 4.3.1 answers, and a Docker engine is needed"
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.52", "1.44", "1.52"),
        ("1.56", "1.44", "1.56"),
        ("1.100", "1.44", "1.56"),  # not tested: asked in one that is
        ("1.100", "1.60", "1.60"),  # nothing below what it takes
        ("1.24", "", "1.24"),
    ],
)
def test_a_daemon_is_asked_in_an_api_that_it_takes(tmp_path: Path, newest: str, oldest: str, spoken: str) -> None:
    told = {**VERSION, "ApiVersion": newest, "MinAPIVersion": oldest}
    asked: list[str] = []
    with engine(tmp_path / "s", {"/version": told}, asked) as address:
        client = connect(address, SshSettings(), TlsSettings())
        assert client.api.api_version == spoken
        client.info()
        client.close()
    assert asked == ["/version", f"/v{spoken}/info"]


def test_a_closed_socket_names_the_group_to_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    error = requests.ConnectionError("aborted")
    error.__cause__ = PermissionError(13, "Permission denied")
    found = unix_error("unix:///s", error)
    assert found.message == "unix:///s: its Docker socket is not for this user"
    assert re.search(r"usermod -aG docker", found.fix)
