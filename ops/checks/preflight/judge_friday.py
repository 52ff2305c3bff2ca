"""Verdicts over what a stack file says of Friday: the networks it joins, the user it runs as, and its testers."""

from collections.abc import Iterator

from components.settings.container import is_root
from ops.checks.preflight.by_hand import there
from ops.checks.preflight.facts import Facts, HostFacts
from ops.checks.preflight.host_networks import HostNetwork
from ops.checks.report import Check, State

_NETWORK = "networks"


def networks(facts: Facts) -> Iterator[Check]:
    """Yield a check for each network that Friday is to join besides the stack's: there, and to be joined."""
    address = facts.settings.docker_host
    host = facts.hosts.get(address)
    if not isinstance(host, HostFacts):
        return  # said of the host itself
    for name in facts.settings.friday.networks:
        problem = _problem(facts, name, host.networks.get(name))
        if problem is None:
            yield Check(_NETWORK, address, State.OK, f"{name} is there")
            continue
        text = f"Pulumi.{facts.stack}.yaml: friday-litellm:friday.networks: {name} {problem[0]} ({address})"
        yield Check(_NETWORK, address, State.FAILED, text, problem[1])


def _problem(facts: Facts, name: str, found: HostNetwork | None) -> tuple[str, str] | None:
    """Return why a network cannot be joined, and the fix; None when it can."""
    address, swarm = facts.settings.docker_host, facts.settings.engine == "swarm"
    listed = there(facts, address, "docker network ls")
    make = there(facts, address, f"docker network create {'--driver overlay ' if swarm else ''}{name}")
    if found is None:
        return "is no network of the host", f"{listed} shows those that are there; or make it: {make}"
    if found.stack:
        fix = "leave it out: joined to another part's network, Friday would go round the edge"
        return f"is the stack {found.stack}'s own", fix
    if swarm and found.scope != "swarm":
        return (
            f"is of one host ({found.driver}), and services need one that spans the Swarm",
            f"another name, then {make}",
        )
    # A migration is a container, beside a Swarm's services too.
    by_container = not swarm or facts.settings.friday.migrate
    if by_container and found.scope == "swarm" and not found.attachable:
        fix = there(facts, address, f"docker network create --driver overlay --attachable {name}")
        which = "container of friday.migrate" if swarm else "container"
        return f"is a Swarm's and not attachable, so no {which} may join it", f"remove it, then {fix}"
    return None


def user(facts: Facts) -> Iterator[Check]:
    """Yield a warning when Friday is to run as root, or as somebody who loses the folders in memory at a restart."""
    friday = facts.settings.friday
    in_memory = [each.path for each in friday.writable if each.kind == "tmpfs"]
    by_name = friday.user is not None and not friday.user.partition(":")[0].isdecimal()
    if is_root(friday.user or ""):
        text = f"Pulumi.{facts.stack}.yaml: friday-litellm:friday.user: Friday is to run as root in its container"
        fix = "name a user of the image; friday.writable gives it the folders that it writes to"
        yield Check("user", "", State.WARNING, text, fix)
    elif by_name and in_memory and facts.settings.engine == "container":
        text = (
            f"Pulumi.{facts.stack}.yaml: friday-litellm:friday.user is no number: after a restart of its container "
            f"Friday may not be able to write to {', '.join(in_memory)} (docs/TROUBLESHOOTING.md, The stack)"
        )
        yield Check("user", "", State.WARNING, text, 'docker run --rm --entrypoint id IMAGE shows them: "1000:1000"')


def testers(facts: Facts) -> Iterator[Check]:
    """Yield a check of the testers, where a stack names some: whether they are heard at all."""
    settings = facts.settings
    if not settings.testers:
        if settings.compare_testers:
            text = f"Pulumi.{facts.stack}.yaml: friday-litellm:compareTesters is true, and nobody is a tester"
            fix = f"pulumi config set --path 'testers[0]' ID -s {facts.stack}"
            yield Check("testers", "", State.WARNING, text, fix)
        return
    where = f"Pulumi.{facts.stack}.yaml: friday-litellm:testers"
    if not settings.litellm_enabled:
        text = f"{where}: nobody goes through LiteLLM while litellmEnabled is false"
        yield Check("testers", "", State.WARNING, text, f"pulumi config set litellmEnabled true -s {facts.stack}")
    elif settings.friday.image:
        text = f"{where}: whether your image sends those of LITELLM_TESTERS through LiteLLM is not to be seen from here"
        fix = f"let one of them ask, then ./fridayctl logs {facts.stack} litellm; docs/YOUR_FRIDAY.md, Testers first"
        yield Check("testers", "", State.WARNING, text, fix)
    else:
        text = f"{len(settings.testers)} go through LiteLLM, whatever the percentage"
        if settings.compare_testers:
            text = f"the path of each call of {len(settings.testers)} is drawn, whatever the percentage"
        yield Check("testers", "", State.OK, text)
