"""Looks at everything that set-up makes and changes nothing."""

import os
import platform
import sys
from collections.abc import Iterable

from ops.checks.report import Check, State
from ops.commands.setup import Images
from toolchain import docker_engine, go, paths, pulumi, versions
from toolchain.docker_provider import DockerProvider
from toolchain.errors import SetupError
from toolchain.local_state import LocalState
from toolchain.runner import Step

SETUP = "./fridayctl setup"


def examine() -> list[Check]:
    """Return every check of this machine; a check that cannot be made has failed."""
    python, provider, images = versions.PYTHON_MINIMUM, versions.DOCKER_PROVIDER, "all built from this checkout"
    in_venv = (paths.VENV / ".friday-stamp").is_file() and sys.prefix == str(paths.VENV)
    cli = pulumi.version_of(paths.tools_bin() / "pulumi")
    gone = [tool for tool in pulumi.TOOLS if not os.access(paths.tools_bin() / tool, os.X_OK)]
    _, here = go.found() or (None, "")
    engine = docker_engine.ask()
    found = engine.problem or engine.misfit or f"{engine.version} (API {engine.api})"
    fix = docker_engine.fix(engine.problem) if engine.problem else engine.remedy
    return [
        _check("python", platform.python_version(), f">= {_dotted(python)}", sys.version_info >= python),
        _check("environment", sys.prefix, f"{paths.VENV}, installed whole", in_venv, SETUP),
        _made(LocalState(), "complete and private (0600)", str(paths.state_dir()), "incomplete"),
        _check("pulumi", cli or "none", versions.PULUMI, cli == versions.PULUMI, SETUP),
        _check("language host", f"no {', '.join(gone)}" if gone else "there", "for that Pulumi", not gone, SETUP),
        _made(DockerProvider(), provider, provider, "none"),
        # Go matters only where something has to be built, and set-up brings its own then.
        _check("go", here or "none (set-up brings its own)", f">= {_dotted(versions.GO_MINIMUM)} to build", True),
        _check("docker engine", found, f">= {_dotted(versions.DOCKER_ENGINE_MINIMUM)}", engine.is_usable, fix),
        _check("images", "unknown: no engine answers", images, False, "fix the engine first")
        if engine.problem
        else _made(Images(), images, "there", "some are missing"),
    ]


def _check(name: str, found: str, wanted: str, ok: bool, fix: str = "") -> Check:
    return Check(name, "", State.OK if ok else State.FAILED, found, "" if ok else fix, wanted=wanted)


def _made(step: Step, wanted: str, there: str, missing: str) -> Check:
    """Return whether set-up has made something: it is there, missing, or cannot be looked at."""
    try:
        ok = step.is_done()
    except SetupError as error:
        return _check(step.name, error.what, wanted, False, error.fix)
    return _check(step.name, there if ok else missing, wanted, ok, SETUP)


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))
