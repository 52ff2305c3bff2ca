"""Looks at everything that set-up makes and changes nothing."""

import os
import platform
import sys
from collections.abc import Callable, Iterable

from ops.checks.report import Check, State
from ops.commands.setup import Images
from toolchain import docker_engine, go, paths, pulumi, versions
from toolchain.docker_provider import DockerProvider
from toolchain.errors import SetupError
from toolchain.local_state import LocalState

SETUP = "./fridayctl setup"
Found = tuple[str, bool]  # and whether that is as it should be


def examine() -> list[Check]:
    """Return every check of this machine; a check that cannot be made has failed."""
    engine, python = docker_engine.ask(), versions.PYTHON_MINIMUM
    _, here = go.found() or (None, "")
    found = engine.problem or engine.misfit or f"{engine.version} (API {engine.api})"
    fix = docker_engine.fix(engine.problem) if engine.problem else engine.remedy
    in_venv = (paths.VENV / ".friday-stamp").is_file() and sys.prefix == str(paths.VENV)
    return [
        _check("python", platform.python_version(), f">= {_dotted(python)}", sys.version_info >= python),
        _check("environment", sys.prefix, f"{paths.VENV}, installed whole", in_venv, SETUP),
        _guarded("local state", "complete and private (0600)", _local_state),
        _guarded("pulumi", versions.PULUMI, _pulumi),
        _guarded("language host", "for that Pulumi", _language_host),
        _guarded("docker provider", versions.DOCKER_PROVIDER, _docker_provider),
        # Go matters only where something has to be built, and set-up brings its own then.
        _check("go", here or "none (set-up brings its own)", f">= {_dotted(versions.GO_MINIMUM)} to build", True),
        _check("docker engine", found, f">= {_dotted(versions.DOCKER_ENGINE_MINIMUM)}", engine.is_usable, fix),
        _guarded("images", "all built from this checkout", lambda: _images(engine)),
    ]


def _check(name: str, found: str, wanted: str, ok: bool, fix: str = "") -> Check:
    return Check(name, "", State.OK if ok else State.FAILED, found, "" if ok else fix, wanted=wanted)


def _guarded(name: str, wanted: str, look: Callable[[], Found]) -> Check:
    try:
        found, ok = look()
        return _check(name, found, wanted, ok, SETUP)
    except SetupError as error:
        return _check(name, error.what, wanted, False, error.fix)


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def _local_state() -> Found:
    ok = LocalState().is_done()
    return str(paths.state_dir()) if ok else "incomplete", ok


def _pulumi() -> Found:
    found = pulumi.version_of(paths.tools_bin() / "pulumi")
    return found or "none", found == versions.PULUMI


def _language_host() -> Found:
    missing = [tool for tool in pulumi.TOOLS if not os.access(paths.tools_bin() / tool, os.X_OK)]
    return f"no {', '.join(missing)}" if missing else "there", not missing


def _docker_provider() -> Found:
    ok = DockerProvider().is_done()
    return versions.DOCKER_PROVIDER if ok else "none", ok


def _images(engine: docker_engine.Engine) -> Found:
    if engine.problem:
        raise SetupError("unknown: no engine answers", "images", "fix the engine first")
    ok = Images().is_done()
    return "there" if ok else "some are missing", ok
