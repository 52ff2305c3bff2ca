"""FridayStack: the whole shape, composed from the parts."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import pulumi

from components.container_engine import ContainerEngine, Engine, Parts
from components.declaration import declare
from components.host import Host, HostArgs
from components.parts import PARTS
from components.settings.stack import StackSettings
from components.swarm_engine import SwarmEngine
from components.workload import Workload


class RunningPart(pulumi.ComponentResource):
    """Produces the replicas of one workload, made `after` other parts; `instances` are their names."""

    def __init__(self, workload: Workload, engine: Engine, opts: pulumi.ResourceOptions, after: Parts = ()) -> None:
        kind = "".join(word.capitalize() for word in workload.part.split("-"))
        super().__init__(f"friday-litellm:components:{kind}", workload.part, None, opts)
        self.workload = workload
        self.instances = engine.deploy(workload, self, after)
        self.register_outputs({"instances": self.instances})


class FridayStack(pulumi.ComponentResource):
    """Produces Host and the parts that the settings ask for (`parts.PARTS`).

    `outputs` is what the program exports. `images` are the local builds that stand in for images that the
    settings do not name.
    """

    def __init__(self, stack: str, settings: StackSettings, images: Mapping[str, str]) -> None:
        super().__init__("friday-litellm:components:FridayStack", stack)
        child = pulumi.ResourceOptions(parent=self)
        engine = _engine(stack, settings, child)
        after = {part.name: part.after for part in PARTS}
        # Pulumi begins in this order, and what changes most often, and what takes longest to start, comes first.
        workloads = sorted(
            declare(stack, settings, images), key=lambda each: (bool(after[each.part]), not each.replaced_by_overlap)
        )
        made: dict[str, RunningPart] = {}
        for each in workloads:
            behind = [made[name] for name in after[each.part]]
            made[each.part] = RunningPart(each, engine, child, behind)
        self.parts = list(made.values())
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
