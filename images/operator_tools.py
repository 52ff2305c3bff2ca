"""What the operator image takes from this machine's cache of tools: Pulumi with its helpers, and the Docker plugin."""

import os
import platform
import shutil
from pathlib import Path

from images import ImageError, wheels
from images.tags import OPERATOR
from toolchain import paths, pulumi

# As images/operator/Dockerfile has them.
_CACHE = "var/cache/friday-litellm"
_CHECKOUT = "opt/friday-litellm"


def require_fit() -> None:
    """Raise ImageError when this machine's tools cannot run in an image of its engine, whose Python base exists."""
    here = (platform.system(), platform.machine())
    markers = wheels.target(OPERATOR).markers
    there = (markers["platform_system"], markers["platform_machine"])
    if here != there:
        raise ImageError(
            f"the tools of this machine are for {' on '.join(here)}, and its engine runs {' on '.join(there)}: "
            "build the operator image on a machine where both are the same; docker save and docker load bring it here"
        )


def lay_out(folder: Path) -> None:
    """Copy the tools to where they lie in the image, whose root `folder` is; users may add to Pulumi's home.

    Raises ImageError when they cannot run there.
    """
    require_fit()
    target = folder / _CACHE / paths.pins_key()
    for tool in pulumi.TOOLS:
        _copy(paths.tools_bin() / tool, target / "bin" / tool)
    plugins = paths.pulumi_home() / "plugins"
    for path in sorted((plugins / pulumi.PLUGIN).rglob("*")):
        if path.is_file():
            _copy(path, target / "pulumi-home" / "plugins" / path.relative_to(plugins))
    # Pulumi keeps locks beside the plugin, and its work spaces in its home.
    for home in (target.parent, target / "pulumi-home", target / "pulumi-home" / "plugins"):
        home.chmod(0o1777)
    link = folder / _CHECKOUT / paths.TOOLCHAIN_LINK.name
    link.parent.mkdir(parents=True)
    link.symlink_to(Path("/") / _CACHE / target.name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
