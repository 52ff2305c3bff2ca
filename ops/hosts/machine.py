"""What an update needs of a daemon's machine: free disk and memory, free ports, and a clock that is in step."""

import datetime as dt
import shlex
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.settings.hosts import SshSettings
from components.settings.stack import StackSettings
from ops.hosts import ssh, ssh_master

_SECONDS = 20
_ANY = ("0.0.0.0", "::", "*")  # noqa: S104 - compared, not bound
# Quotas, cooldowns and certificates are counted in seconds.
MOST_SECONDS_APART = 2.0


@dataclass(frozen=True)
class Space:
    """Free bytes of a machine's memory, and of the disk below a folder."""

    memory: int
    disk: int


class Machine:
    """The machine of one daemon: as it stands here one behind tcp://, where only the daemon can be asked."""

    def space(self, folder: str) -> Space | str:
        """Return what is free, or why that is not known."""
        return "over tcp:// only the daemon can be asked"

    def listener(self, address: str, port: int) -> str | None:
        """Return who listens on a port; "" when it is free or cannot be asked, None when the machine has no `ss`."""
        return ""


def machine_of(address: str, settings: StackSettings) -> Machine:
    """Return the machine of the daemon at `address`."""
    if address.startswith("unix://"):
        return _Here()
    return _OverSsh(address, settings.ssh) if address.startswith("ssh://") else Machine()


class _Here(Machine):
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


class _OverSsh(Machine):
    def __init__(self, address: str, settings: SshSettings) -> None:
        self._address = address
        self._settings = settings
        self._asked: subprocess.CompletedProcess[str] | None = None

    def space(self, folder: str) -> Space | str:
        done = self._run(f"cat /proc/meminfo && df -Pk {shlex.quote(folder)}")
        if done.returncode:
            return done.stderr.strip() or f"exit code {done.returncode}"
        return Space(_available(done.stdout), int(done.stdout.splitlines()[-1].split()[3]) * 1024)

    def listener(self, address: str, port: int) -> str | None:
        # Kept by hand: until Python 3.12 a cached_property has one lock for all machines, and they wait for each other.
        self._asked = self._asked or self._run("ss -Hltn")
        if self._asked.returncode:
            return None
        listening = _listening(self._asked.stdout)
        taken = any(at == port and (address in _ANY or where in (*_ANY, address)) for where, at in listening)
        look = ssh.by_hand(self._address, self._settings, "ss -ltnp")
        return f"a process of that host; {look} shows it" if taken else ""

    def _run(self, script: str) -> subprocess.CompletedProcess[str]:
        return ssh.ask(ssh_master.shared(self._address, self._settings, ["sh", "-c", shlex.quote(script)]), _SECONDS)


def _available(meminfo: str) -> int:
    """Return the bytes that new programs can have without swap, as the kernel counts them."""
    line = next(line for line in meminfo.splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


def _listening(table: str) -> Iterator[tuple[str, int]]:
    """Yield (address, port) of each line of `ss -Hltn`; an IPv6 address stands in brackets, a star is every address."""
    for line in table.splitlines():
        address, _, port = line.split()[3].rpartition(":")
        yield address.partition("%")[0].strip("[]").removeprefix("::ffff:"), int(port)


def port_holders(
    stack: str,
    settings: StackSettings,
    publishing: Mapping[int, tuple[str, str]],
    listener: Callable[[str, int], str | None],
) -> dict[str, str | None]:
    """Return who else holds the port of each setting: "" where nobody does, or the stack itself, None if not known.

    `publishing` is what the host's daemon says (`DockerHost.published_ports`), `listener` who listens on a port there.
    """
    found: dict[str, str | None] = {}
    for setting, (address, port) in settings.host_ports.items():
        name, of = publishing.get(port, ("", ""))
        found[setting] = listener(address, port) if not name else "" if of == stack else f"the container {name}"
    return found


def seconds_apart(reported: str, before: float, after: float) -> float:
    """Return by how many seconds a clock is surely off: 0.0 when its time lies within the question's round trip.

    `reported` is its time (ISO 8601, with a zone); `before` and `after` are this machine's when the question left and
    when the answer was here. Positive when the other clock is ahead.
    """
    moment = dt.datetime.fromisoformat(reported).timestamp()
    return min(moment - before, 0.0) + max(moment - after, 0.0)
