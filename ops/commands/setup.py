"""The whole set-up: every step in the order in which they build on each other."""

import sys
from typing import TextIO

from images import build
from images.errors import ImageError
from toolchain import paths
from toolchain.docker_engine import DockerEngine
from toolchain.docker_provider import DockerProvider
from toolchain.errors import SetupError
from toolchain.local_state import LocalState
from toolchain.pulumi import PulumiCli
from toolchain.runner import Outcome, Report, Step, run_steps


class Images:
    """The step that builds the images which the local stack deploys."""

    name = "images"
    why = "the local stack's containers are made of them"

    def is_done(self) -> bool:
        """Return whether the engine holds all of them in this checkout's version."""
        return build.is_done()

    def run(self, report: Report) -> None:
        """Build what is missing; SetupError in the builder's own words."""
        try:
            build.ensure(report)
        except ImageError as error:
            fix = "fix the errors in the lines above; then run ./fridayctl setup again"
            raise SetupError(str(error), "images", fix) from error


def steps() -> list[Step]:
    """Return all steps, in their order: the images need the engine."""
    return [LocalState(), PulumiCli(), DockerProvider(), DockerEngine(), Images()]


def ensure(out: TextIO | None = None) -> list[Outcome]:
    """Make whatever is missing and tell `out` (default: stderr); SetupError when one cannot be made."""
    outcomes = run_steps(steps(), out or sys.stderr)
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
