"""The one way in which every command updates a stack or takes it down, and the fixes for what an earlier one left."""

from collections.abc import Iterable

from pulumi import automation as auto

from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.docker_host import DockerHost
from ops.progress import Say
from ops.stacks.pulumi_files import Resource, resources
from ops.stacks.stack_secrets import generate_missing
from ops.stacks.stacks import PROVIDER_FAULTS, Update, destroy, update

# A task's start meets it now and then (moby/moby#48783: a file of its secrets is still open as they are sealed), and
# the Swarm takes that for a bad update and goes back. It says nothing against the update, so it is made once more.
_TRANSIENT_ERROR = "unable to remount dir as readonly"
# The plugin's words when a container that the state does not know is still on a network that is to go.
_IN_USE = "timeout while waiting for state to become 'removed'"


def deploy(deployment: Deployment, message: str, *, refresh: bool = False) -> Update:
    """Bring a stack to what its settings say, whatever happened to the host meanwhile.

    `refresh` reads the host first, for changes that nothing but a look tells. Raises OperationError with the words of
    the containers that are not well when that fails; what served before goes on serving.
    """
    opened, host, say = deployment.open_to_change(), deployment.hosts.manager, deployment.say("deploy")
    stack = opened.name
    generate_missing(opened, say)
    try:
        done = _update_past_provider_faults(opened, message, host, say, refresh)
        if vanished := lacking(host, stack, done.outputs):  # gone, or a service of another form
            say(f"not on the host any more: {', '.join(sorted(vanished))}; reading the host and making them again")
            again = _once_more(opened, message, say, refresh=True)
            if gone := lacking(host, stack, again.outputs):
                fix = f"./fridayctl status {stack} shows what runs; then ./fridayctl up {stack}"
                raise OperationError(f"{stack}: the update did not hold: {', '.join(sorted(gone))}", fix)
            done = Update(done.changed + again.changed, again.outputs)
    except OperationError as error:
        error.details = "\n".join(text for text in (error.details, _reasons(host, stack)) if text)
        raise
    say(f"{done.changed} changed" if done.changed else "nothing to change")
    return done


def take_down(deployment: Deployment) -> None:
    """Remove everything that a stack runs; OperationError when something stays."""
    host, say = deployment.hosts.manager, deployment.say("down")
    opened = deployment.open_to_change()
    try:
        destroy(opened, say)
    except OperationError as error:
        if not PROVIDER_FAULTS.search(error.details) and _IN_USE not in error.details:
            raise
        # Not before: while somebody else updates the stack, its state does not know yet what he has just made.
        remove_orphans(opened.name, resources(opened), host, say)
        destroy(opened, say)  # which looks at the host first
    for name in host.remove_leftovers(deployment.name):
        say(f"removed {name} (left by an update that was cut short)")


def _reasons(host: DockerHost, stack: str) -> str:
    try:
        return host.reasons(stack)
    except OperationError as lost:
        return lost.message  # the update has failed for a reason of its own, which stays the one reported


def _update_past_provider_faults(opened: auto.Stack, message: str, host: DockerHost, say: Say, refresh: bool) -> Update:
    """Update; when the host is not as the state says (a killed update, a removal by hand), fix that and try again."""
    try:
        return update(opened, message, say, refresh=refresh)
    except OperationError as error:
        differs = PROVIDER_FAULTS.search(error.details)
        if not differs and _TRANSIENT_ERROR not in _reasons(host, opened.name):
            raise
    if not differs:
        say("the engine failed to start a replica, for no reason of the update's; trying once more")
        return _once_more(opened, message, say)
    remove_orphans(opened.name, resources(opened), host, say)
    say("the host is not as the last update left it; reading it first")
    return _once_more(opened, message, say, refresh=True)


def remove_orphans(stack: str, state: Iterable[Resource], host: DockerHost, say: Say) -> None:
    """Remove what carries the stack's label on the host, unknown to the state: an update was cut short, as a rule."""
    for name in host.remove_orphans(stack, {each.id for each in state}):
        say(f"removed {name}, which the state does not know")


def _once_more(opened: auto.Stack, message: str, say: Say, *, refresh: bool = False) -> Update:
    """Update after one that may have changed something: whatever refuses this one, it is not as if nothing was done."""
    try:
        return update(opened, message, say, refresh=refresh)
    except OperationError as error:
        raise OperationError(error.message, error.fix, details=error.details) from error


def lacking(host: DockerHost, stack: str, outputs: dict[str, object]) -> set[str]:
    """Return the names of containers or services that an update exported, and the host does not have."""
    found = outputs.get("instances")
    recorded = {str(name) for names in found.values() for name in names} if isinstance(found, dict) else set()
    return recorded - host.names(stack)
