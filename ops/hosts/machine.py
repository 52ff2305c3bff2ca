"""What an update needs of a daemon's machine: free disk and memory, free ports, and a clock that is in step."""

import datetime as dt
import shlex
import shutil
import socket
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.settings.hosts import SshSettings
from components.settings.stack import StackSettings
from ops.hosts import ssh, ssh_master
from toolchain.engine_traits import Traits

_SECONDS = 20
_ANY = ("0.0.0.0", "::", "*")  # noqa: S104 - compared, not bound
# Quotas, cooldowns and certificates are counted in seconds.
MOST_SECONDS_APART = 2.0


_CONTAINERD_CONFIG = "/etc/containerd/config.toml"
_CONTAINERD_ROOT = "/var/lib/containerd"


@dataclass(frozen=True)
class Space:
    """Free bytes of a machine's memory, and of the disk below a daemon's folder.

    `images` is another folder that its images are in, and what is free there; None where that is the same disk.
    """

    memory: int
    disk: int
    images: tuple[str, int] | None = None

    def of_images(self, folder: str) -> tuple[str, int]:
        """Return the folder that images lie in, and the bytes that are free there; `folder` is the daemon's own."""
        return self.images or (folder, self.disk)


class Machine:
    """The machine of one daemon: as it stands here one behind tcp://, where only the daemon can be asked."""

    def space(self, daemon: Traits) -> Space | str:
        """Return what is free, or why that is not known."""
        return "over tcp:// only the daemon can be asked"

    def listener(self, address: str, port: int) -> str | None:
        """Return who listens on a port; "" when it is free or cannot be asked, None when the machine has no `ss`."""
        return ""


def machine_of(address: str, settings: StackSettings) -> Machine:
    """Return the machine of the daemon at `address`."""
    if address.startswith("unix://"):
        return ThisMachine()
    return _OverSsh(address, settings.ssh) if address.startswith("ssh://") else Machine()


class ThisMachine(Machine):
    """The machine that this runs on."""

    def space(self, daemon: Traits) -> Space | str:
        """Return what is free, or why that is not known."""
        images = _images_folder(daemon, _text_of(_CONTAINERD_CONFIG))
        try:
            one_disk = Path(daemon.folder).stat().st_dev == Path(images).stat().st_dev
            disk, other = (shutil.disk_usage(folder).free for folder in (daemon.folder, images))
            memory = _available(Path("/proc/meminfo").read_text(encoding="utf-8"))
        except OSError as error:
            return f"{error.filename} is not to be seen from here ({error.strerror})"
        return Space(memory, disk, None if one_disk else (images, other))

    def listener(self, address: str, port: int) -> str:
        """Return who listens on a port; "" when it is free."""
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

    def space(self, daemon: Traits) -> Space | str:
        config = self._run(f"cat {_CONTAINERD_CONFIG}") if daemon.machines_containerd else None
        images = _images_folder(daemon, config.stdout if config and not config.returncode else "")
        done = self._run(f"cat /proc/meminfo && df -Pk {shlex.quote(daemon.folder)} {shlex.quote(images)}")
        if done.returncode:
            return done.stderr.strip() or f"exit code {done.returncode}"
        # Device, blocks, used, free, share, where it is mounted: the first and the last tell two disks apart.
        first, second = (line.split() for line in done.stdout.splitlines()[-2:])
        one_disk = (first[0], first[5]) == (second[0], second[5])
        disk, other = int(first[3]) * 1024, int(second[3]) * 1024
        return Space(_available(done.stdout), disk, None if one_disk else (images, other))

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


def _text_of(path: str) -> str:
    """Return a file's text, "" where it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _images_folder(daemon: Traits, containerd_config: str) -> str:
    """Return the folder that a daemon's images are in; a containerd that it starts itself keeps them in its own."""
    if not daemon.machines_containerd:
        return daemon.folder
    try:
        return str(tomllib.loads(containerd_config).get("root", _CONTAINERD_ROOT))
    except tomllib.TOMLDecodeError:
        return _CONTAINERD_ROOT


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
