"""FridayStack: the whole shape, composed from the Docker host and the parts."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import pulumi
import pulumi_docker as docker

from components.connection import HOST_TYPE, STACK_TYPE, provider
from components.container_engine import ContainerEngine, Parts, labels
from components.parts import declare, needed_by
from components.settings.stack import StackSettings
from components.surroundings import NOTHING_KNOWN, Surroundings
from components.swarm_engine import SwarmEngine
from components.workload import APP_NETWORK, GATEWAY_NETWORK, Workload

HandOver = Callable[[Workload, pulumi.Resource, list[str]], Awaitable[None]]
"""Takes what is drained at the edge, its part, and the names of the containers that stay; the others are to go."""


MADE_BY_LABEL = "friday-litellm.made-by"
"""On the networks: who made them, and where that state is. Nothing depends on it; a message may name it."""


class Host(pulumi.ComponentResource):
    """Produces docker.Provider and two docker.Network, which span hosts in a Swarm.

    Friday lives on the app network and LiteLLM on the gateway network; only the edge is on both, so nothing
    on Friday's side reaches LiteLLM except through the edge's allow-list.
    """

    def __init__(self, stack: str, settings: StackSettings, around: Surroundings, opts: pulumi.ResourceOptions) -> None:
        super().__init__(HOST_TYPE, "host", None, opts)
        self.provider = provider(settings, pulumi.ResourceOptions(parent=self), around.registries)
        swarm = settings.engine == "swarm"
        self.networks = {
            name: docker.Network(
                f"network-{name}",
                name=f"friday-{stack}-{name}",
                driver="overlay" if swarm else "bridge",
                attachable=swarm,
                labels=[*labels(stack), {"label": MADE_BY_LABEL, "value": around.made_by}],
                # A network's labels stay as they were when it was made: somebody else's update must not replace it.
                opts=pulumi.ResourceOptions(parent=self, provider=self.provider, ignore_changes=["labels"]),
            )
            for name in (APP_NETWORK, GATEWAY_NETWORK)
        }
        self.register_outputs({})


class RunningPart(pulumi.ComponentResource):
    """Produces the replicas of one workload, made `after` other parts; `instances` are their names."""

    def __init__(
        self, workload: Workload, engine: ContainerEngine | SwarmEngine, opts: pulumi.ResourceOptions, after: Parts
    ) -> None:
        kind = "".join(word.capitalize() for word in workload.part.split("-"))
        super().__init__(f"friday-litellm:components:{kind}", workload.part, None, opts)
        self.instances = engine.deploy(workload, self, after)
        self.register_outputs({"instances": self.instances})


class FridayStack(pulumi.ComponentResource):
    """Produces Host and the parts that the settings ask for (`parts.declare`).

    `outputs` is what the program exports. `images` are the local builds that stand in for images that the
    settings do not name, `around` is what else has to be known.
    `hand_over` is called in an update once everything that is new is healthy; Pulumi removes what is old when it has
    returned.
    """

    def __init__(
        self,
        stack: str,
        settings: StackSettings,
        images: Mapping[str, str],
        around: Surroundings = NOTHING_KNOWN,
        *,
        hand_over: HandOver | None = None,
    ) -> None:
        super().__init__(STACK_TYPE, stack)
        child = pulumi.ResourceOptions(parent=self)
        host = Host(stack, settings, around, child)
        engine: SwarmEngine | ContainerEngine
        if settings.engine == "swarm":
            engine = SwarmEngine(
                stack,
                host.provider,
                host.networks,
                settings.endpoint_mode,
                around.kept_images,
                around.strangers,
                _names(images),
            )
        else:
            engine = ContainerEngine(stack, host.provider, host.networks, around.start_interval, around.kept_images)
        # Pulumi begins in this order, and what changes most often, and what takes longest to start, comes first.
        workloads = sorted(
            declare(stack, settings, images),
            key=lambda each: (bool(needed_by(each.part)), not each.replaced_by_overlap),
        )
        made: dict[str, RunningPart] = {}
        for each in workloads:
            made[each.part] = RunningPart(each, engine, child, [made[name] for name in needed_by(each.part)])
        instances: object = {name: part.instances for name, part in made.items()}
        drained = [each for each in workloads if each.drained_at_edge]
        if hand_over and drained and not pulumi.runtime.is_dry_run():
            handed_over = _finished if settings.engine == "swarm" else _handed_over
            instances = handed_over(hand_over, drained, made)
        self.outputs = {**summary(settings), "instances": instances}
        self.register_outputs({})


def _names(images: Mapping[str, str]) -> frozenset[str]:
    """Return images without their tags."""
    return frozenset(each.rpartition(":")[0] for each in images.values())


def _handed_over(
    hand_over: HandOver, drained: list[Workload], made: Mapping[str, RunningPart]
) -> pulumi.Output[dict[str, list[str]]]:
    """Return the names of all that was made, known once what is `drained` has been handed over.

    Not by a hook of the replica that goes: its state would name it, and neither an older checkout nor a plain
    `pulumi destroy` could remove such a replica any more. Pulumi removes nothing before the program has ended.
    """

    async def after_all(names: dict[str, list[str]]) -> dict[str, list[str]]:
        for each in drained:
            await hand_over(each, made[each.part], names[each.part])
        return names

    every = {name: pulumi.Output.all(*part.instances) for name, part in made.items()}
    return pulumi.Output.all(**every).apply(after_all)


def _finished(
    hand_over: HandOver, drained: list[Workload], made: Mapping[str, RunningPart]
) -> dict[str, pulumi.Output[list[str]]]:
    """Return the same for a Swarm, which has old tasks leave once the new are healthy, and waits for no other part."""

    def after(each: Workload) -> pulumi.Output[list[str]]:
        async def finished(names: list[str]) -> list[str]:
            await hand_over(each, made[each.part], names)
            return names

        return pulumi.Output.all(*made[each.part].instances).apply(finished)

    every = {name: pulumi.Output.all(*part.instances) for name, part in made.items()}
    return every | {each.part: after(each) for each in drained}


def summary(settings: StackSettings) -> dict[str, object]:
    """Return the outputs that say where the stack answers and what it is set to."""
    edge = settings.edge
    users = edge.bind_address
    if users == "0.0.0.0":  # noqa: S104 - compared, not bound; then the edge answers at its host's own address
        users = urlsplit(settings.docker_host).hostname or "127.0.0.1"
    url = f"https://{users}:{edge.tls.port}" if edge.tls.files else f"http://{users}:{edge.port}"
    outputs: dict[str, object] = {
        "fridayUrl": url,
        "gatewayUrl": f"http://127.0.0.1:{edge.gateway_port}",
        "rolloutPercentage": settings.rollout_percentage,
        "litellmEnabled": settings.litellm_enabled,
        "models": {model.name: model.id for model in settings.models},
    }
    if settings.effective_testers:
        outputs["testers"] = list(settings.effective_testers)
    if settings.monitoring_published:
        outputs["prometheusUrl"] = f"http://127.0.0.1:{settings.monitoring.port}"
        if settings.monitoring.alerts.enabled:
            outputs["alertsUrl"] = f"http://127.0.0.1:{settings.alerts_port}"
    if settings.monitoring.grafana.image:
        outputs["grafanaUrl"] = f"http://127.0.0.1:{settings.monitoring.grafana.port}"
    if settings.upstream == "simulator":
        outputs["simulatorUrl"] = f"http://127.0.0.1:{settings.simulator.port}"
    return outputs
