"""What only the machine below an engine can tell: free disk, free memory, and who listens on a port."""

import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from components.host_settings import SshSettings
from components.settings import StackSettings
from ops.hosts import ssh

_SECONDS = 20
_ANY = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
_LISTENING = "0A"


@dataclass(frozen=True)
class Space:
    """Free bytes of a machine's memory, and of the disk below a folder."""

    memory: int
    disk: int


class Machine(Protocol):
    """The machine of one engine."""

    def space(self, folder: str) -> Space | str:
        """Return what is free, or why that cannot be told."""

    def listener(self, address: str, port: int) -> str:
        """Return who listens on a port; "" when it is free, or when only the engine can be asked."""


def machine_of(address: str, settings: StackSettings) -> Machine:
    """Return the machine of the engine at `address`."""
    if address.startswith("unix://"):
        return _Here()
    return _OverSsh(address, settings.ssh) if address.startswith("ssh://") else _OutOfReach()


class _Here:
    def space(self, folder: str) -> Space | str:
        try:
            return Space(_available(Path("/proc/meminfo").read_text()), shutil.disk_usage(folder).free)
        except OSError as error:
            return f"{folder} is not to be seen from here ({error.strerror})"

    def listener(self, address: str, port: int) -> str:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                return f"a process of this machine, or not ours to bind: {error.strerror}; ss -ltnp shows it"
        return ""


class _OverSsh:
    def __init__(self, address: str, settings: SshSettings) -> None:
        self._address = address
        self._settings = settings
        self._heard: list[tuple[str, int]] | None = None

    def space(self, folder: str) -> Space | str:
        done = self._run(f"cat /proc/meminfo && df -Pk {shlex.quote(folder)}")
        if done.returncode:
            return done.stderr.strip() or f"exit code {done.returncode}"
        return Space(_available(done.stdout), int(done.stdout.splitlines()[-1].split()[3]) * 1024)

    def listener(self, address: str, port: int) -> str:
        taken = any(at == port and (address in _ANY or where in (*_ANY, address)) for where, at in self._listening())
        look = ssh.by_hand(self._address, self._settings, "ss -ltnp")
        return f"a process of that host; {look} shows it" if taken else ""

    def _listening(self) -> list[tuple[str, int]]:
        # Kept by hand: until Python 3.12 a cached_property has one lock for all machines, and they wait for each other.
        if self._heard is None:
            # Not `ss`: these are there on every Linux. One of them is missing where IPv6 is off.
            self._heard = list(_listening(self._run("cat /proc/net/tcp /proc/net/tcp6").stdout))
        return self._heard

    def _run(self, script: str) -> subprocess.CompletedProcess[str]:
        line = ssh.command(self._address, self._settings, ["sh", "-c", shlex.quote(script)])
        try:
            return subprocess.run(
                line,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(line, 1, "", f"no answer within {_SECONDS} s")


class _OutOfReach:
    def space(self, folder: str) -> Space | str:
        return "over tcp:// only the engine can be asked"

    def listener(self, address: str, port: int) -> str:
        return ""


def _available(meminfo: str) -> int:
    """Return the bytes that new programs can have without swap, as the kernel counts them."""
    line = next(line for line in meminfo.splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


def _listening(table: str) -> Iterator[tuple[str, int]]:
    """Yield (address, port) of each listening socket of /proc/net/tcp and tcp6."""
    for line in table.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == _LISTENING:
            address, _, port = fields[1].partition(":")
            yield _spelled(bytes.fromhex(address)), int(port, 16)


def _spelled(packed: bytes) -> str:
    # Each group of four bytes stands in the machine's own order, which is little-endian wherever images are built for.
    ordered = b"".join(packed[start : start + 4][::-1] for start in range(0, len(packed), 4))
    if len(ordered) == 16 and ordered.startswith(bytes(10) + b"\xff\xff"):
        ordered = ordered[12:]
    return socket.inet_ntop(socket.AF_INET if len(ordered) == 4 else socket.AF_INET6, ordered)
