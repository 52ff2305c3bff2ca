"""Which versions of a package or a module are served, asked of pip and Go as they are configured on this machine."""

import re
import sys
from collections.abc import Iterable, Sequence

from toolchain import go, process, versions
from toolchain.errors import SetupError
from toolchain.runner import Report

_RELEASE = re.compile(r"v?(\d+(?:\.\d+)+)")
_WITH_PRE_RELEASES = re.compile(r"v?(\d+(?:\.\d+)+(?:-[a-z]+\.\d+)?)")


def python_package(name: str) -> list[str]:
    """Return the releases of a Python package that this Python can install, newest first. Raises SetupError."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "index", "versions", name]
    printed = process.read(command, seconds=process.REGISTRY_SECONDS)
    listed = re.search(r"^Available versions: (.+)$", printed or "", re.MULTILINE)
    if not listed:
        fix = f"PyPI must be reachable (PIP_INDEX_URL, HTTPS_PROXY): `pip index versions {name}` says why"
        raise SetupError(f"pip does not say which versions of {name} are served", "PyPI", fix)
    return releases(listed.group(1).replace(",", " ").split())


def go_modules(modules: Sequence[str], report: Report, *, pre_releases: bool = False) -> list[str]:
    """Return the versions that all of some Go modules have, newest first. Raises SetupError."""
    wanted = _WITH_PRE_RELEASES if pre_releases else _RELEASE
    listed = [set(releases(go.listed(module, report), wanted)) for module in modules]
    return releases(set.intersection(*listed), wanted)


def releases(found: Iterable[str], wanted: re.Pattern[str] = _RELEASE) -> list[str]:
    """Return the versions of a form, those that are no pre-releases; newest first and without Go's `v`."""
    names = [match.group(1) for version in found if (match := wanted.fullmatch(version))]
    return sorted(names, key=versions.rank, reverse=True)
