"""The whole set-up: every step, and doctor's look at what they made."""

import os
import platform
import sys
from collections.abc import Iterable
from typing import TextIO

from images import ImageError, build
from ops.checks.report import Check, State
from toolchain import docker_engine, go, paths, pulumi, versions
from toolchain.docker_engine import DOCKER_ENGINE
from toolchain.errors import SetupError
from toolchain.local_state import LOCAL_STATE
from toolchain.pulumi import DOCKER_PLUGIN, PULUMI_CLI
from toolchain.runner import Outcome, Report, Step, run_steps

FIX = "./fridayctl setup"


def _build_images(report: Report) -> None:
    """Build what is missing; SetupError in the builder's own words."""
    try:
        build.ensure(report)
    except ImageError as error:
        fix = "fix the errors in the lines above; then run ./fridayctl setup again"
        raise SetupError(str(error), "images", fix) from error


IMAGES = Step(
    "images", "the local stack's containers are made of them", build.is_done, _build_images, (DOCKER_ENGINE.name,)
)
STEPS = (LOCAL_STATE, PULUMI_CLI, DOCKER_PLUGIN, DOCKER_ENGINE, IMAGES)
"""In the order of their lines; they run side by side."""


def ensure(out: TextIO | None = None) -> list[Outcome]:
    """Make whatever is missing and report it to `out` (default: stderr); SetupError when one cannot be made."""
    outcomes = run_steps(STEPS, out)
    _link_toolchain()
    return outcomes


def _link_toolchain() -> None:
    """Point .toolchain at the cache folder of this checkout's pins, in one step."""
    link, target = paths.TOOLCHAIN_LINK, paths.toolchain_dir()
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(f"{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


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
        _check("environment", sys.prefix, f"{paths.VENV}, installed whole", in_venv, FIX),
        _made(LOCAL_STATE, "complete and private (0600)", str(paths.state_dir()), "incomplete"),
        _check("pulumi", cli or "none", versions.PULUMI, cli == versions.PULUMI, FIX),
        _check("language host", f"no {', '.join(gone)}" if gone else "there", "for that Pulumi", not gone, FIX),
        _made(DOCKER_PLUGIN, provider, provider, "none"),
        # Go matters only where something has to be built, and set-up brings its own then.
        _check("go", here or "none (set-up brings its own)", f">= {_dotted(versions.GO_MINIMUM)} to build", True),
        _check("docker engine", found, f">= {_dotted(versions.DOCKER_ENGINE_MINIMUM)}", engine.is_usable, fix),
        _check("images", "unknown: no engine answers", images, False, "fix the engine first")
        if engine.problem
        else _made(IMAGES, images, "there", "some are missing"),
    ]


def _check(name: str, found: str, wanted: str, ok: bool, fix: str = "") -> Check:
    return Check(name, "", State.OK if ok else State.FAILED, found, "" if ok else fix, wanted=wanted)


def _made(step: Step, wanted: str, there: str, missing: str) -> Check:
    """Return whether set-up has made something: it is there, missing, or cannot be looked at."""
    try:
        ok = step.is_done()
    except SetupError as error:
        return _check(step.name, error.what, wanted, False, error.fix)
    return _check(step.name, there if ok else missing, wanted, ok, FIX)


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))
