"""Another way to change a percentage: a second container, which kamal-proxy is told to send the users to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from testing.meanwhile import timed
from testing.ports import free_ports
from testing.project import Project

_VARIABLE = "LITELLM_ROLLOUT_PERCENTAGE"
_PORT = 3000
_LISTENS = 8080
_START_SECONDS = 120
_DRAIN_SECONDS = 60
"""As long as a stack's replicas have (`friday.stopGraceSeconds`)."""
_STOP_SECONDS = 10


@contextmanager
def running(
    project: Project, binary: str, percentage: int, health: str
) -> Iterator[tuple[str, Callable[[int], float]]]:
    """Run kamal-proxy, and behind it a Friday made like the stack's own; both are removed at the end.

    Yields the URL, on a port of its own, and what changes the percentage as Kamal does: the new container is started
    beside the old one, `kamal-proxy deploy` returns when the old one has no request any more, then that is stopped. It
    returns the seconds all of that took. RuntimeError with kamal-proxy's words when it fails.

    Its health check of `health` sends no header of one's choice, so the image has to answer without an origin: it does
    outside of production mode.
    """
    made: list[Container] = []
    proxy, port = _proxy(project, binary)

    def deploy(percentage: int) -> None:
        new = _friday(project, f"{proxy.name}-{len(made)}", percentage)
        old = made[-1:]
        made.append(new)
        options = {"health-check-path": health, "deploy-timeout": f"{_START_SECONDS}s"}
        options |= {"drain-timeout": f"{_DRAIN_SECONDS}s", "target": f"{new.name}:{_PORT}"}
        ran = proxy.exec_run(["kamal-proxy", "deploy", "friday", *(f"--{key}={is_}" for key, is_ in options.items())])
        if ran.exit_code:
            raise RuntimeError(f"kamal-proxy deploy failed:\n{ran.output!r}\n{proxy.logs(tail=20).decode()}")
        for each in old:
            each.stop(timeout=_STOP_SECONDS)

    try:
        deploy(percentage)
        yield f"http://127.0.0.1:{port}", lambda percentage: timed(lambda: deploy(percentage))
    finally:
        for each in (proxy, *made):
            each.remove(force=True)


def _proxy(project: Project, binary: str) -> tuple[Container, int]:
    """Run the proxy on the stack's network, as Kamal does in a container, on a port of 127.0.0.1."""
    [port] = free_ports(1)
    listens: dict[str, Any] = {f"{_LISTENS}/tcp": ("127.0.0.1", port)}
    container = project.engine.containers.run(
        project.images()["edge"],
        ["kamal-proxy", "run", f"--http-port={_LISTENS}", "--https-port=8443"],
        name=f"{project.stack}kamal",
        detach=True,
        environment={"HOME": "/tmp", "XDG_RUNTIME_DIR": "/tmp"},  # noqa: S108 - the container's own
        volumes={str(Path(binary).resolve()): {"bind": "/usr/local/bin/kamal-proxy", "mode": "ro"}},
        network=_network(project),
        ports=listens,
    )
    return container, port


def _friday(project: Project, name: str, percentage: int) -> Container:
    attributes = project.containers("friday")[0].attrs
    config, host = attributes["Config"], attributes["HostConfig"]
    environment = dict(entry.split("=", 1) for entry in config["Env"])
    return project.engine.containers.run(
        attributes["Image"],
        config["Cmd"],
        entrypoint=config["Entrypoint"],
        name=name,
        detach=True,
        user=config["User"],
        environment={**environment, "NODE_ENV": "staging", _VARIABLE: str(percentage)},
        tmpfs=host["Tmpfs"] or {},
        network=_network(project),
        init=True,
    )


def _network(project: Project) -> str:
    return f"friday-{project.stack}-app"
