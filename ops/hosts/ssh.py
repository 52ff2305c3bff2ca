"""The `ssh` command as docker-py's way to a daemon: its own ssh support takes no options.

Each connection is a child `ssh HOST docker system dial-stdio`, which is also how Docker's command line and Pulumi's
plugin do it: what is reached here, an update reaches too.
"""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Sequence
from typing import IO, Any
from urllib.parse import urlsplit

import requests
import urllib3
from docker.transport.basehttpadapter import BaseHTTPAdapter
from urllib3.connection import HTTPConnection

from components.settings.hosts import SshSettings

_END_SECONDS = 2.0


def command(address: str, ssh: SshSettings, remote: Sequence[str], *options: str) -> list[str]:
    """Return the line that runs `remote` on a host, and says on stderr only why it could not."""
    return ["ssh", *ssh.options(), "-T", "-o", "LogLevel=ERROR", *options, "--", address, *remote]


def ask(line: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run such a line to its end, and for `seconds` at most: then the exit code is 1, and stderr says so."""
    try:
        # In a session of its own: it has no terminal to ask on, and no Ctrl-C ends it.
        return subprocess.run(
            line,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(line, 1, "", f"no answer within {seconds:g} s")


def by_hand(address: str, ssh: SshSettings, remote: str = "") -> str:
    """Return what an operator types to run `remote` on a host, as the stack reaches it."""
    chosen = ["-i", str(ssh.identity_file)] if ssh.identity_file else []
    chosen += ["-o", f"UserKnownHostsFile={ssh.known_hosts_file}"] if ssh.known_hosts_file else []
    return " ".join(filter(None, [shlex.join(["ssh", "-t", *chosen, address]), remote]))


def is_root(address: str) -> bool:
    """Return whether an address names root, who needs no sudo."""
    return urlsplit(address).username == "root"


class SshAdapter(BaseHTTPAdapter):
    """Carries the requests of one docker-py client over children, whose command `line` returns; `close` ends them."""

    def __init__(self, line: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self._pool = _Pool(line)

    def last_words(self) -> str:
        """Return what the newest child wrote to stderr; it gets a moment to end."""
        if self._pool.newest is None:
            return ""
        process, said = self._pool.newest
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        # Read by place: the child writes through the same file, whose position is shared.
        return os.pread(said.fileno(), 65536, 0).decode(errors="replace").strip()

    def get_connection(self, url: str | bytes, proxies: Any = None) -> "_Pool":
        """Return the one pool that there is."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return a path: no proxy stands in between."""
        return str(request.path_url)

    def close(self) -> None:
        """Close the connections that are kept, and end every child."""
        self._pool.close()
        for end in self._pool.ends:
            end()
        super().close()


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, line: Callable[[], Sequence[str]]) -> None:
        super().__init__("localhost", maxsize=10)
        self._line = line
        self.newest: tuple[subprocess.Popen[bytes], IO[bytes]] | None = None
        self.ends: list[weakref.finalize[Any, Any]] = []

    def _new_conn(self) -> HTTPConnection:
        return _Connection(self)

    def dial(self) -> socket.socket:
        """Start a child whose input and output are one socket; it ends when that is let go, and with this process."""
        line = self._line()
        ours, theirs = socket.socketpair()
        said = tempfile.TemporaryFile()  # noqa: SIM115 - the child's, and read after its end
        with theirs:
            # In a session of its own: it has no terminal to ask on, and Ctrl-C leaves the clean-up its connection.
            process = subprocess.Popen(
                line, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=said, start_new_session=True
            )
        self.newest = process, said
        self.ends = [*(end for end in self.ends if end.alive), weakref.finalize(ours, _end, process, ours.dup())]
        return ours


class _Connection(HTTPConnection):
    def __init__(self, pool: _Pool) -> None:
        super().__init__("localhost")
        self._pool = pool

    def connect(self) -> None:
        self.sock = self._pool.dial()
        self.sock.settimeout(self.timeout)


def _end(process: subprocess.Popen[bytes], twin: socket.socket) -> None:
    with twin, contextlib.suppress(OSError):
        twin.shutdown(socket.SHUT_RDWR)  # the end of its input, on which it ends by itself
    for signum in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
            return
        # The whole session: a proxy command of the user's is a child of ssh.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signum)
    process.wait()
