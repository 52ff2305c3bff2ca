"""The whole set-up: every step, and doctor's look at what they made."""

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TextIO

from components.parts import built_here
from components.settings.source import SettingsError
from components.settings.stack import StackSettings
from images import ImageError, build
from images.tags import OPERATOR, Image, reference
from ops.checks.preflight.one_engine import require_one_engine
from ops.checks.report import Check, State
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.machine import ThisMachine
from toolchain import docker_endpoint, docker_engine, go, paths, pulumi, versions
from toolchain.docker_engine import DOCKER_ENGINE, Engine
from toolchain.errors import SetupError
from toolchain.local_state import LOCAL_STATE
from toolchain.pulumi import DOCKER_PLUGIN, PULUMI_CLI
from toolchain.runner import Outcome, Report, Step, run_steps

FIX = "./fridayctl setup"
_LOCAL = "local"
_GIB = 1 << 30
# All images together, unpacked, are 0.7 GB; the rest is for what their builds leave behind.
_IMAGES_BYTES = _GIB


def _build_images(report: Report, wanted: Sequence[Image] = build.DEPLOYED) -> None:
    """Build what is missing; SetupError when there is no room for it, or in the builder's own words."""
    if problem := _lack_of_room():
        raise SetupError(*problem)
    try:
        build.ensure(report, wanted)
    except ImageError as error:
        fix = "fix the errors in the lines above; then run ./fridayctl setup again"
        raise SetupError(str(error), "images", fix) from error


def _lack_of_room() -> tuple[str, str, str] | None:
    """Return why the images do not fit on this machine: what, where, and the fix; None when they may."""
    if not docker_endpoint.endpoint().address.startswith("unix://"):
        return None  # an engine elsewhere has its own disks
    engine = docker_engine.traits()
    space = ThisMachine().space(engine)
    if isinstance(space, str):
        return None
    folder, free = space.of_images(engine.folder)
    needed = engine.room(_IMAGES_BYTES)
    if free >= needed:
        return None
    what = f"too little disk for the images: {needed / _GIB:.1f} GiB are needed, {free / _GIB:.1f} GiB are free"
    return what, folder, "docker system df shows what takes it; docker image prune frees what nobody uses"


IMAGES = Step(
    "images", "the local stack's containers are made of them", build.is_done, _build_images, (DOCKER_ENGINE.name,)
)


def _images_of(settings: StackSettings) -> Step:
    """Return the step that makes the images of one stack: those of its parts for which it names no other."""
    names = built_here(settings)
    wanted = [image for image in build.DEPLOYED if image.name in names]
    why = "the stack's containers are made of them"
    return replace(IMAGES, why=why, is_done=partial(build.is_done, wanted), run=partial(_build_images, wanted=wanted))


TOOLS = (LOCAL_STATE, PULUMI_CLI, DOCKER_PLUGIN)
"""What a stack on other machines needs of this one."""

STEPS = (*TOOLS, DOCKER_ENGINE, IMAGES)
"""In the order of their lines; they run side by side."""


def ensure(out: TextIO | None = None) -> list[Outcome]:
    """Make whatever is missing and report it to `out` (default: stderr); SetupError when one cannot be made.

    In the operator image that is a local state at most: an engine is not its to set up.
    """
    return _ensure(STEPS, out)


def ensure_for(settings: StackSettings) -> None:
    """Make what an update of a stack needs of this machine; SetupError when one cannot be made.

    A machine that only drives others needs no engine and no images; another stack needs those of its own parts.
    """
    _ensure(TOOLS if settings.is_remote else (*TOOLS, DOCKER_ENGINE, _images_of(settings)))


def _ensure(steps: Sequence[Step], out: TextIO | None = None) -> list[Outcome]:
    outcomes = run_steps(TOOLS if paths.IN_OPERATOR_IMAGE else steps, out)
    _link_toolchain()
    return outcomes


def ensure_to_encrypt() -> None:
    """Make what Pulumi needs to write a stack file: a state and the command; SetupError when one cannot be made."""
    run_steps((LOCAL_STATE, PULUMI_CLI))
    _link_toolchain()


def build_operator(report: Report) -> str:
    """Build the image in which the commands run with Docker alone, and return its tag; SetupError when that fails."""
    run_steps([PULUMI_CLI, DOCKER_PLUGIN, DOCKER_ENGINE])
    try:
        build.ensure(report, [OPERATOR])
    except ImageError as error:
        raise SetupError(
            str(error), "the operator image", "fix the errors in the lines above; then try again"
        ) from error
    return reference(OPERATOR)


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
    python, provider = versions.PYTHON_MINIMUM, versions.DOCKER_PROVIDER
    in_venv = (paths.VENV / ".friday-stamp").is_file() and sys.prefix == str(paths.VENV)
    cli = pulumi.version_of(paths.tools_bin() / "pulumi")
    gone = [tool for tool in pulumi.TOOLS if not os.access(paths.tools_bin() / tool, os.X_OK)]
    _, here = go.found() or (None, "")
    engine = docker_engine.ask()
    return [
        _check("python", platform.python_version(), f">= {_dotted(python)}", sys.version_info >= python),
        _check("environment", sys.prefix, f"{paths.VENV}, installed whole", in_venv, FIX),
        _made(LOCAL_STATE, "complete and private (0600)", str(paths.state_dir()), "incomplete"),
        _check("pulumi", cli or "none", versions.PULUMI, cli == versions.PULUMI, FIX),
        _check("language host", f"no {', '.join(gone)}" if gone else "there", "for that Pulumi", not gone, FIX),
        _made(DOCKER_PLUGIN, provider, provider, "none"),
        # Go matters only where something has to be built, and set-up brings its own then.
        _check("go", here or "none (set-up brings its own)", f">= {_dotted(versions.GO_MINIMUM)} to build", True),
        *_engine(engine),
        _images(engine, "all built from this checkout"),
    ]


def _engine(engine: Engine) -> Iterator[Check]:
    """Yield what is found of the engine that set-up uses: which one, its version, how it runs containers."""
    used = docker_endpoint.endpoint()
    wrong, fix = "", ""
    try:
        require_one_engine(Deployment.open(_LOCAL, lambda *_: None))
    except OperationError as error:
        wrong, fix = error.message, error.fix
    except SettingsError as error:
        wrong, fix = str(error), "correct the setting"
    yield _check("docker endpoint", wrong or used.shown, f"dockerHost of the stack {_LOCAL}", not wrong, fix)
    found = engine.problem or engine.misfit or f"{engine.version} (API {engine.api})"
    fix = docker_engine.fix(engine.problem) if engine.problem else engine.remedy
    yield _check("docker engine", found, f">= {_dotted(versions.DOCKER_ENGINE_MINIMUM)}", engine.is_usable, fix)
    if not engine.is_usable:
        return
    traits = docker_engine.traits()
    wanted = "limits of memory and processor time"
    if problem := traits.problem(swarm=False):
        yield _check("containers", problem[0], wanted, False, problem[1])
    elif warning := traits.cgroup_warning:
        yield Check("containers", "", State.WARNING, f"{traits.shown}: {warning[0]}", warning[1], wanted=wanted)
    else:
        yield _check("containers", traits.shown, wanted, True)


def _images(engine: Engine, wanted: str) -> Check:
    if engine.problem:
        return _check(IMAGES.name, "unknown: no engine answers", wanted, False, "fix the engine first")
    check = _made(IMAGES, wanted, "there", "some are missing")
    if check.state is State.FAILED and (problem := _lack_of_room()):
        return _check(IMAGES.name, f"{check.found}; {problem[0]} in {problem[1]}", wanted, False, problem[2])
    return check


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
