"""FridayStack: the whole shape, composed from the parts."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import pulumi

from components.container_engine import ContainerEngine, Engine
from components.declaration import declare
from components.edge import Edge
from components.friday import Friday
from components.host import Host, HostArgs
from components.litellm import Litellm
from components.monitoring import Prometheus, RedisExporter
from components.part import Part
from components.redis import Redis
from components.settings import StackSettings
from components.simulator import Simulator
from components.swarm_engine import SwarmEngine


class FridayStack(pulumi.ComponentResource):
    """Produces Host, Litellm, Friday, Edge and Prometheus; Simulator when it is the upstream, Redis with its exporter
    when there are several gateways.

    `outputs` is what the program exports. `images` are the local builds that stand in for images that the
    settings do not name.
    """

    def __init__(self, stack: str, settings: StackSettings, images: Mapping[str, str]) -> None:
        super().__init__("friday-litellm:components:FridayStack", stack)
        child = pulumi.ResourceOptions(parent=self)
        engine = _engine(stack, settings, child)
        declared = declare(stack, settings, images)
        # Pulumi begins in this order, and what changes most often, and what takes longest to start, comes first.
        behind: list[Part] = [Friday(declared.friday, engine, child), Litellm(declared.litellm, engine, child)]
        parts: list[Part] = [Simulator(declared.simulator, engine, child)] if declared.simulator else []
        parts += [Redis(declared.redis, engine, child)] if declared.redis else []
        parts += [RedisExporter(declared.redis_exporter, engine, child)] if declared.redis_exporter else []
        parts.append(Prometheus(declared.prometheus, engine, child))
        # The edge's container is made last: when what it looks for does not get healthy, the one that serves stays.
        self.parts = [*behind, *parts, Edge(declared.edge, engine, child, behind)]
        self.outputs = {**summary(settings), "instances": {p.workload.part: p.instances for p in self.parts}}
        self.register_outputs({})


def _engine(stack: str, settings: StackSettings, opts: pulumi.ResourceOptions) -> Engine:
    swarm = settings.engine == "swarm"
    host = Host(HostArgs(stack, settings.docker_host, settings.ssh, settings.tls, swarm=swarm), opts)
    if swarm:
        return SwarmEngine(stack, host.provider, host.networks, settings.endpoint_mode)
    return ContainerEngine(stack, host.provider, host.networks)


def summary(settings: StackSettings) -> dict[str, object]:
    """Return the outputs that say where the stack answers and what it is set to."""
    edge = settings.edge
    outputs: dict[str, object] = {
        "fridayUrl": f"http://{_users_address(settings)}:{edge.port}",
        "gatewayUrl": f"http://127.0.0.1:{edge.gateway_port}",
        "rolloutPercentage": settings.rollout_percentage,
        "litellmEnabled": settings.litellm_enabled,
        "models": {model.name: model.id for model in settings.catalogue.models},
    }
    if settings.monitoring_published:
        outputs["prometheusUrl"] = f"http://127.0.0.1:{settings.monitoring.port}"
    if settings.upstream == "simulator":
        outputs["simulatorUrl"] = f"http://127.0.0.1:{settings.simulator.port}"
    return outputs


def _users_address(settings: StackSettings) -> str:
    """Return where the edge answers: one that is bound to every address of its host answers at the host's own."""
    if settings.edge.bind_address != "0.0.0.0":  # noqa: S104 - compared, not bound
        return settings.edge.bind_address
    return urlsplit(settings.docker_host).hostname or "127.0.0.1"
