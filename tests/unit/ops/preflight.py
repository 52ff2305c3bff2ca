"""Facts of preflight about hosts that are healthy but for what a test changes, and the checks that fail over them."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from components.parts import declare
from ops.checks.preflight.facts import Facts, Held, HostFacts, Swarm
from ops.checks.preflight.judge import ALL, GIBIBYTE, judge
from ops.checks.report import Check, Report
from ops.errors import OperationError
from ops.hosts.images import Need
from ops.hosts.machine import Space
from ops.hosts.swarm_nodes import Node
from tests.unit.declared import IMAGES
from tests.unit.given import settings
from toolchain.docker_engine import Engine
from toolchain.engine_traits import Traits

FIRST, SECOND, THIRD = "ssh://root@one.example", "ssh://deploy@two.example", "ssh://deploy@three.example"
NEED = Need("friday-litellm/edge:1", ("edge",), built_here=True)
FREE = dict.fromkeys(
    ("edge.port", "edge.gatewayPort", "simulator.port", "monitoring.port", "monitoring.alerts.port"), ""
)
HEALTHY = HostFacts(
    engine=Engine("20.10.24+dfsg1", "1.41", "1.12"),
    architecture="amd64",
    seconds_apart=0.0,
    memory=16 * GIBIBYTE,
    swarm=Swarm(),
    images=Held(present=5),
    holders=FREE,
    traits=Traits("id-1", cgroup="2", folder="/var/lib/docker"),
    space=Space(memory=16 * GIBIBYTE, disk=100 * GIBIBYTE),
)
NODES = {name: Node(f"host-{name}", ready=True) for name in ("a", "b", "c")}


def manager(**changes: Any) -> HostFacts:
    return dataclasses.replace(HEALTHY, swarm=Swarm(active=True, manager=True, node="a", nodes=NODES), **changes)


def member(node: str, **changes: Any) -> HostFacts:
    return dataclasses.replace(HEALTHY, swarm=Swarm(active=True, node=node, **changes))


def facts(hosts: Mapping[str, HostFacts | OperationError], **changes: Any) -> Facts:
    addresses = list(hosts)
    given: dict[str, Any] = {"dockerHost": addresses[0], **changes}
    if addresses[1:]:
        given = {"engine": "swarm", "swarmHosts": addresses[1:], **given}
    chosen = settings(**given)
    return Facts("t", chosen, declare("t", chosen, IMAGES), hosts)


def one(**changes: Any) -> Facts:
    return facts({FIRST: dataclasses.replace(HEALTHY, **changes)})


def failed(given: Facts) -> list[Check]:
    return Report("t", judge(given, ALL)).failed


def only(given: Facts) -> Check:
    (check,) = failed(given)
    return check
