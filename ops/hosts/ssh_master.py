"""One ssh connection per host: a background `ssh` holds it, and whatever asks the host goes through it.

It outlives the command by a minute, so that the next one finds it, and no command's end or Ctrl-C takes it from
another. When it is gone the next use opens it anew; what happens to use it then makes a connection of its own. sshd
lets ten sessions through one connection (MaxSessions); an `ssh` beyond that makes a connection of its own too, which is
why Pulumi makes few changes at once (ops/stacks/workspace.py).
"""

import contextlib
import fcntl
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from components.settings.hosts import SshSettings
from ops.errors import EXIT_USAGE, OperationError, unwritable
from ops.hosts import ssh_errors
from ops.hosts.ssh import ask, command
from toolchain import machine, paths

_CONNECT_SECONDS = 20  # above the 10 s after which ssh itself gives a host up
_CONTROL_SECONDS = 5
_IDLE_SECONDS = 60
_APPENDED = 17  # by ssh, while it makes a socket: a dot and 16 letters


def shared(address: str, ssh: SshSettings, remote: Sequence[str]) -> list[str]:
    """Return the line that runs `remote` on a host through its one connection, opened before; see `open_connection`."""
    open_connection(address, ssh)
    return command(address, ssh, remote, *options(address, ssh))


def options(address: str, ssh: SshSettings) -> list[str]:
    """Return the options by which `ssh` uses the connection to a host while it is open."""
    return ["-o", "ControlMaster=no", "-S", str(_socket(address, ssh))]


def open_connection(address: str, ssh: SshSettings) -> None:
    """Open the connection to a host if it is not open; OperationError (exit code 2) when the host is not reached."""
    path = _socket(address, ssh)
    if _is_open(path):
        return
    with _locked(path):
        if not _is_open(path):
            path.unlink(missing_ok=True)  # of a connection that was killed: ssh would not listen on it
            _start(address, ssh, path)


def let_go(address: str, ssh: SshSettings) -> None:
    """Let the next one log in anew, after an error: a new group of the user, say, counts only then. Others go on."""
    _control(address, ssh, "stop")


@contextmanager
def tunnels(address: str, ssh: SshSettings, leads: Sequence[str]) -> Iterator[None]:
    """Keep tunnels through the connection to a host, each named as for `ssh -L`; OperationError when one fails."""
    open_connection(address, ssh)
    named = [word for lead in leads for word in ("-L", lead)]
    refused = _control(address, ssh, "forward", *named)
    if refused:
        raise ssh_errors.explain(address, ssh, refused)
    try:
        yield
    finally:
        _control(address, ssh, "cancel", *named)


def _start(address: str, ssh: SshSettings, path: Path) -> None:
    persist = ["-o", f"ControlPersist={_IDLE_SECONDS}"]
    line = command(address, ssh, [], "-M", "-N", "-f", "-S", str(path), *persist)
    # No pipe, which the background process could keep open. In a session of its own: no terminal to ask on, no Ctrl-C.
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                line,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                timeout=_CONNECT_SECONDS,
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as error:
            raise ssh_errors.silent(address, ssh) from error
        if done.returncode:
            said.seek(0)
            raise ssh_errors.explain(address, ssh, said.read().decode(errors="replace"))


def _control(address: str, ssh: SshSettings, request: str, *words: str) -> str:
    """Ask the holder of a connection for something; return "" when it did it, else what was said instead."""
    done = ask(command(address, ssh, [], "-S", str(_socket(address, ssh)), "-O", request, *words), _CONTROL_SECONDS)
    return (done.stderr.strip() or f"exit code {done.returncode}") if done.returncode else ""


def _is_open(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.connect(str(path))
        return True
    return False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process or thread at a time open a connection: a second holder could not listen, and would not end."""
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = folder.stat()
        if made.st_uid != os.getuid() or made.st_mode & 0o022:
            message = f"{folder}: others may write there, and could pose as a host"
            fix = f"rm -r {folder}, or point XDG_RUNTIME_DIR to a folder that only you can write to"
            raise OperationError(message, fix, EXIT_USAGE)
        lock = path.with_suffix(".lock").open("w")
    except OSError as error:
        raise unwritable(folder, error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _socket(address: str, ssh: SshSettings) -> Path:
    path = paths.ssh_control_dir() / ssh.connection_name(address)
    longest = (103 if machine.is_macos() else 107) - _APPENDED  # sun_path has 104 and 108 bytes, the last one is a zero
    if len(os.fsencode(path)) > longest:
        message = f"{path}: too long for a socket, by {len(os.fsencode(path)) - longest} bytes"
        raise OperationError(message, "point XDG_RUNTIME_DIR to a folder of your own with a shorter path", EXIT_USAGE)
    return path
