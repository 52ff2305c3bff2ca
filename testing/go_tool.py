"""Checkers that are Go programs: built from pinned modules once, and kept in the user's cache."""

import hashlib
from pathlib import Path

from toolchain import files, go, paths
from toolchain.runner import Report

_SOURCES = paths.ROOT / "testing"


def ensure(name: str, package: str, report: Report) -> Path:
    """Return the program of a module in testing/, built where it is missing (a minute); SetupError when that fails."""
    digest = hashlib.sha256()
    for file in ("go.mod", "go.sum"):
        digest.update((_SOURCES / name / file).read_bytes())
    made = paths.user_cache() / f"{name}-{digest.hexdigest()[:8]}" / name
    with files.exclusive(made.parent / "lock", lambda: report(f"waiting for another build of {name}")):
        if not made.exists():
            go.build(go.Command(_SOURCES / name, package), made, "", report)
    return made
