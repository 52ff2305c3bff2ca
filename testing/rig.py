"""Docker hosts for a test: made in seconds, reached by ssh, gone afterwards.

`with rig(3) as made: made.hosts[0].kill()`. What a killed run leaves behind, the next one removes.
"""

import fcntl
import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from testing import dockerd, host_image
from testing.engines import ENGINES, Engine, Store
from testing.nested_host import NestedHost
from testing.ports import free_ports

LABEL = "friday-litellm.rig"
_PREFIX = "friday-rig-"
_ATTEMPTS = 20
# What a Docker host needs beyond a plain container. Not --privileged: that asks for SYS_RESOURCE too, which is
# not to be had where these tests run in a container themselves.
_POWERS = (
    "--cap-add=ALL",
    "--cap-drop=SYS_RESOURCE",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=systempaths=unconfined",
    "--cgroupns=host",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--tmpfs=/run",
)


@dataclass(frozen=True)
class Rig:
    """The hosts; `port` is one for users on each host's address, and nothing listens on it yet."""

    folder: Path
    hosts: list[NestedHost]
    port: int

    def of(self, count: int) -> "Rig":
        """Return it as if it had its first `count` hosts only."""
        return replace(self, hosts=self.hosts[:count])

    def form_swarm(self) -> None:
        """Make all its hosts managers of one Swarm."""
        first, *others = self.hosts
        first.run("docker", "swarm", "init", "--advertise-addr", first.ip)
        token = first.run("docker", "swarm", "join-token", "--quiet", "manager")
        for host in others:
            host.run("docker", "swarm", "join", "--token", token, "--advertise-addr", host.ip, f"{first.ip}:2377")


@contextmanager
def rig(count: int, engine: str = "20", store: Store | None = None, shared: Sequence[Path] = ()) -> Iterator[Rig]:
    """Make `count` Docker hosts on a network of their own.

    `engine` is a name of testing.engines. It keeps images in `store`, or as a new installation does. Folders of this
    machine that are `shared` are on each host too, under the same path.
    """
    options = _options(ENGINES[engine], store, shared)
    sweep()
    with _folder() as folder:
        try:
            made = Rig(folder, [], free_ports(1)[0])
            subnet = _network(folder)
            for number in range(1, count + 1):
                made.hosts.append(_start(folder, options, subnet, number, made.port))
            for host in made.hosts:
                host.trust()
            for host in made.hosts:
                host.wait()
            yield made
        finally:
            _remove(str(folder))


def _options(engine: Engine, store: Store | None, shared: Sequence[Path]) -> list[str]:
    """Return what `docker run` is told of a host's engine; the image comes last. It is built where it is missing."""
    chosen = store or engine.stores[0]
    if chosen not in engine.stores:
        raise ValueError(f"engine {engine.name} has no {chosen} image store")
    volumes = [f"--volume={folder}:{folder}" for folder in shared]
    if engine.built:
        made = dockerd.ensure(print)
        volumes += [f"--volume={made / name}:/usr/local/sbin/{name}:ro" for name in dockerd.COMMANDS]
    # Engine 20.10 does not know the feature, and does not start when it is named.
    feature = json.dumps({"features": {"containerd-snapshotter": chosen == "containerd"}})
    settings = feature if len(engine.stores) > 1 else "{}"
    return [*volumes, f"--env=DAEMON_JSON={settings}", host_image.ensure(engine, print)]


def sweep() -> None:
    """Remove the rigs whose process is gone."""
    labels = ["--filter", f"label={LABEL}", "--format", f'{{{{.Label "{LABEL}"}}}}']
    found = {*_docker("ps", "--all", *labels), *_docker("network", "ls", *labels)}
    found.update(str(path) for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))
    for folder in found:
        if not _is_used(Path(folder)):
            _remove(folder)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _folder() -> Iterator[Path]:
    """Make the rig's folder, with its key. Its lock holds as long as this process lives, and no longer."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_used(folder: Path) -> bool:
    try:
        with (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return folder.exists()  # one that is just being made
    return False


def _network(folder: Path) -> str:
    """Make the rig's network; return the three first numbers of its addresses."""
    label = f"--label={LABEL}={folder}"
    for attempt in range(_ATTEMPTS):
        # Hosts keep their addresses over a reboot only in a given subnet; 198.18.0.0/15 is nobody's (RFC 2544).
        subnet = f"198.{random.choice((18, 19))}.{random.randrange(256)}"  # noqa: S311 - no secret
        try:
            _docker("network", "create", label, f"--subnet={subnet}.0/24", folder.name)
        except subprocess.CalledProcessError as error:
            if "overlaps" not in error.stderr or attempt == _ATTEMPTS - 1:
                raise
        else:
            return subnet
    raise AssertionError("every attempt returns or raises")


def _start(folder: Path, options: Sequence[str], subnet: str, number: int, port: int) -> NestedHost:
    """Start one host. All its ports are on an address of its own on the loopback, so that hosts do not share them."""
    name, ssh_port = f"{folder.name}-{number}", free_ports(1)[0]
    address = f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{number}"  # noqa: S311
    host = NestedHost(name, address, ssh_port, f"{subnet}.{number + 1}", folder)
    host.socket.parent.mkdir()
    _docker(
        "run",
        "--detach",
        f"--name={name}",
        f"--hostname={name}",
        f"--label={LABEL}={folder}",
        *_POWERS,
        f"--network={folder.name}",
        f"--ip={host.ip}",
        f"--publish={address}:{ssh_port}:22",
        f"--publish={address}:{port}:{port}",
        f"--volume={host.socket.parent}:/rig",
        f"--env=AUTHORIZED_KEY={(folder / 'key.pub').read_text().strip()}",
        f"--env=SOCKET_GROUP={os.getgid()}",
        *options,
    )
    return host


def _remove(folder: str) -> None:
    label = f"--filter=label={LABEL}={folder}"
    hosts = _docker("ps", "--all", "--quiet", label)
    if hosts:
        _docker("rm", "--force", "--volumes", *hosts)
    for network in _docker("network", "ls", "--quiet", label):
        _docker("network", "rm", network)


def _docker(*arguments: str) -> list[str]:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.split()
