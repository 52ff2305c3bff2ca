"""The other way to change a percentage: edit .env and run docker-compose, for a container like a stack's Friday."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


@contextmanager
def running(
    project: Project, percentage: int, health: str = "/healthz", headers: Mapping[str, str] | None = None
) -> Iterator[tuple[str, Callable[[int], float]]]:
    """Run a Friday made like the stack's own, with this percentage; it is removed at the end.

    Yields its URL, on a port of its own, and what edits .env and runs `docker-compose up -d` to change the percentage;
    that returns the seconds it took. RuntimeError with docker-compose's output when it fails. `health` is the path that
    a Friday answers, with these `headers`, once it has started.
    """
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with TemporaryDirectory(prefix="friday-compose-") as folder:

        def compose(*arguments: str) -> None:
            command = ["docker-compose", "--project-name", f"{project.stack}compose", *arguments]
            done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"docker-compose {' '.join(arguments)} failed:\n{done.stderr}")

        def change(percentage: int) -> float:
            Path(folder, ".env").write_text(f"{_VARIABLE}={percentage}\n")
            return timed(lambda: compose("up", "-d"))

        Path(folder, "docker-compose.yml").write_text(yaml.safe_dump(_file(project, port)))
        try:
            change(percentage)
            until_answered(f"{url}{health}", _READY_SECONDS, headers=headers)
            yield url, change
        finally:
            compose("down", "--timeout", "5")


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
        "tmpfs": [f"{path}:{options}" for path, options in (host["Tmpfs"] or {}).items()],
        "volumes_from": [f"container:{each.split(':')[0]}" for each in host["VolumesFrom"] or ()],
        "networks": networks,
        "ports": [f"127.0.0.1:{port}:{_PORT}"],
        "init": True,
    }
    external = {network: {"external": True} for network in networks}
    given = {name: value for name, value in service.items() if value is not None}  # an image may have no entry point
    return {"version": "2.4", "services": {"friday": given}, "networks": external}
