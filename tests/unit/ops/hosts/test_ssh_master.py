"""One ssh connection per host: who opens it, who shares it, and what becomes of one that is gone or somebody else's."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.settings.hosts import SshSettings, TlsSettings
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError
from ops.hosts import ssh_master
from ops.hosts.connection import connect
from ops.hosts.machine import machine_of
from ops.hosts.ssh_master import let_go, open_connection, tunnels
from tests.unit.given import settings
from tests.unit.ops.engine import calls, controls, engine, gone, logins, ssh_that_says, ssh_to
from toolchain.engine_traits import Traits

HOST = "ssh://deploy@h.example"
SSH = SshSettings()
REFUSED = "deploy@h.example: Permission denied (publickey).\n"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


@pytest.fixture
def log(tools: Path, tmp_path: Path) -> Iterator[Path]:
    """A daemon that is reached by ssh; yields the file with the calls of `ssh`."""
    with engine(tmp_path / "docker.sock"):
        yield ssh_to(tools, tmp_path / "docker.sock")


def socket_of(line: list[str]) -> str:
    return line[line.index("-S") + 1]


def test_all_that_asks_a_host_shares_one_connection(log: Path) -> None:
    first, second = (connect(HOST, SSH, TlsSettings()) for _ in range(2))
    assert machine_of(HOST, settings(dockerHost=HOST)).listener("127.0.0.1", 22) == ""
    first.close()
    second.close()
    (login,) = logins(log)
    assert login["terminal"] is False
    assert login["line"][-2:] == ["--", HOST]
    assert len(calls(log)) == 3
    assert {socket_of(call["line"]) for call in calls(log)} == {socket_of(login["line"])}


def test_uses_at_the_same_time_open_it_once(log: Path) -> None:
    users = [threading.Thread(target=open_connection, args=(HOST, SSH)) for _ in range(5)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(logins(log)) == 1


def test_another_key_is_another_connection(log: Path) -> None:
    """Else who may not log in would use the login of who may."""
    open_connection(HOST, SSH)
    open_connection(HOST, SshSettings(identity_file=Path("/keys/other")))
    assert len({socket_of(call["line"]) for call in logins(log)}) == 2


def test_one_that_was_let_go_or_killed_is_opened_anew(log: Path, runtime_dir: Path) -> None:
    open_connection(HOST, SSH)
    let_go(HOST, SSH)
    open_connection(HOST, SSH)
    assert len(logins(log)) == 2
    path = Path(socket_of(logins(log)[0]["line"]))
    path.unlink()
    with socket.socket(socket.AF_UNIX) as left:  # what a killed process leaves: nobody listens on it
        left.bind(str(path))
    open_connection(HOST, SSH)
    assert len(logins(log)) == 3


def test_after_an_error_the_next_use_logs_in_anew(log: Path, tools: Path, tmp_path: Path) -> None:
    """A group that the user was put in, as the message says, counts from the next login on."""
    open_connection(HOST, SSH)
    (tools / "ssh").rename(tools / "real")
    script = '#!/bin/sh\ncase " $* " in *" dial-stdio "*) echo dial unix: permission denied >&2; exit 1;; esac\n'
    (tools / "ssh").write_text(f'{script}exec {tools}/real "$@"\n')
    (tools / "ssh").chmod(0o755)
    with pytest.raises(OperationError, match="its Docker socket is not for this user"):
        connect(HOST, SSH, TlsSettings())
    (tools / "real").rename(tools / "ssh")
    connect(HOST, SSH, TlsSettings()).close()
    assert len(logins(log)) == 2


def test_a_connection_that_breaks_without_a_word_is_explained_by_the_next_login(log: Path, tools: Path) -> None:
    client = connect(HOST, SSH, TlsSettings())
    (tools / "ssh").rename(tools / "real")
    # ssh through a connection that is gone ends with 255 and is silent; only the login is refused in words.
    said = f"echo '{REFUSED.strip()}' >&2"
    script = f'#!/bin/sh\ncase " $* " in *" -M "*) {said};; *" -O "*) exec {tools}/real "$@";; esac\nexit 255\n'
    (tools / "ssh").write_text(script)
    (tools / "ssh").chmod(0o755)
    os.kill(calls(log)[0]["pid"], signal.SIGKILL)
    assert gone(calls(log)[0]["pid"])
    with pytest.raises(OperationError) as caught:
        client.info()
    client.close()
    assert caught.value.exit_code == EXIT_FAILED
    assert caught.value.message == f"connection lost: {HOST}: refuses the key of this machine"


def test_tunnels_are_asked_for_and_taken_back(log: Path) -> None:
    with tunnels(HOST, SSH, ["/t/1:127.0.0.1:1", "/t/2:127.0.0.1:2"]):
        assert len(logins(log)) == 1
    words = ["-L", "/t/1:127.0.0.1:1", "-L", "/t/2:127.0.0.1:2", "--", HOST]
    assert [call["line"][-8:] for call in controls(log)] == [["-O", word, *words] for word in ("forward", "cancel")]


def test_a_login_that_fails_is_the_error_of_all_that_wants_it(tools: Path) -> None:
    ssh_that_says(tools, 255, REFUSED)
    with pytest.raises(OperationError, match="refuses the key of this machine"):
        machine_of(HOST, settings(dockerHost=HOST)).space(Traits(folder="/"))
    with pytest.raises(OperationError, match="refuses the key of this machine"), tunnels(HOST, SSH, []):
        pass


def test_a_folder_that_others_write_to_is_not_used(log: Path, runtime_dir: Path) -> None:
    """Who puts a socket there would be taken for the host."""
    folder = runtime_dir / "friday-litellm"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(OperationError, match="others may write there") as caught:
        open_connection(HOST, SSH)
    assert caught.value.exit_code == EXIT_USAGE
    assert not log.exists()


def test_a_path_that_is_too_long_for_a_socket_is_said(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", f"/{'x' * 80}")
    with pytest.raises(OperationError, match="too long for a socket") as caught:
        open_connection(HOST, SSH)
    assert "XDG_RUNTIME_DIR" in caught.value.fix


def test_a_folder_of_its_own_is_made_private(log: Path, runtime_dir: Path) -> None:
    open_connection(HOST, SSH)
    assert (runtime_dir / "friday-litellm").stat().st_mode & 0o777 == 0o700
    assert ssh_master.options(HOST, SSH)[-1] == socket_of(logins(log)[0]["line"])
