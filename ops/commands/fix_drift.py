"""The fix of drift: an update that reads the host first."""

from collections.abc import Iterator
from dataclasses import dataclass

from docker.models.containers import Container
from pulumi import automation as auto

from ops.checks.drift import Drift, find, worded
from ops.commands.deploy import remove_orphans
from ops.commands.up import UpRequest, bring_up
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.docker_host import DockerHost
from ops.hosts.swarm import SwarmManager
from ops.progress import Say
from ops.rollout.history import Verb
from ops.stacks.pulumi_files import Resource, resources


@dataclass(frozen=True)
class Fixed:
    """What was different, and how many resources the update changed to bring it back."""

    drifts: list[Drift]
    changed: int


def fix(deployment: Deployment) -> Fixed:
    """Bring everything back by an update that reads the host first; OperationError when something stays different.

    What only a look at the host tells (networks, names, paused containers) is put right there. The rest is Pulumi's,
    which removes a replica of Friday or the gateway once the one that takes its place is healthy.
    """
    drifts = find(deployment)
    if not drifts:
        return Fixed([], 0)
    for drift in drifts:
        deployment.report("drift", worded(drift))
    _put_right(deployment.stack, deployment.hosts.manager, deployment.say("fix"))
    names = ", ".join(dict.fromkeys(drift.name for drift in drifts))
    done = bring_up(deployment, UpRequest(f"{Verb.FIX}: {names}"[:200], refresh=True))
    if left := find(deployment):
        fix = f"look at them by hand, then ./fridayctl drift {deployment.name} --fix"
        message = f"{deployment.name}: not everything could be brought back"
        raise OperationError(message, fix, details="\n".join(map(worded, left)))
    return Fixed(drifts, done.changed)


def _put_right(opened: auto.Stack, host: DockerHost, say: Say) -> None:
    """Put right on the host what an update would not, or would replace a container for."""
    by_id = {each.id: each for each in resources(opened)}
    remove_orphans(opened.name, by_id.values(), host, say)
    if isinstance(host, SwarmManager):
        return  # it does so by itself
    for container in host.containers(opened.name):
        if each := by_id.get(str(container.id)):
            for words in _as_recorded(host, each, container):
                say(f"{container.name} {words}")


def _as_recorded(host: DockerHost, each: Resource, container: Container) -> Iterator[str]:
    """Give a container the name and the networks that the state records, and let it go on; yield what was done."""
    if container.status == "paused":
        container.unpause()
        yield "goes on"
    if not each.inputs.get("mustRun"):
        return  # it only holds files, and never starts
    if (name := str(each.inputs.get("name", ""))) and name != container.name:
        container.rename(name)
        yield f"is called {name} again"
    wanted = {network["name"]: network.get("aliases", []) for network in each.inputs.get("networksAdvanced", ())}
    found = set(container.attrs["NetworkSettings"]["Networks"])
    for network in sorted(wanted.keys() - found):
        host.join(network, str(container.id), wanted[network])
        yield f"is on the network {network} again"
    for network in sorted(found - wanted.keys()):
        host.leave(network, str(container.id))
        yield f"has left the network {network}"
