"""The commands of Docker's command line that building images needs."""

import subprocess
from collections.abc import Sequence
from functools import cache

from images import ImageError


def exist(*references: str) -> bool:
    """Return whether Docker has an image of each of these names."""
    return _docker("image", "inspect", "--format", "{{.Id}}", *references).returncode == 0


def size_mb(reference: str) -> float:
    """Return an image's size in MB (10^6 bytes), layers shared with others included."""
    return int(_checked("image", "inspect", "--format", "{{.Size}}", reference)) / 1e6


def retag(source: str, target: str) -> None:
    """Give an image a second name."""
    _checked("image", "tag", source, target)


def output_of(reference: str, command: Sequence[str]) -> str:
    """Run a command in a temporary container without network and return its output."""
    return _checked("run", "--rm", "--network", "none", reference, *command)


def remove_dangling() -> None:
    """Remove unnamed images with our stage label; a multi-stage build leaves them."""
    _docker("image", "prune", "--force", "--filter", "dangling=true", "--filter", "label=friday-litellm.stage=builder")


@cache
def has_buildkit() -> bool:
    """Return whether the command line can build with BuildKit; without the plugin only the classic builder works."""
    return _docker("buildx", "version").returncode == 0


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


def _checked(*arguments: str) -> str:
    result = _docker(*arguments)
    if result.returncode:
        raise ImageError(f"docker {' '.join(arguments[:2])} failed: {result.stderr.strip()}")
    return result.stdout.strip()
