"""Paths: the checkout, a stack's local state, and the user's cache of built tools."""

import hashlib
import os
from functools import cache
from pathlib import Path

from toolchain import versions

ROOT = Path(__file__).resolve().parent.parent
IN_OPERATOR_IMAGE = (ROOT / ".operator-image").is_file()
"""Whether this is the checkout in the operator image: nobody writes to it, and every tool is there."""

STACKS = Path("/stacks") if IN_OPERATOR_IMAGE else ROOT
"""The folder of the stack files and of Pulumi.yaml."""

VENV = ROOT / ".venv"
GO_SOURCES = ROOT / "toolchain" / "go"
REQUIREMENTS = ROOT / "requirements"
TOOLCHAIN_LINK = ROOT / ".toolchain"
_SOURCE_SUFFIXES = {".go", ".json", ".mod", ".sum"}


def state_dir() -> Path:
    """Return the folder of state, passphrase and secrets, which must not be lost (.state, or FRIDAY_STATE_DIR)."""
    chosen = os.environ.get("FRIDAY_STATE_DIR")
    return Path(chosen).absolute() if chosen else ROOT / ".state"


def pulumi_state() -> Path:
    """Return the folder of the local stack's file backend."""
    return state_dir() / "pulumi"


def passphrase_file() -> Path:
    """Return the file of the passphrase that encrypts the secrets in the local stack's state."""
    return state_dir() / "passphrase"


def secrets_file() -> Path:
    """Return the file of the local stack's generated secrets."""
    return state_dir() / "secrets.json"


@cache
def pins_key() -> str:
    """Return a name for this exact set of tools: versions, then a hash of all sources that are built."""
    digest = hashlib.sha256()
    for source in sorted(GO_SOURCES.rglob("*")):
        is_test = source.name.endswith("_test.go") or source.parent.name == "testdata"
        if source.suffix in _SOURCE_SUFFIXES and not is_test:
            digest.update(str(source.relative_to(GO_SOURCES)).encode() + b"\0" + source.read_bytes() + b"\0")
    return f"pulumi-{versions.PULUMI}-docker-{versions.DOCKER_PROVIDER}-{digest.hexdigest()[:8]}"


def user_cache() -> Path:
    """Return the project's folder in the user's cache, shared by all clones. All of it can be built again."""
    base = os.environ.get("XDG_CACHE_HOME")
    # The XDG rules say that a relative path there is to be ignored.
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "friday-litellm"


def ssh_control_dir() -> Path:
    """The sockets of the ssh connections that this user's commands share. Nobody else may write there: who owns a
    socket there is taken for the host. The path has to be short: a socket's has 107 bytes at most.
    """
    private = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return private / "friday-litellm" if private.is_absolute() else user_cache() / "ssh"


def toolchain_dir() -> Path:
    """Return the folder of the tools that this checkout pins."""
    return user_cache() / pins_key()


def tools_bin() -> Path:
    """Return the folder of Pulumi, its Python language host and their helpers."""
    return toolchain_dir() / "bin"


def pulumi_home() -> Path:
    """Return the project's own PULUMI_HOME: its Docker plugin must not replace the user's in ~/.pulumi."""
    return toolchain_dir() / "pulumi-home"
