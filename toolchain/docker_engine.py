"""The Docker engine: found, started or installed."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain import apt, docker_endpoint, engine_traits, machine, process, versions
from toolchain.engine_traits import Traits
from toolchain.errors import SetupError
from toolchain.runner import Report, Step

DAEMON_LOG = Path("/var/log/friday-dockerd.log")
_START_SECONDS = 60.0
_POLL_SECONDS = 0.25
_ASK_SECONDS = 15
_WHY = "containers run on it"
_IT_ANSWERS = "Error response from daemon"
_COMMAND_TOO_NEW = re.compile(r"client version \S+ is too new\. Maximum supported API version is ([\d.]+)")
_DESKTOPS = {
    "macos": "start Docker Desktop, or install it (brew install --cask docker-desktop); DOCKER_HOST names a socket "
    "other than /var/run/docker.sock (its own: unix://$HOME/.docker/run/docker.sock); stacks elsewhere need none",
    "wsl": "start Docker Desktop, with this distribution switched on in its settings for WSL integration",
}
_MINIMUM = ".".join(map(str, versions.DOCKER_ENGINE_MINIMUM))


@dataclass(frozen=True)
class Engine:
    """A Docker engine's version, its newest API and the oldest that it accepts ("" before API 1.25).

    `problem` is empty when it answers. Podman answers as an engine does, and is none.
    """

    version: str = ""
    api: str = ""
    oldest_api: str = ""
    problem: str = ""
    is_podman: bool = False

    @property
    def is_usable(self) -> bool:
        """Return whether it answers, and speaks an API that the Docker plugin speaks too."""
        return not (self.problem or self.misfit)

    @property
    def misfit(self) -> str:
        """Return why the Docker plugin cannot work with the engine, "" when it can.

        The API decides and not the version, because builds of distributions have versions of their own.
        """
        if self.is_podman:
            return f"Podman {self.version} answers, and a Docker engine is needed"
        if versions.numbers(self.api) < versions.DOCKER_API_MINIMUM:
            return f"the Docker engine is {self.version} (API {self.api}), {_MINIMUM} or newer is needed"
        if versions.numbers(self.oldest_api) > versions.DOCKER_API_SPOKEN:
            spoken = ".".join(map(str, versions.DOCKER_API_SPOKEN))
            return (
                f"the Docker engine is {self.version} and accepts only API {self.oldest_api} or newer; "
                f"the Docker plugin speaks {spoken}"
            )
        return ""

    @property
    def supports_start_interval(self) -> bool:
        """Return whether a health probe may have another interval until the container is healthy."""
        return versions.numbers(self.api) >= versions.START_INTERVAL_API

    @property
    def remedy(self) -> str:
        """Return the fix for a `misfit`."""
        if self.is_podman:
            return "name the socket of a Docker engine; https://docs.docker.com/engine/install says how to get one"
        if versions.numbers(self.api) < versions.DOCKER_API_MINIMUM:
            return "upgrade it: https://docs.docker.com/engine/install"
        return "start dockerd with DOCKER_MIN_API_VERSION=1.44 in its environment, or use a newer friday-litellm"


def ask() -> Engine:
    """Return the engine that `docker` uses (DOCKER_HOST, the current context), or its problem."""
    try:
        result = subprocess.run(
            ["docker", "version", "--format", "{{json .Server}}"],
            capture_output=True,
            text=True,
            timeout=_ASK_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        return Engine(problem="the docker command is not installed")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Engine(problem=f"docker version does not answer: {error}")
    try:
        return described(json.loads(result.stdout))
    except (ValueError, TypeError, KeyError):
        if (command := process.read(["docker", "--version"]) or "").startswith("podman"):
            return Engine(command.removeprefix("podman version "), is_podman=True)
        return Engine(problem=result.stderr.strip() or "docker version names no engine")


def described(server: Mapping[str, Any]) -> Engine:
    """Return the engine in an answer to `GET /version`. Raises KeyError or TypeError for another answer."""
    version, api, oldest = server["Version"], server["ApiVersion"], server.get("MinAPIVersion") or ""
    podman = any(each.get("Name") == "Podman Engine" for each in server.get("Components") or ())
    return Engine(version, api, oldest, is_podman=podman)


def traits() -> Traits:
    """Return the traits of the engine that `docker` uses; of none that answers, none."""
    try:
        return engine_traits.read(json.loads(process.read(["docker", "info", "--format", "{{json .}}"]) or "{}"))
    except ValueError:
        return Traits()


def fix(problem: str) -> str:
    """Return the fix for an engine that does not answer, or not the docker command of this machine."""
    return _of_the_command(problem) or _of_the_engine(problem)


def _of_the_command(problem: str) -> str:
    if too_new := _COMMAND_TOO_NEW.search(problem):
        return f"export DOCKER_API_VERSION={too_new.group(1)}: the docker command is newer than what the engine speaks"
    too_old = _IT_ANSWERS in problem and "is too old" in problem
    return "upgrade the docker command: it is older than what the engine accepts" if too_old else ""


def _of_the_engine(problem: str) -> str:
    used = docker_endpoint.endpoint()
    # A desktop's engine has a context of its own, which is right: there only a DOCKER_HOST is to be looked at.
    suspect = os.environ.get("DOCKER_HOST") if _is_in_a_desktop() else used.chosen_by
    if suspect and "permission denied" not in problem.lower():
        return f"check {used.chosen_by}, or use the engine of this machine: {used.undo}"
    if _is_in_a_desktop():
        return _DESKTOPS["macos" if machine.is_macos() else "wsl"]
    if "permission denied" in problem.lower():
        return "sudo usermod -aG docker $USER, then log in again (or run this as root)"
    if os.geteuid() == 0:
        return "./fridayctl setup"
    if "not installed" in problem:
        return f"{apt.by_hand(['docker.io'])}, or https://docs.docker.com/engine/install"
    return _start_by_hand()


def _start_by_hand() -> str:
    if _has_systemd():
        return "sudo systemctl start docker"
    return "sudo service docker start" if machine.is_wsl() else "start dockerd as root"


def _run(report: Report) -> None:
    """Install and start the engine when needed. Raises SetupError with the fix when this user may not."""
    if not _is_in_a_desktop() and not (
        shutil.which("docker") and (shutil.which("dockerd") or docker_endpoint.endpoint().chosen_by)
    ):
        _install(report)
    engine = ask()
    if engine.problem:
        # One on another machine, without rights for this user, or that answers with an error is not ours to start.
        elsewhere = docker_endpoint.endpoint().chosen_by or _is_in_a_desktop()
        ours_to_start = os.geteuid() == 0 and not elsewhere and _IT_ANSWERS not in engine.problem
        if "permission denied" in engine.problem.lower() or not ours_to_start:
            raise SetupError(engine.problem, "Docker", fix(engine.problem))
        engine = _wait(_start(report), report)
    if engine.misfit:
        raise SetupError(engine.misfit, "Docker", engine.remedy)


def _install(report: Report) -> None:
    if not apt.is_usable():
        problem = "the Docker engine is not installed, and this user cannot install it"
        raise SetupError(problem, "this machine", fix("not installed"))
    if not shutil.which("dockerd"):
        apt.install(["docker.io"], _WHY, report)
    # Newer Debian and Ubuntu releases keep the command in a package of its own.
    if not shutil.which("docker"):
        apt.install(["docker-cli"], "talks to the engine", report)


def _start(report: Report) -> subprocess.Popen[bytes] | None:
    """Start the engine and return its process, or None when a service manager started it."""
    if _has_systemd():
        report("starting the Docker service")
        hint = "read `journalctl -u docker --no-pager | tail -n 50`"
        process.run(["systemctl", "start", "docker"], "starting Docker", hint)
        return None
    report(f"starting dockerd in the background (no service manager here), log: {DAEMON_LOG}")
    with DAEMON_LOG.open("ab") as log:
        # In a session of its own and without input, so that it outlives this process.
        return subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )


def _wait(daemon: subprocess.Popen[bytes] | None, report: Report) -> Engine:
    started = time.monotonic()
    report("waiting for the Docker engine to answer")
    while time.monotonic() - started < _START_SECONDS:
        engine = ask()
        if not engine.problem:
            return engine
        if daemon and daemon.poll() is not None:
            break
        time.sleep(_POLL_SECONDS)
    lines = DAEMON_LOG.read_text(errors="replace").splitlines() if DAEMON_LOG.is_file() else []
    tail = "".join(f"\n  | {line}" for line in lines[-process.TAIL_LINES :])
    what = f"the engine does not answer {time.monotonic() - started:.0f} s after its start{tail}"
    raise SetupError(what, "dockerd", "fix the error in its log; then run this again")


def _is_in_a_desktop() -> bool:
    """Return whether the engine of this machine is in a virtual machine, which its user starts."""
    command_alone = shutil.which("docker") is not None and shutil.which("dockerd") is None
    return machine.is_macos() or (machine.is_wsl() and command_alone)


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


DOCKER_ENGINE = Step("docker engine", _WHY, lambda: ask().is_usable, _run)
"""Installs and starts a Docker engine, where this user has the rights."""
