"""The other way to change a percentage: edit .env and run docker-compose, for a container like a stack's Friday."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from testing.meanwhile import timed, until_answered
from testing.ports import free_ports
from testing.project import Project

_VARIABLE = "LITELLM_ROLLOUT_PERCENTAGE"
_PORT = 3000
_READY_SECONDS = 30


@dataclass(frozen=True)
class Composed:
    """A Friday that docker-compose runs, on a port of its own and on the networks of a stack."""

    folder: Path
    name: str
    url: str

    def change(self, percentage: int) -> float:
        """Edit .env and run `docker-compose up -d`; return the seconds that this took."""
        (self.folder / ".env").write_text(f"{_VARIABLE}={percentage}\n")
        return timed(lambda: self.run("up", "-d"))

    def run(self, *arguments: str) -> None:
        """Run docker-compose on it; RuntimeError with its output when that fails."""
        command = ["docker-compose", "--project-name", self.name, *arguments]
        done = subprocess.run(command, cwd=self.folder, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"docker-compose {' '.join(arguments)} failed:\n{done.stderr}")


@contextmanager
def running(project: Project, percentage: int) -> Iterator[Composed]:
    """Run a Friday made like the stack's own, with this percentage; it is removed at the end."""
    [port] = free_ports(1)
    with TemporaryDirectory(prefix="friday-compose-") as name:
        folder = Path(name)
        (folder / "docker-compose.yml").write_text(yaml.safe_dump(_file(project, port)))
        composed = Composed(folder, f"{project.stack}compose", f"http://127.0.0.1:{port}")
        try:
            composed.change(percentage)
            until_answered(f"{composed.url}/healthz", _READY_SECONDS)
            yield composed
        finally:
            composed.run("down", "--timeout", "5")


def _file(project: Project, port: int) -> dict[str, Any]:
    attributes = project.containers("friday")[0].attrs
    config, host = attributes["Config"], attributes["HostConfig"]
    environment = dict(entry.split("=", 1) for entry in config["Env"])
    networks = list(attributes["NetworkSettings"]["Networks"])
    service = {
        "image": attributes["Image"],
        "entrypoint": config["Entrypoint"],
        "command": config["Cmd"],
        "user": config["User"],
        "environment": {**environment, _VARIABLE: f"${{{_VARIABLE}}}"},
        "read_only": host["ReadonlyRootfs"],
        "volumes_from": [f"container:{each.split(':')[0]}" for each in host["VolumesFrom"] or ()],
        "networks": networks,
        "ports": [f"127.0.0.1:{port}:{_PORT}"],
        "init": True,
    }
    external = {network: {"external": True} for network in networks}
    return {"version": "2.4", "services": {"friday": service}, "networks": external}
