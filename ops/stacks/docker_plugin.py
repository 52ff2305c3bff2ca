"""Which Docker plugin a stack was last updated with, and what follows where this checkout has another one.

Plugins of one version record alike, whoever built them: they wrap one Terraform provider. One of another version may
record a container or a service in another form, and it takes what it does not know there for a change: services of a
Swarm were removed and made again for that. Once it has read the hosts, all is recorded in its own form.
"""

from collections.abc import Sequence

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks.pulumi_files import Resource, outputs_of
from toolchain import versions

OUTPUT = "dockerPlugin"
"""The stack's output that names the plugin: its version, and whose build it is."""
_MADE_BY_IT = ("docker:index/container:Container", "docker:index/service:Service")


def other(found: Sequence[Resource]) -> str:
    """Return the plugin that a stack was last updated with.

    "" when that is this checkout's version, and when nothing is noted yet: no update has come to its end.
    """
    if not outputs_of(found) or not any(each.type in _MADE_BY_IT for each in found):
        return ""
    noted = _noted(found)
    return "" if _version(noted) == versions.numbers(versions.DOCKER_PROVIDER) else noted or "an earlier one"


def refusal(stack: str, found: Sequence[Resource]) -> OperationError | None:
    """Return the error (exit code 2) for a stack whose plugin is newer than this checkout's, which may not read it."""
    noted = _noted(found)
    if _version(noted) <= versions.numbers(versions.DOCKER_PROVIDER):
        return None
    message = f"{stack} was last updated with the Docker plugin {noted}; this checkout has {versions.DOCKER_PROVIDER}"
    same = "take the same: git pull, then ./fridayctl setup"
    knowingly = f'eval "$(./fridayctl env)" && pulumi up --refresh -s {stack}'
    return OperationError(message, f"{same}; or go on with this one: {knowingly}", EXIT_USAGE)


def _noted(found: Sequence[Resource]) -> str:
    return str(outputs_of(found).get(OUTPUT, ""))


def _version(noted: str) -> tuple[int, ...]:
    return versions.numbers(noted.partition(" ")[0])
