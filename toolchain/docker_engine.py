"""The Docker engine: found, started or installed."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain import apt, process, versions
from toolchain.errors import SetupError

DAEMON_LOG = Path("/var/log/friday-dockerd.log")
_START_SECONDS = 60.0
_POLL_SECONDS = 0.25
_ASK_SECONDS = 15
_WHY = "containers run on it"
_MINIMUM = ".".join(map(str, versions.DOCKER_ENGINE_MINIMUM))


@dataclass(frozen=True)
class Engine:
    """What the `docker` command says of the engine it talks to; `problem` is empty when it answers."""

    version: str = ""
    api: str = ""
    problem: str = ""

    @property
    def is_new_enough(self) -> bool:
        """Tell whether the engine's API is at least the tested one."""
        return bool(self.api) and _numbers(self.api) >= versions.DOCKER_API_MINIMUM


class DockerEngine:
    """The step that leaves an engine answering: installed and started where this user may."""

    name = "docker engine"
    why = _WHY

    def is_done(self) -> bool:
        """Tell whether an engine answers that is new enough."""
        return ask().is_new_enough

    def run(self, report: Callable[[str], None]) -> None:
        """Install and start what is missing; SetupError with the one thing to do where this user may not."""
        if not shutil.which("docker") or not (shutil.which("dockerd") or os.environ.get("DOCKER_HOST")):
            _install(report)
        engine = ask()
        if engine.problem:
            _refuse_foreign(engine)
            engine = _wait(_start(report), report)
        if not engine.is_new_enough:
            raise SetupError(
                f"the engine is {engine.version} (API {engine.api}), {_MINIMUM} or newer is needed",
                "Docker",
                "upgrade it: https://docs.docker.com/engine/install",
            )


def ask() -> Engine:
    """Ask the engine that `docker` is set up for (DOCKER_HOST, the current context) for its version."""
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
        server = json.loads(result.stdout)
        return Engine(version=server["Version"], api=server["ApiVersion"])
    except (ValueError, TypeError, KeyError):
        return Engine(problem=result.stderr.strip() or "docker version names no engine")


def mend(problem: str) -> str:
    """Return what to do about an engine that does not answer."""
    if "permission denied" in problem.lower():
        return "sudo usermod -aG docker $USER, then log in again (or run this as root)"
    if os.environ.get("DOCKER_HOST"):
        return f"check DOCKER_HOST={os.environ['DOCKER_HOST']}, or unset it to use the engine of this machine"
    if os.geteuid() == 0:
        return "./fridayctl setup"
    if "not installed" in problem:
        return "sudo apt-get install docker.io, or https://docs.docker.com/engine/install"
    return "sudo systemctl start docker" if _has_systemd() else "start dockerd as root"


def _refuse_foreign(engine: Engine) -> None:
    """Raise for an engine that is not ours to start: another machine's, or one that refuses this user."""
    ours_to_start = os.geteuid() == 0 and not os.environ.get("DOCKER_HOST")
    if "permission denied" in engine.problem.lower() or not ours_to_start:
        raise SetupError(engine.problem, "Docker", mend(engine.problem))


def _install(report: Callable[[str], None]) -> None:
    if not apt.is_usable():
        problem = "the Docker engine is not installed, and this user cannot install it"
        raise SetupError(problem, "this machine", mend("not installed"))
    if not shutil.which("dockerd"):
        apt.install(["docker.io"], _WHY, report)
    # Newer Debian and Ubuntu releases keep the command in a package of its own.
    if not shutil.which("docker"):
        apt.install(["docker-cli"], "talks to the engine", report)


def _start(report: Callable[[str], None]) -> subprocess.Popen[bytes] | None:
    """Start the engine and return its process when that is a child of ours."""
    if _has_systemd():
        report("starting the Docker service")
        hint = "read `journalctl -u docker --no-pager | tail -n 50`"
        process.run(["systemctl", "start", "docker"], "starting Docker", hint)
        return None
    report(f"starting dockerd in the background (no service manager here), log: {DAEMON_LOG}")
    with DAEMON_LOG.open("ab") as log:
        # It outlives this process on purpose: a session of its own, no input of ours.
        return subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )


def _wait(daemon: subprocess.Popen[bytes] | None, report: Callable[[str], None]) -> Engine:
    started = time.monotonic()
    report("waiting for the Docker engine to answer")
    while time.monotonic() - started < _START_SECONDS:
        engine = ask()
        if not engine.problem:
            return engine
        if daemon and daemon.poll() is not None:
            break
        time.sleep(_POLL_SECONDS)
    raise SetupError(
        f"the engine does not answer {time.monotonic() - started:.0f} s after its start{_log_tail()}",
        "dockerd",
        "mend what its log says; then run this again",
    )


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def _log_tail() -> str:
    if not DAEMON_LOG.is_file():
        return ""
    lines = DAEMON_LOG.read_text(errors="replace").splitlines()[-process.TAIL_LINES :]
    return "".join(f"\n  | {line}" for line in lines)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
