"""The one way in which every command updates a stack or takes it down, and the fixes for what an earlier one left."""

import re
from collections.abc import Collection, Iterable

from pulumi import automation as auto

from components.parts import declare
from images.tags import local_images
from ops.checks.edges import still_serving
from ops.commands.migrate import migrate
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts import one_off, same_machine
from ops.hosts.crash_loops import CrashLoops
from ops.hosts.docker_host import PART_LABEL, DockerHost
from ops.hosts.no_access import fix_of, said_by
from ops.hosts.swarm import SwarmManager
from ops.progress import Say
from ops.stacks.pulumi_files import HeldError, Resource, is_locked, resources
from ops.stacks.stack_secrets import generate_missing
from ops.stacks.stacks import CONTAINER, PROVIDER_FAULTS, Update, destroy, update
from ops.waiting import look_until

# A task's start meets it now and then (moby/moby#48783: a file of its secrets is still open as they are sealed), and
# the Swarm takes that for a bad update and goes back. It says nothing against the update, so it is made once more.
_TRANSIENT_ERROR = "unable to remount dir as readonly"
# Managers whose leader has just gone; in half a minute the others have chosen one, if they are enough.
_LEADERLESS = re.compile(r"code = (DeadlineExceeded|Unavailable)|does not have a leader")
_ELECTION_SECONDS = 30.0
# The plugin's words for an image that a host does not hold and nobody gives it: somebody's housekeeping removed it.
_IMAGE_GONE = re.compile(r"Unable to create container with image (?P<image>\S+?): ")
# The plugin's words when a container that the state does not know is still on a network that is to go.
_IN_USE = "timeout while waiting for state to become 'removed'"


def deploy(deployment: Deployment, message: str, *, refresh: bool = False) -> Update:
    """Bring a stack to what its settings say, whatever happened to the host meanwhile.

    `refresh` reads the host first, for changes that nothing but a look tells. Raises OperationError with the words of
    the containers that are not well when that fails, and of the edges: whether users go on being served. Replicas that
    it made and that never got healthy are removed then; those that end again and again at their start before the end
    of the time that they have.
    Before it, `migrate` runs, with its errors.
    """
    opened, host, say = deployment.open_to_change(), deployment.hosts.manager, deployment.say("deploy")
    stack = opened.name
    generate_missing(opened, say)
    migrate(deployment, message)
    loops = _crash_loops(deployment, host)
    try:
        with loops:
            done = _update_past_provider_faults(opened, message, host, say, refresh, loops)
        if vanished := lacking(host, stack, done.outputs):  # gone, or a service of another form
            say(f"not on the host any more: {', '.join(sorted(vanished))}; reading the host and making them again")
            again = _once_more(opened, message, say, refresh=True)
            if gone := lacking(host, stack, again.outputs):
                fix = f"./fridayctl status {stack} shows what runs; then ./fridayctl up {stack}"
                raise OperationError(f"{stack}: the update did not hold: {', '.join(sorted(gone))}", fix)
            done = Update(done.changed + again.changed, again.outputs)
    except OperationError as error:
        reasons = _reasons(host, stack)
        found = [loops.words, error.details, reasons if reasons not in error.details else ""]
        if not isinstance(error, HeldError) and error.exit_code != EXIT_USAGE:  # else nothing was changed
            _remove_failed(opened, deployment, host, say, loops.removed)
            found.append(still_serving(deployment))
        error.details = "\n".join(text for text in found if text)
        error.fix = _no_access(deployment, error.details) or _no_image(deployment, error.details) or error.fix
        raise
    say(f"{done.changed} changed" if done.changed else "nothing to change")
    return done


def take_down(deployment: Deployment) -> None:
    """Remove everything that a stack runs; OperationError when something stays.

    Its exit code is 2, and nothing is removed, where a container of somebody else's is on a network of the stack's, and
    where the host is not reached.
    """
    host, say = _host_to_empty(deployment), deployment.say("down")
    _require_no_guests(deployment.name, host)
    opened = deployment.open_to_change(to_remove=True)
    if made := deployment.made_by_another_state(resources(opened)):
        say(f"another state has made what is removed: {made.words}")
    one_off.remove_all(host, deployment.name, say)
    if deployment.settings.friday.image:
        seconds = deployment.settings.friday.stop_grace_seconds
        say(f"what ignores the stop signal is killed after its grace time, Friday after {seconds} s")
    if isinstance(host, SwarmManager) and not is_locked(opened):  # else `destroy` says who is at it
        say("ending the tasks")
        host.stop_tasks(deployment.name)
    try:
        destroy(opened, say)
    except OperationError as error:
        if not PROVIDER_FAULTS.search(error.details) and _IN_USE not in error.details:
            raise
        # Not before: while somebody else updates the stack, its state does not know yet what he has just made.
        remove_orphans(opened.name, resources(opened), host, say)
        destroy(opened, say)  # which looks at the host first
    for name in host.remove_leftovers(deployment.name):
        say(f"removed {name}, which has the stack's label")


def _host_to_empty(deployment: Deployment) -> DockerHost:
    """Return the host of a stack; what its error says to do includes giving up what was there."""
    try:
        return deployment.hosts.manager
    except OperationError as error:
        error.fix = f"{error.fix}; or, {same_machine.IF_GONE}: {same_machine.forget(deployment.name)}"
        raise


def _require_no_guests(stack: str, host: DockerHost) -> None:
    """Raise OperationError for what would keep a network there: Docker removes none that somebody is on."""
    guests = host.guests(stack)
    if guests:
        found = ", ".join(f"{container} is on {network}" for network, container in guests)
        network, container = guests[0]
        fix = (
            f"docker network disconnect {network} {container} on the host; what Friday has to reach can stay on a "
            "network of its own, which friday.networks names"
        )
        raise OperationError(f"{stack} cannot be taken down: {found}, and is not the stack's", fix, EXIT_USAGE)


def _remove_failed(
    opened: auto.Stack, deployment: Deployment, host: DockerHost, say: Say, given_up: Collection[str]
) -> None:
    """Remove the replicas that an update has made beside those that serve, and that never got healthy.

    They would be started again for ever, found by the edge under the name of those that serve, and stay: each further
    attempt makes new ones under other names. Their last words are in the update's own error by now. Those with the ids
    that were `given_up` are gone already.
    """
    beside = _beside(deployment)
    try:
        made = [each for each in resources(opened) if each.type == CONTAINER and each.init_errors]
        failed = {each.id: each.urn for each in made if each.label(PART_LABEL) in beside}
        if not failed or is_locked(opened):  # then another update is at them
            return
        removed = host.remove_unhealthy(opened.name, failed.keys())
        for name in removed.values():
            say(f"removed {name}, which never got healthy")
        if gone := [*removed, *(failed.keys() & given_up)]:
            # Else the next update would want to replace what is gone.
            targets, why = [failed[each] for each in gone], "what never got healthy was removed"
            opened.refresh(message=why, target=targets, suppress_progress=True, show_secrets=False)
    except (OperationError, auto.CommandError) as error:
        # The update has failed for a reason of its own, which stays the one reported. The next one looks again.
        say(f"what never got healthy could not be cleared away: {str(error).splitlines()[0]}")


def _beside(deployment: Deployment) -> set[str]:
    """Return the parts whose new replicas are made beside the old ones."""
    declared = declare(deployment.name, deployment.settings, local_images())
    return {each.part for each in declared if each.replaced_by_overlap}


def _crash_loops(deployment: Deployment, host: DockerHost) -> CrashLoops:
    """Return what watches the host of new replicas; a Swarm gives its tasks up by itself."""
    parts = _beside(deployment) if deployment.settings.engine == "container" else set[str]()
    return CrashLoops(host, deployment.name, parts, deployment.say("deploy"))


def _no_access(deployment: Deployment, details: str) -> str:
    """Return the fix where an image of one's own may not write what it wants to, "" where that is not so."""
    friday, stack = deployment.settings.friday, deployment.name
    if friday.image is None:
        return ""
    names = [f"friday-{stack}-{part}-" for part in ("friday", *friday.roles)]
    return fix_of(said_by(details, names), f"./fridayctl up {stack}")


def _no_image(deployment: Deployment, details: str) -> str:
    """Return the fix where a host has not got an image that this checkout builds, "" where that is not so."""
    found = _IMAGE_GONE.search(details)
    if found is None or found["image"] not in local_images().values():
        return ""
    stack = deployment.name
    brings = f"./fridayctl images push {stack}" if deployment.settings.is_remote else "./fridayctl setup"
    return f"the host has not got it any more: {brings}, then ./fridayctl up {stack}"


def _reasons(host: DockerHost, stack: str) -> str:
    try:
        return host.reasons(stack)
    except OperationError as lost:
        return lost.message  # the update has failed for a reason of its own, which stays the one reported


def _update_past_provider_faults(
    opened: auto.Stack, message: str, host: DockerHost, say: Say, refresh: bool, loops: CrashLoops
) -> Update:
    """Update; when the host is not as the state says (a killed update, a removal by hand), fix that and try again."""
    try:
        return update(opened, message, say, refresh=refresh)
    except OperationError as error:
        if loops.removed:  # what is gone was taken away during this update
            raise
        leaderless = isinstance(host, SwarmManager) and _LEADERLESS.search(error.details)
        if leaderless and not _is_led(host, opened.name):
            raise
        differs = PROVIDER_FAULTS.search(error.details)
        if not leaderless and not differs and _TRANSIENT_ERROR not in _reasons(host, opened.name):
            raise
    if leaderless:
        say("the Swarm's managers chose another leader meanwhile; reading the hosts and trying once more")
        return _once_more(opened, message, say, refresh=True)
    if not differs:
        say("the engine failed to start a replica, for no reason of the update's; trying once more")
        return _once_more(opened, message, say)
    remove_orphans(opened.name, resources(opened), host, say)
    say("the host is not as the last update left it; reading it first")
    return _once_more(opened, message, say, refresh=True)


def _is_led(host: DockerHost, stack: str) -> bool:
    """Return whether a Swarm's managers answer within a while, which they do once they have chosen a leader."""

    def answers() -> bool:
        try:
            host.names(stack)  # also waits for what the Swarm itself has under way
        except OperationError:
            return False
        return True

    return look_until(answers, bool, _ELECTION_SECONDS, 1.0)


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
