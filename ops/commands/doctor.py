"""Looks at everything that set-up makes and changes nothing."""

import os
import platform
import sys
from collections.abc import Callable

from ops.checks.report import Check, State
from ops.commands.setup import IMAGES
from toolchain import docker_engine, go, paths, pulumi, versions
from toolchain.errors import SetupError
from toolchain.local_state import LOCAL_STATE

SETUP = "./fridayctl setup"


def _check(name: str, found: str, wanted: str, ok: bool, fix: str = "") -> Check:
    return Check(name, "", State.OK if ok else State.FAILED, found, "" if ok else fix, wanted=wanted)


def examine() -> list[Check]:
    """Return every check of this machine; a check that cannot be made has failed."""
    engine = docker_engine.ask()
    return [
        _python(),
        _environment(),
        _guarded("local state", "complete and private (0600)", _local_state),
        _guarded("pulumi", versions.PULUMI, _pulumi),
        _guarded("language host", "for that Pulumi", _language_host),
        _guarded("docker provider", versions.DOCKER_PROVIDER, _docker_provider),
        _go(),
        _engine(engine),
        _guarded("images", "all built from this checkout", lambda wanted: _images(wanted, engine)),
    ]


def _guarded(name: str, wanted: str, look: Callable[[str], Check]) -> Check:
    try:
        return look(wanted)
    except SetupError as error:
        return _check(name, error.what, wanted, False, error.fix)


def _python() -> Check:
    minimum = ".".join(map(str, versions.PYTHON_MINIMUM))
    return _check("python", platform.python_version(), f">= {minimum}", sys.version_info >= versions.PYTHON_MINIMUM)


def _environment() -> Check:
    ok = (paths.VENV / ".friday-stamp").is_file() and sys.prefix == str(paths.VENV)
    return _check("environment", sys.prefix, f"{paths.VENV}, installed whole", ok, SETUP)


def _local_state(wanted: str) -> Check:
    ok = LOCAL_STATE.is_done()
    return _check("local state", str(paths.state_dir()) if ok else "incomplete", wanted, ok, SETUP)


def _pulumi(wanted: str) -> Check:
    found = pulumi.version_of(paths.tools_bin() / "pulumi")
    return _check("pulumi", found or "none", wanted, found == wanted, SETUP)


def _language_host(wanted: str) -> Check:
    missing = [tool for tool in pulumi.TOOLS if not os.access(paths.tools_bin() / tool, os.X_OK)]
    return _check("language host", f"no {', '.join(missing)}" if missing else "there", wanted, not missing, SETUP)


def _docker_provider(wanted: str) -> Check:
    ok = pulumi.DOCKER_PLUGIN.is_done()
    return _check("docker provider", wanted if ok else "none", wanted, ok, SETUP)


def _go() -> Check:
    """Go matters only where something has to be built, and set-up brings its own then."""
    present = go.found()
    minimum = ".".join(map(str, versions.GO_MINIMUM))
    return _check("go", present[1] if present else "none (set-up brings its own)", f">= {minimum} to build", True)


def _engine(engine: docker_engine.Engine) -> Check:
    minimum = ".".join(map(str, versions.DOCKER_ENGINE_MINIMUM))
    found = engine.problem or engine.misfit or f"{engine.version} (API {engine.api})"
    fix = docker_engine.fix(engine.problem) if engine.problem else engine.remedy
    return _check("docker engine", found, f">= {minimum}", engine.is_usable, fix)


def _images(wanted: str, engine: docker_engine.Engine) -> Check:
    if engine.problem:
        return _check("images", "unknown: no engine answers", wanted, False, "fix the engine first")
    ok = IMAGES.is_done()
    return _check("images", "there" if ok else "some are missing", wanted, ok, SETUP)
