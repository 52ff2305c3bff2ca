"""Writes the hash locks: the exact files that pip may install, for every requirements file of the project."""

import sys
from pathlib import Path

from toolchain import files, paths, process, versions
from toolchain.runner import Report

_DEV = paths.REQUIREMENTS / "dev.in"
# LiteLLM pins its own libraries and never shares an environment with the other packages.
_INDEPENDENT = ("litellm",)


def sources() -> list[Path]:
    """Return every requirements file that has a lock. The largest comes first, because it constrains the others."""
    here = sorted(path for path in paths.REQUIREMENTS.glob("*.in") if path != _DEV)
    return [_DEV, *here, *sorted((paths.ROOT / "images").glob("*/requirements.in"))]


def rewrite(upgrade: bool, report: Report) -> list[Path]:
    """Write every lock again and return those that changed; `upgrade` takes the newest versions allowed.

    Raises SetupError with the resolver's message; locks that were written before stay.
    """
    return [source.with_suffix(".txt") for source in sources() if _compile(source, upgrade, report)]


def _compile(source: Path, upgrade: bool, report: Report) -> bool:
    target = source.with_suffix(".txt")
    report(f"resolving {source.relative_to(paths.ROOT)}")
    before = target.read_bytes() if target.exists() else None
    with files.scratch(target.parent) as folder:
        fresh = folder / target.name
        if before is not None:
            fresh.write_bytes(before)  # uv keeps the versions of an existing output file
        process.run(
            _command(source, fresh, upgrade),
            f"locking {target.relative_to(paths.ROOT)}",
            "PyPI must be reachable (UV_INDEX_URL, HTTPS_PROXY), and the wanted versions must agree",
            cwd=paths.ROOT,
        )
        changed = fresh.read_bytes() != before
        if changed:
            files.publish(fresh, target, 0o644)
    return changed


def _command(source: Path, target: Path, upgrade: bool) -> list[str]:
    """Paths are relative, because uv writes them into the lock's comments."""
    python = ".".join(map(str, versions.PYTHON_MINIMUM))
    options = ["--universal", "--python-version", python, "--generate-hashes", "--no-header", "--no-emit-index-url"]
    if source != _DEV and source.parent.name not in _INDEPENDENT:
        options += ["--constraints", str(_DEV.with_suffix(".txt").relative_to(paths.ROOT))]
    if upgrade:
        options.append("--upgrade")
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet"]
    return [*uv, *options, "--output-file", str(target), str(source.relative_to(paths.ROOT))]
