"""A command in a container and its standard input, over docker-py: what a daemon is sent, and what comes back."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import pytest

from ops.errors import OperationError
from ops.hosts.docker_host import DockerHost
from ops.hosts.exec_stream import ONCE_HEARD
from ops.hosts.hosts import Hosts
from testing.served import served
from tests.unit.given import settings
from tests.unit.ops.engine import VERSION


class Daemon(BaseHTTPRequestHandler):
    """A daemon with one container, in which each command prints what it read: a part on each output."""

    protocol_version = "HTTP/1.1"
    asked: list[Any]
    silent = False
    reads = 5

    def do_GET(self) -> None:
        found = [{"Id": "c", "Names": ["/friday-t-edge-1"]}] if "/containers/json" in self.path else VERSION
        self._answer(found)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        if not self.path.endswith("/start"):
            self._answer({"Id": "e"})
            return
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "tcp")
        self.end_headers()
        read = self.rfile.read(self.reads)
        if self.silent:
            threading.Event().wait(1)
        for output, text in ((1, read[:2]), (2, read[2:])):
            self.wfile.write(bytes([output, 0, 0, 0]) + len(text).to_bytes(4, "big") + text)
        self.close_connection = True

    def _answer(self, found: Any) -> None:
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def daemon(folder: Path) -> Iterator[DockerHost]:
    Daemon.asked = []
    with ThreadingUnixStreamServer(str(folder / "s"), Daemon) as server:
        server.daemon_threads = True
        with served(server):
            address = f"unix://{folder / 's'}"
            yield Hosts(settings(dockerHost=address)).at(address)


def test_what_goes_to_standard_input_is_nowhere_in_what_the_daemon_is_asked_for(runtime_dir: Path) -> None:
    with daemon(runtime_dir) as host:
        assert host.run_in("t", "edge", ["cat"], b"sk-\xc3\xa4") == {"friday-t-edge-1": "sk-ä"}
    made, started = Daemon.asked
    assert (made["Cmd"], made["AttachStdin"]) == (["cat"], True)
    assert "sk-" not in json.dumps([made, started])


def test_a_command_that_says_nothing_is_given_up(runtime_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Daemon, "silent", True)
    with daemon(runtime_dir) as host:
        host._client.api.timeout = 0.1  # type: ignore[assignment]
        with pytest.raises(OperationError, match="connection lost while a command ran in a container"):
            host.run_in("t", "edge", ["cat"], b"hello")


def test_bash_begins_when_somebody_listens(runtime_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it prints at once may come with the daemon's headers, and docker-py would lose that."""
    monkeypatch.setattr(Daemon, "reads", 1)
    with daemon(runtime_dir) as host:
        assert host.run_in("t", "edge", ["bash", "-c", "echo $0", "hello"]) == {"friday-t-edge-1": "\n"}
    made, _ = Daemon.asked
    assert (made["Cmd"], made["AttachStdin"]) == ([*ONCE_HEARD, "bash", "-c", "echo $0", "hello"], True)
    ran = subprocess.run([*made["Cmd"]], input=b"\nmore", capture_output=True, check=True)
    assert ran.stdout == b"hello\n"
    assert subprocess.run([*made["Cmd"]], input=b"", capture_output=True, check=False).stdout == b""
