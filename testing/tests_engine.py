"""An engine of its own for a run of the tests: a nested host, with this machine's images."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from images import tags
from testing.nested_host import NestedHost
from testing.rig import rig
from toolchain import paths
from toolchain.errors import SetupError


@dataclass(frozen=True)
class Place:
    """Where tests run: what comes before their command, and what is added to its environment."""

    prefix: list[str]
    environment: dict[str, str]


def require() -> None:
    """Raise SetupError where this cannot work. Tests enter the host's network, because what a stack publishes on
    127.0.0.1 is there.
    """
    where = "tests on another engine"
    if os.geteuid() != 0:
        raise SetupError("they enter the network of a nested host, which only root may", where, "run this as root")
    if not shutil.which("nsenter"):
        raise SetupError("nsenter is not installed", where, "apt-get install util-linux")
    if not os.environ.get("DOCKER_HOST", "unix://").startswith("unix://"):
        raise SetupError("DOCKER_HOST is an engine of another machine", where, "unset DOCKER_HOST")


@contextmanager
def tests_engine(name: str) -> Iterator[Place]:
    """Make a host with an engine of testing.engines, and remove it afterwards; SetupError where that cannot work.

    Tests hand folders to containers, so the host has the checkout and the folder for temporary files too.
    """
    require()
    with rig(1, engine=name, shared=[paths.ROOT, Path(tempfile.gettempdir())]) as made:
        (host,) = made.hosts
        network = _network(host)
        host.load([tags.reference(image) for image in tags.IMAGES])
        yield Place(["nsenter", f"--net={network}"], {"DOCKER_HOST": f"unix://{host.socket}"})


def _network(host: NestedHost) -> str:
    inspect = ["docker", "inspect", "--format", "/proc/{{.State.Pid}}/ns/net", host.name]
    return subprocess.run(inspect, check=True, capture_output=True, text=True).stdout.strip()
