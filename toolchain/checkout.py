"""The checkout as git sees it: the files that belong to it, and what in them is not committed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from toolchain import paths
from toolchain.errors import SetupError


def copy_to(folder: Path) -> None:
    """Copy the files that git knows or would know, as a clone has them. Raises SetupError where there is no git."""
    for name in filter(None, _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")):
        if (paths.ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(paths.ROOT / name, folder / name)


def uncommitted(names: Sequence[str]) -> list[str]:
    """Return which of some files have changes that are not committed. Raises SetupError where there is no git."""
    return [line[3:] for line in _git("status", "--porcelain", "--", *names).splitlines()]


def difference(names: Sequence[str]) -> str:
    """Return the changes in some files as a patch for `git apply`. Raises SetupError where there is no git."""
    return _git("diff", "--binary", "--", *names)


def _git(*arguments: str) -> str:
    fix = "use a clone of the repository, and git"
    try:
        done = subprocess.run(["git", *arguments], cwd=paths.ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SetupError(f"git does not start: {error.strerror}", str(paths.ROOT), fix) from error
    if done.returncode:
        raise SetupError(f"git {arguments[0]} failed: {done.stderr.strip()}", str(paths.ROOT), fix)
    return done.stdout
