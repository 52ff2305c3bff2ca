"""The linter of GitHub's workflows, for those in examples/: built from pinned Go modules once, kept in the cache."""

import hashlib
from pathlib import Path

from toolchain import files, go, paths
from toolchain.runner import Report

_SOURCES = paths.ROOT / "testing" / "actionlint"


def ensure(report: Report) -> Path:
    """Return the linter, building it where it is missing (a minute); SetupError when that fails."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((_SOURCES / name).read_bytes())
    made = paths.user_cache() / f"actionlint-{digest.hexdigest()[:8]}" / "actionlint"
    with files.exclusive(made.parent / "lock", lambda: report("waiting for another build of actionlint")):
        if not made.exists():
            go.build(go.Command(_SOURCES, "github.com/rhysd/actionlint/cmd/actionlint"), made, "", report)
    return made
