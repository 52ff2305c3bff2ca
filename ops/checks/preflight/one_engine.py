"""DOCKER_HOST, or a docker context, and a stack's dockerHost: two ways to name this machine's engine, and one is meant.

Set-up and the images follow the first, the stack the second. Where they lead to two engines, an update would deploy to
an engine that nobody looked at.
"""

from contextlib import closing

from components.parts import declare
from images.tags import local_images
from ops.checks.preflight.facts import Builder, Facts, HostFacts
from ops.checks.report import Check, State
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.connection import connect
from ops.hosts.images import builder, needs_of
from toolchain import docker_endpoint, engine_traits
from toolchain.docker_endpoint import Endpoint


def one_engine(facts: Facts) -> list[Check]:
    """Return one check: the engine that builds the images is the stack's, where the stack names this machine's."""
    settings, made = facts.settings, facts.builder
    host = facts.hosts.get(settings.docker_host)
    if not isinstance(made, Builder) or not settings.docker_host.startswith("unix://"):
        return []
    if isinstance(host, HostFacts) and host.traits.id == made.traits.id:
        return [_check(State.OK, f"{made.endpoint.shown}, as dockerHost")]
    if made.endpoint.chosen_by:
        error = _two(facts.stack, settings.docker_host, made.endpoint)
        return [_check(State.FAILED, error.message, error.fix)]
    if isinstance(host, HostFacts):
        # The stack file alone says so, and what the host lacks is a check of its own.
        return [_check(State.OK, f"{made.endpoint.shown}, another engine than dockerHost")]
    return []


def require_one_engine(deployment: Deployment) -> None:
    """Raise OperationError (exit code 2) when DOCKER_HOST, or a context, chose another engine than a stack's own.

    It is for the time before set-up, which would install and build on that one. What nobody chose is not asked: set-up
    may have to start it first. One that does not answer is reported by set-up.
    """
    endpoint, settings = docker_endpoint.endpoint(), deployment.settings
    address = settings.docker_host
    if not endpoint.chosen_by or not address.startswith("unix://") or address == endpoint.address:
        return
    built = local_images()
    if not any(need.built_here for need in needs_of(declare(deployment.name, settings, built), built)):
        return
    try:
        with closing(builder(endpoint)) as here:
            chosen = engine_traits.read(here.info()).id
    except OperationError:
        return
    try:
        with closing(connect(address, settings.ssh, settings.tls)) as there:
            own = engine_traits.read(there.info()).id
    except OperationError as error:
        raise _two(deployment.name, address, endpoint) from error
    if chosen != own:
        raise _two(deployment.name, address, endpoint)


def _check(state: State, found: str, fix: str = "") -> Check:
    return Check("builder", "", state, found, fix)


def _two(stack: str, address: str, endpoint: Endpoint) -> OperationError:
    message = (
        f"{endpoint.chosen_by} and Pulumi.{stack}.yaml: friday-litellm:dockerHost should lead to one engine: "
        f"the images are built at {endpoint.address}, and the stack runs at {address}"
    )
    fix = f"{endpoint.undo}, or pulumi config set dockerHost {endpoint.address} -s {stack}"
    return OperationError(message, fix, EXIT_USAGE)
