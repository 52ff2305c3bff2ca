"""The whole set-up: every step in the order in which they build on each other."""

from typing import TextIO

from toolchain import paths
from toolchain.docker_engine import DOCKER_ENGINE
from toolchain.errors import SetupError
from toolchain.local_state import LOCAL_STATE
from toolchain.pulumi import DOCKER_PLUGIN, PULUMI_CLI
from toolchain.runner import Outcome, Report, Step, run_steps


def _images_are_done() -> bool:
    """Return whether the engine holds all of them in this checkout's version."""
    from images import build  # noqa: PLC0415 - imports only what a command uses

    return build.is_done()


def _build_images(report: Report) -> None:
    """Build what is missing; SetupError in the builder's own words."""
    from images import ImageError, build  # noqa: PLC0415

    try:
        build.ensure(report)
    except ImageError as error:
        fix = "fix the errors in the lines above; then run ./fridayctl setup again"
        raise SetupError(str(error), "images", fix) from error


IMAGES = Step("images", "the local stack's containers are made of them", _images_are_done, _build_images)
STEPS = (LOCAL_STATE, PULUMI_CLI, DOCKER_PLUGIN, DOCKER_ENGINE, IMAGES)
"""In their order: the images need the engine."""


def ensure(out: TextIO | None = None) -> list[Outcome]:
    """Make whatever is missing and tell `out` (default: stderr); SetupError when one cannot be made."""
    outcomes = run_steps(STEPS, out)
    link_toolchain()
    return outcomes


def link_toolchain() -> None:
    """Point .toolchain at the cache folder of this checkout's pins, in one step."""
    link, target = paths.TOOLCHAIN_LINK, paths.toolchain_dir()
    if link.is_symlink() and link.readlink() == target:
        return
    fresh = link.with_name(f"{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
