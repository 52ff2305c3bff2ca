"""The checkout as git sees it: the files that belong to it, and what in them is not committed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from toolchain import paths
from toolchain.errors import SetupError


def copy_to(folder: Path, source: Path | None = None) -> None:
    """Copy the files that git knows or would know, as a clone has them; those of another checkout where one is named.

    Raises SetupError where there is no git.
    """
    root = source or paths.ROOT
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", root=root)
    for name in filter(None, listed.split("\0")):
        if (root / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)


def uncommitted(names: Sequence[str]) -> list[str]:
    """Return which of some files have changes that are not committed. Raises SetupError where there is no git."""
    return [line[3:] for line in _git("status", "--porcelain", "--", *names).splitlines()]


def difference(names: Sequence[str]) -> str:
    """Return the changes in some files as a patch for `git apply`. Raises SetupError where there is no git."""
    return _git("diff", "--binary", "--", *names)


def _git(*arguments: str, root: Path | None = None) -> str:
    fix, folder = "use a clone of the repository, and git", root or paths.ROOT
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SetupError(f"git does not start: {error.strerror}", str(folder), fix) from error
    if done.returncode:
        raise SetupError(f"git {arguments[0]} failed: {done.stderr.strip()}", str(folder), fix)
    return done.stdout
