"""Where the version of a tool is written, and which of the versions that are served is the next one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain import files, versions
from toolchain.errors import SetupError


@dataclass(frozen=True)
class Site:
    """A place that holds a version: a file of the checkout, and a pattern whose only group is the version."""

    file: str
    pattern: str

    def read(self, root: Path) -> str:
        """Return the version that a checkout has there. Raises SetupError unless the pattern fits exactly once."""
        return self._match(root).group(1)

    def write(self, root: Path, version: str) -> None:
        """Put another version there. Raises SetupError unless the pattern fits exactly once."""
        match = self._match(root)
        text = match.string
        files.rewrite(root / self.file, text[: match.start(1)] + version + text[match.end(1) :])

    def _match(self, root: Path) -> re.Match[str]:
        text = (root / self.file).read_text(encoding="utf-8")
        found = list(re.finditer(self.pattern, text, re.MULTILINE))
        if len(found) != 1:
            what = f"the version is there {len(found)} times instead of once (pattern {self.pattern})"
            raise SetupError(what, self.file, f"restore it: git checkout -- {self.file}")
        return found[0]


def constant(name: str) -> Site:
    """Return the place of a text in toolchain/versions.py."""
    return Site("toolchain/versions.py", rf'^{name}: Final = "([\w.]+)"$')


def requirement(file: str, package: str) -> Site:
    """Return the place of an exact version in a requirements file."""
    return Site(file, rf"^{re.escape(package)}==([\w.]+)")


def line_of(version: str, length: int) -> tuple[int, ...]:
    """Return the line that a version belongs to: its first numbers, as many as all versions of a line share."""
    return versions.numbers(version)[:length]


def newest(current: str, served: Sequence[str], length: int) -> str:
    """Return the first served version of the current one's line; the current one where nothing newer is served.

    `served` has the newest first. A name without numbers, such as Debian's, is of every line.
    """
    same = [version for version in served if line_of(version, length) == line_of(current, length)]
    return next((version for version in same if versions.rank(version) >= versions.rank(current)), current)
