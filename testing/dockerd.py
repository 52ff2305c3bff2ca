"""The newest engine, which no suite of Debian has: dockerd of pinned Go modules, built once and kept in the cache."""

import hashlib
from pathlib import Path

from ops.commands.pins import PINS, TEST_ENGINE_MODULE
from toolchain import files, go, paths
from toolchain.runner import Report

_SOURCES = paths.ROOT / "testing" / "dockerd"
COMMANDS = ("dockerd", "docker-proxy")
# Neither a C library nor a service manager is needed for what tests do with it.
_TAGS = ("exclude_graphdriver_btrfs", "no_systemd")


def version() -> str:
    """Return the version of the pinned module, such as v2.0.0-beta.24; SetupError when go.mod has none."""
    return f"v{PINS['test-engine'].current(paths.ROOT)}"


def folder() -> Path:
    """Return where the cache has it, with its commands once it is built."""
    digest = hashlib.sha256(repr((_flags(), _TAGS)).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((_SOURCES / name).read_bytes())
    return paths.user_cache() / f"dockerd-{version()}-{digest.hexdigest()[:8]}"


def ensure(report: Report) -> Path:
    """Return the folder with the commands, building what is missing; SetupError when that fails.

    The first time takes minutes: a quarter of an hour on two processors.
    """
    made = folder()
    with files.exclusive(made / "lock", lambda: report("waiting for another build of dockerd")):
        for name in COMMANDS:
            if not (made / name).exists():
                command = go.Command(_SOURCES, f"{TEST_ENGINE_MODULE}/cmd/{name}", _TAGS)
                go.build(command, made / name, _flags(), report)
    return made


def _flags() -> str:
    # A module does not know which release it became, and who compares versions needs numbers.
    return f"-X {TEST_ENGINE_MODULE}/dockerversion.Version=29.0.0+moby-{version()}"
