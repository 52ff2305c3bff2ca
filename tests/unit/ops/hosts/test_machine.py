"""What preflight learns of the machine below an engine: free memory and disk, listeners, the clock."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.hosts import machine
from ops.hosts.machine import Space, machine_of, seconds_apart
from tests.unit.given import settings
from tests.unit.ops.engine import ssh_that_says
from toolchain.engine_traits import Traits

FAR = "ssh://deploy@h.example"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - compared, not bound
MEMINFO = "MemTotal: 8000000 kB\nMemFree: 100 kB\nMemAvailable: 2048 kB\n"
DISK = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 1000000 1 4096 1% /var/lib/docker\n"
CLASSIC = Traits(folder="/var/lib/docker")
CONTAINERD = Traits(folder="/var/lib/docker", containerd_store=True, machines_containerd=True)
TABLE = """\
LISTEN 0 128      0.0.0.0:3000      0.0.0.0:*
LISTEN 0 128    127.0.0.1:4000      0.0.0.0:*
LISTEN 0 128        [::1]:5000         [::]:*
LISTEN 0 128  [::ffff:10.0.0.1]:6000         *:*
LISTEN 0 4096 127.0.0.53%lo:8000    0.0.0.0:*
LISTEN 0 128            *:9000            *:*
"""


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    yield tools


def test_a_far_machine_tells_its_free_memory_and_disk(far: Path) -> None:
    ssh_that_says(far, 0, "", MEMINFO + DISK + DISK.splitlines()[-1] + "\n")
    assert machine_of(FAR, settings()).space(CLASSIC) == Space(2048 * 1024, 4096 * 1024)


@pytest.mark.parametrize(
    ("daemon", "config", "folder"),
    [
        (CONTAINERD, None, "/var/lib/containerd"),
        (CONTAINERD, 'version = 3\nroot = "/data/containerd"\n', "/data/containerd"),
        (CONTAINERD, "root = not toml", "/var/lib/containerd"),
        (Traits(folder="/var/lib/docker", containerd_store=True), 'root = "/data/containerd"', "/var/lib/docker"),
    ],
)
def test_images_in_a_containerd_are_looked_for_where_it_keeps_them(
    far: Path, daemon: Traits, config: str | None, folder: str
) -> None:
    """A containerd that the engine starts itself has its folder below the engine's."""
    other = "/dev/sdb 9 1 8 12% /data" if folder != "/var/lib/docker" else "/dev/vda 9 5 4096 1% /"
    printed = "exit 1" if config is None else f"printf '%s' '{config}'"
    script = f"""#!/bin/sh
case " $* " in *" -M "*) exit 0;; esac
case "$*" in
  *meminfo*{folder}*) printf '%s' '{MEMINFO}'; echo 'Filesystem and so on'
    echo '/dev/vda 9 5 4096 1% /'; echo '{other}';;
  *config.toml*) {printed};;
  *) echo "unexpected: $*" >&2; exit 1;;
esac
"""
    (far / "ssh").write_text(script)
    (far / "ssh").chmod(0o755)
    images = None if folder == "/var/lib/docker" else (folder, 8 * 1024)
    assert machine_of(FAR, settings()).space(daemon) == Space(2048 * 1024, 4096 * 1024, images)


def test_this_machine_tells_its_own() -> None:
    here = machine_of("unix:///s", settings())
    found = here.space(Traits(folder="/"))
    assert isinstance(found, Space)
    assert 0 < found.disk < 1 << 60
    assert found.images is None
    assert (
        here.space(Traits(folder="/no/such/folder"))
        == "/no/such/folder is not to be seen from here (No such file or directory)"
    )


def test_this_machines_containerd_may_have_a_disk_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('root = "/sys"\n')
    monkeypatch.setattr(machine, "_CONTAINERD_CONFIG", str(config))
    found = machine_of("unix:///s", settings()).space(Traits(folder="/proc", machines_containerd=True))
    assert isinstance(found, Space)
    assert found.images == ("/sys", 0)


def test_a_far_machine_that_tells_nothing_says_why(far: Path) -> None:
    ssh_that_says(far, 1, "df: /var/lib/docker: No such file or directory\n")
    assert machine_of(FAR, settings()).space(CLASSIC) == "df: /var/lib/docker: No such file or directory"


@pytest.mark.parametrize(
    ("address", "port", "taken"),
    [
        ("127.0.0.1", 3000, True),
        ("127.0.0.1", 4000, True),
        (EVERY_ADDRESS, 4000, True),
        ("10.0.0.1", 4000, False),
        (EVERY_ADDRESS, 5000, True),
        ("10.0.0.1", 6000, True),
        ("127.0.0.1", 6000, False),
        ("127.0.0.1", 7000, False),
        ("127.0.0.53", 8000, True),
        ("127.0.0.1", 8000, False),
        ("10.0.0.1", 9000, True),
    ],
)
def test_a_far_port_is_taken_by_who_listens_on_its_address_or_on_all(
    far: Path, address: str, port: int, taken: bool
) -> None:
    ssh_that_says(far, 0, "", TABLE)
    said = machine_of(FAR, settings()).listener(address, port)
    assert bool(said) is taken
    assert not taken or said == f"a process of that host; ssh -t {FAR} ss -ltnp shows it"


@pytest.mark.skipif(not shutil.which("ss"), reason="this machine has no ss")
def test_what_ss_prints_names_who_listens() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
    ):
        printed = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
        found = set(machine._listening(printed))
        assert {("127.0.0.1", taken.getsockname()[1]), ("::1", six.getsockname()[1])} <= found


def test_a_far_machine_without_ss_cannot_tell(far: Path) -> None:
    ssh_that_says(far, 127, "sh: 1: ss: not found\n")
    assert machine_of(FAR, settings()).listener("127.0.0.1", 3000) is None


def test_over_tcp_only_the_engine_is_asked() -> None:
    far = machine_of("tcp://h.example:2376", settings())
    assert (far.space(CLASSIC), far.listener("127.0.0.1", 22)) == ("over tcp:// only the daemon can be asked", "")


@pytest.mark.parametrize(("seconds", "apart"), [(-5.0, -4.0), (0.0, 0.0), (5.0, 4.0)])
def test_the_round_trip_is_given_to_a_clock(seconds: float, apart: float) -> None:
    now = time.time()
    told = datetime.fromtimestamp(now + seconds, UTC).isoformat()
    assert seconds_apart(told, now - 1, now + 1) == pytest.approx(apart, abs=0.01)
