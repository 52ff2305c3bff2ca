"""Where things are: the checkout, a stack's local state, and the per-user cache of built tools."""

import hashlib
import os
from functools import cache
from pathlib import Path

from toolchain import versions

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
GO_SOURCES = ROOT / "toolchain" / "go"
REQUIREMENTS = ROOT / "requirements"
TOOLCHAIN_LINK = ROOT / ".toolchain"
_SOURCE_SUFFIXES = {".go", ".json", ".mod", ".sum"}


def state_dir() -> Path:
    """What must not be lost: stack state, passphrase, secrets (default: .state; FRIDAY_STATE_DIR)."""
    chosen = os.environ.get("FRIDAY_STATE_DIR")
    return Path(chosen).absolute() if chosen else ROOT / ".state"


def pulumi_state() -> Path:
    """The directory of the local stack's file backend."""
    return state_dir() / "pulumi"


def passphrase_file() -> Path:
    """The passphrase that encrypts the secrets in the local stack's state."""
    return state_dir() / "passphrase"


def secrets_file() -> Path:
    """The generated secrets of the local stack."""
    return state_dir() / "secrets.json"


@cache
def pins_key() -> str:
    """A name for this exact set of tools: versions, then a hash of everything that is built from."""
    digest = hashlib.sha256()
    for source in sorted(GO_SOURCES.rglob("*")):
        is_test = source.name.endswith("_test.go") or source.parent.name == "testdata"
        if source.suffix in _SOURCE_SUFFIXES and not is_test:
            digest.update(str(source.relative_to(GO_SOURCES)).encode() + b"\0" + source.read_bytes() + b"\0")
    return f"pulumi-{versions.PULUMI}-docker-{versions.DOCKER_PROVIDER}-{digest.hexdigest()[:8]}"


def user_cache() -> Path:
    """The project's folder in the user's cache, shared by all clones. Everything in it can be made anew."""
    base = os.environ.get("XDG_CACHE_HOME")
    # The XDG rules say that a relative path there is to be ignored.
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "friday-litellm"


def toolchain_dir() -> Path:
    """The folder of the tools that this checkout pins."""
    return user_cache() / pins_key()


def tools_bin() -> Path:
    """Pulumi, its Python language host and their helpers."""
    return toolchain_dir() / "bin"


def pulumi_home() -> Path:
    """A PULUMI_HOME of the project's own: its Docker plugin must not stand in for ~/.pulumi's."""
    return toolchain_dir() / "pulumi-home"
