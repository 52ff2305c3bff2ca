"""Writes the hash locks: the exact files that pip may install, for every requirements file of the project."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from toolchain import files, process, versions
from toolchain.runner import Report

_DEV = "requirements/dev.in"
# LiteLLM pins its own libraries, and so do the clients of the tests: they never share an environment with the others.
_INDEPENDENT = ("litellm", "clients", "stock_litellm")
_PIN = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.MULTILINE)


@dataclass(frozen=True)
class Move:
    """A package that has another version in the locks than before; "" where it was or is in none of `locks`."""

    package: str
    old: str
    new: str
    locks: tuple[str, ...]


def sources(root: Path) -> list[Path]:
    """Return every requirements file that has a lock. The largest comes first, because it constrains the others."""
    dev = root / _DEV
    here = sorted(path for path in dev.parent.glob("*.in") if path != dev)
    elsewhere = [path for room in ("images", "benchmarks") for path in sorted((root / room).glob("*/requirements.in"))]
    return [dev, *here, *elsewhere, *sorted((root / "tests/clients").glob("*.in"))]


def rewrite(upgrade: bool, report: Report, root: Path) -> list[Path]:
    """Write every lock of a checkout again and return those that changed; `upgrade` takes the newest versions allowed.

    Raises SetupError with the resolver's message; locks that were written before stay.
    """
    return [source.with_suffix(".txt") for source in sources(root) if _compile(root, source, upgrade, report)]


def pinned(lock: Path) -> dict[str, str]:
    """Return the version of each package in a lock."""
    return dict(_PIN.findall(lock.read_text(encoding="utf-8")))


def moves(before: Path, after: Path) -> list[Move]:
    """Return the packages whose versions differ between the locks of two checkouts, by name."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for source in sources(after):
        lock = source.with_suffix(".txt").relative_to(after)
        old, new = pinned(before / lock), pinned(after / lock)
        for package in sorted(old.keys() | new.keys()):
            was, now = old.get(package, ""), new.get(package, "")
            if was != now:
                found.setdefault((package, was, now), []).append(lock.as_posix())
    return [Move(*moved, tuple(locks)) for moved, locks in sorted(found.items())]


def _compile(root: Path, source: Path, upgrade: bool, report: Report) -> bool:
    target = source.with_suffix(".txt")
    report(f"resolving {source.relative_to(root)}")
    before = target.read_bytes() if target.exists() else None
    with files.scratch(target.parent) as folder:
        fresh = folder / target.name
        if before is not None:
            fresh.write_bytes(before)  # uv keeps the versions of an existing output file
        process.run(
            _command(root, source, fresh, upgrade),
            f"locking {target.relative_to(root)}",
            "PyPI must be reachable (UV_INDEX_URL, HTTPS_PROXY), and the wanted versions must agree",
            cwd=root,
        )
        changed = fresh.read_bytes() != before
        if changed:
            files.publish(fresh, target, 0o644)
    return changed


def _command(root: Path, source: Path, target: Path, upgrade: bool) -> list[str]:
    """Paths are relative, because uv writes them into the lock's comments."""
    python = ".".join(map(str, versions.PYTHON_MINIMUM))
    options = ["--universal", "--python-version", python, "--generate-hashes", "--no-header", "--no-emit-index-url"]
    dev = root / _DEV
    if source != dev and source.parent.name not in _INDEPENDENT:
        options += ["--constraints", str(dev.with_suffix(".txt").relative_to(root))]
    if upgrade:
        options.append("--upgrade")
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet"]
    return [*uv, *options, "--output-file", str(target), str(source.relative_to(root))]
