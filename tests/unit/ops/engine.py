"""A Docker engine on a Unix socket that answers what a test gives it, and `ssh` commands that lead to it or nowhere."""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any
from urllib.parse import unquote, urlsplit

from testing.served import served

INFO: dict[str, Any] = {
    "ServerVersion": "20.10.24",
    "SystemTime": "2000-01-01T00:00:00.123456789Z",
    "MemTotal": 8 << 30,
    "DockerRootDir": "/",
    "Swarm": {"LocalNodeState": "inactive", "ControlAvailable": False, "NodeID": ""},
}
VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24", "Arch": "amd64"}

# Holds a connection (-M) as long as its socket is there, ends one (-O stop), or else does what `docker system
# dial-stdio` does on the other side; it notes its process, its line and whether it has a terminal.
_DIAL = """#!{python}
import contextlib, json, os, socket, sys, threading
terminal = True
try:
    os.open("/dev/tty", os.O_RDWR)
except OSError:
    terminal = False
line = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps({{"pid": os.getpid(), "line": line, "terminal": terminal}}) + "\\n")
control = line[line.index("-S") + 1]
if "-O" in line:
    if "stop" in line:
        os.unlink(control)
    sys.exit()
if "-M" in line:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(control)
    listener.listen()
    listener.settimeout(0.1)
    if os.fork():
        os._exit(0)
    while os.path.exists(control):
        with contextlib.suppress(TimeoutError):
            listener.accept()
    sys.exit()
far = socket.socket(socket.AF_UNIX)
far.connect({socket!r})
def back():
    while data := far.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=back).start()
while data := os.read(0, 65536):
    far.sendall(data)
far.shutdown(socket.SHUT_WR)
"""


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, answers: dict[str, Any], asked: list[str]) -> None:
        super().__init__(path, Handler)
        self.answers = answers
        self.asked = asked


class Handler(BaseHTTPRequestHandler):
    """Answers from its server's `answers`."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(path)
        path = re.sub(r"^/v1\.\d+/", "/", path)
        status, answer = 200, self.server.answers.get(path)
        if answer is None:
            status, answer = 404, {"message": f"No such image: {path}"}
        elif isinstance(answer, tuple):
            status, answer = answer
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        pass


def image(reference: str, **changes: Any) -> dict[str, Any]:
    """Return what an engine answers about an image that it has."""
    base = {"Id": f"sha256:{reference}", "Architecture": "amd64", "Size": 1000, "Created": "2026", "RootFS": {}}
    return {f"/images/{reference}/json": {**base, **changes}}


@contextmanager
def engine(path: Path, answers: dict[str, Any] | None = None, asked: list[str] | None = None) -> Iterator[str]:
    """Serve an engine on the socket `path`: `answers` by path, a pair is (status, answer). Yield its address.

    The paths that it is asked for, with their versions, are added to `asked`.
    """
    given = {"/version": VERSION, "/info": INFO, "/containers/json": [], **(answers or {})}
    with served(_Server(str(path), given, [] if asked is None else asked)):
        yield f"unix://{path}"


def ssh_to(folder: Path, socket: Path) -> Path:
    """Write an `ssh` into a folder that leads to the engine on `socket`; return the file with its calls."""
    log = folder / "calls"
    _write(folder, _DIAL.format(python=sys.executable, log=str(log), socket=str(socket)))
    return log


def gone(pid: int) -> bool:
    """Tell whether a process ends within a while."""
    deadline = time.monotonic() + 20
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not _is_running(pid)


def _is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def calls(log: Path) -> list[dict[str, Any]]:
    """Return each child of such an `ssh` that ran something there: its pid, its line, whether it had a terminal."""
    return [call for call in _all(log) if not {"-M", "-O"} & set(call["line"])]


def logins(log: Path) -> list[dict[str, Any]]:
    """Return each `ssh` that made a connection for the others."""
    return [call for call in _all(log) if "-M" in call["line"]]


def controls(log: Path) -> list[dict[str, Any]]:
    """Return each `ssh` that asked the holder of a connection for something."""
    return [call for call in _all(log) if "-O" in call["line"]]


def _all(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def ssh_that_says(folder: Path, code: int, said: str, printed: str = "") -> None:
    """Write an `ssh` into a folder that prints a text, says another on stderr and ends with an exit code.

    With 255, which is ssh's own, it does not log in either.
    """
    (folder / "said").write_text(said)
    (folder / "printed").write_text(printed)
    login = "" if code == 255 else 'case " $* " in *" -M "*) exit 0;; esac\n'
    _write(folder, f"#!/bin/sh\n{login}cat '{folder}/printed'; cat '{folder}/said' >&2\nexit {code}\n")


def _write(folder: Path, script: str) -> None:
    (folder / "ssh").write_text(script)
    (folder / "ssh").chmod(0o755)
