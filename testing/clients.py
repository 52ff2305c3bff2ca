"""Environments beside the product's own: each made once from its lock, in the user's cache.

Those of the clients that tests/clients has hold what a team writes against the gateway, so nothing of them may come
near the product's own environment.
"""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from toolchain import paths, process
from toolchain.paths import ROOT

CLIENTS = ROOT / "tests/clients"
PAGE = ROOT / "tests/page"
"""What pages are looked at with: axe-core, which finds what people with a screen reader or weak eyes cannot use."""
_FIX = "the package registries should be reachable from here"


def python(lock: str) -> Path:
    """Return the Python that has the packages of `<lock>.txt`; SetupError when they cannot be installed."""
    return environment(CLIENTS / f"{lock}.txt", lock) / "bin/python"


def node() -> tuple[Path, Path]:
    """Return Node, and the folder of the clients' packages with the script beside them."""
    return packages(CLIENTS, "clients.mjs")


def packages(source: Path, *scripts: str) -> tuple[Path, Path]:
    """Return Node, and a folder with the packages of a folder's package-lock.json and with its scripts beside them."""
    tools = environment(CLIENTS / "node.txt", "node")
    names = ("package-lock.json", *scripts)
    folder = _cache("node-modules", *(source / name for name in names))
    if not folder.is_dir():
        made = _beside(folder)
        for name in ("package.json", *names):
            shutil.copy(source / name, made)
        path = {"PATH": f"{tools / 'bin'}:/usr/bin:/bin"}
        npm: list[str | Path] = [tools / "bin/npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        process.run(npm, "npm ci", _FIX, cwd=made, env=path)
        made.rename(folder)
    return tools / "bin/node", folder


def environment(requirements: Path, name: str) -> Path:
    """Return the folder of an environment with the packages of a lock; SetupError when they cannot be installed."""
    folder = _cache(name, requirements)
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)  # its programs hold its path: it cannot be made elsewhere
        process.run([sys.executable, "-m", "venv", folder], f"the environment {folder.name}", _FIX)
        pip: list[str | Path] = [folder / "bin/pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        process.run(
            [*pip, "--require-hashes", "--only-binary=:all:", "-r", requirements],
            f"pip install {requirements.name}",
            _FIX,
        )
        (folder / "complete").touch()
    return folder


def _cache(name: str, *sources: Path) -> Path:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    return paths.user_cache() / "clients" / f"{name}-py{sys.version_info.minor}-{digest}"


def _beside(folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=folder.parent, prefix="new-"))
