"""FridayStack: the whole shape, composed from the parts."""

from collections.abc import Mapping

import pulumi
from pydantic import SecretStr

from components.container_engine import ContainerEngine, Engine
from components.edge import GATEWAY_URL, Edge, EdgeArgs
from components.friday import Friday, FridayArgs
from components.host import Host, HostArgs
from components.litellm import Litellm, LitellmArgs
from components.redis import Redis, RedisArgs
from components.settings import StackSettings
from components.simulator import Simulator, SimulatorArgs
from components.swarm_engine import SwarmEngine

OPENROUTER_URL = "https://openrouter.ai/api/v1"
SIMULATOR_URL = "http://openrouter:8080/api/v1"


class FridayStack(pulumi.ComponentResource):
    """Produces Host, Simulator (when it is the upstream), Redis (with several gateways), Litellm, Edge, Friday.

    `outputs` is what the program exports. `images` are the local builds that stand in for images that the
    settings do not name.
    """

    def __init__(self, stack: str, settings: StackSettings, images: Mapping[str, str]) -> None:
        super().__init__("friday-litellm:components:FridayStack", stack)
        self._settings = settings
        self._images = images
        self._child = pulumi.ResourceOptions(parent=self)
        swarm = settings.engine == "swarm"
        host = Host(HostArgs(stack, settings.docker_host, swarm=swarm), self._child)
        engine: Engine = (
            SwarmEngine(stack, host.provider, host.networks)
            if swarm
            else ContainerEngine(stack, host.provider, host.networks)
        )
        behind = [self._litellm(engine), self._friday(engine)]
        # The edge comes last: when what it is told to look for does not get healthy, the edge that serves stays.
        edge = self._edge(engine, pulumi.ResourceOptions(parent=self, depends_on=behind))
        self.parts = [*self._upstream(engine), *self._shared_state(engine), *behind, edge]
        self.outputs = {**summary(settings), "instances": {p.workload.part: p.instances for p in self.parts}}
        self.register_outputs({})

    @property
    def _upstream_url(self) -> str:
        return SIMULATOR_URL if self._settings.upstream == "simulator" else OPENROUTER_URL

    @property
    def _redis_password(self) -> str | None:
        shared = self._settings.litellm.replicas > 1
        return _plain(self._settings.redis_password) if shared else None

    @property
    def _friday_key(self) -> str:
        return _plain(self._settings.friday_openrouter_api_key or self._settings.openrouter_api_key)

    def _image(self, part: str, named: str | None) -> str:
        return named or self._images[part]

    def _upstream(self, engine: Engine) -> list[Simulator]:
        settings = self._settings
        if settings.upstream != "simulator":
            return []
        args = SimulatorArgs(
            settings=settings.simulator,
            quota=settings.quota,
            image=self._image("simulator", settings.simulator.image),
            gateway_account_key=_plain(settings.openrouter_api_key),
            friday_account_key=self._friday_key,
        )
        return [Simulator(args, engine, self._child)]

    def _shared_state(self, engine: Engine) -> list[Redis]:
        password = self._redis_password
        if password is None:
            return []
        image = self._image("redis", self._settings.redis.image)
        return [Redis(RedisArgs(self._settings.redis, image, password), engine, self._child)]

    def _litellm(self, engine: Engine) -> Litellm:
        settings = self._settings
        args = LitellmArgs(
            settings=settings.litellm,
            catalogue=settings.catalogue,
            router=settings.router,
            quota=settings.quota,
            image=self._image("litellm", settings.litellm.image),
            upstream=self._upstream_url,
            openrouter_api_key=_plain(settings.openrouter_api_key),
            gateway_key=_plain(settings.gateway_key),
            ops_key=_plain(settings.ops_key),
            redis_password=self._redis_password,
        )
        return Litellm(args, engine, self._child)

    def _edge(self, engine: Engine, opts: pulumi.ResourceOptions) -> Edge:
        settings = self._settings
        args = EdgeArgs(
            settings=settings.edge,
            image=self._image("edge", settings.edge.image),
            gateway_key=_plain(settings.gateway_key),
            friday=settings.friday,
            litellm=settings.litellm,
        )
        return Edge(args, engine, opts)

    def _friday(self, engine: Engine) -> Friday:
        settings = self._settings
        args = FridayArgs(
            settings=settings.friday,
            image=self._image("friday", settings.friday.image),
            reference=settings.friday.image is None,
            litellm_enabled=settings.litellm_enabled,
            percentage=settings.rollout_percentage,
            gateway_url=GATEWAY_URL,
            upstream=self._upstream_url,
            openrouter_api_key=self._friday_key,
            jwt_secret=_plain(settings.jwt_secret),
        )
        return Friday(args, engine, self._child)


def summary(settings: StackSettings) -> dict[str, object]:
    """Return the outputs that say where the stack answers and what it is set to."""
    edge = settings.edge
    outputs: dict[str, object] = {
        "fridayUrl": f"http://{edge.bind_address}:{edge.port}",
        "gatewayUrl": f"http://127.0.0.1:{edge.gateway_port}",
        "rolloutPercentage": settings.rollout_percentage,
        "litellmEnabled": settings.litellm_enabled,
        "models": {model.name: model.id for model in settings.catalogue.models},
    }
    if settings.upstream == "simulator":
        outputs["simulatorUrl"] = f"http://127.0.0.1:{settings.simulator.port}"
    return outputs


def _plain(secret: SecretStr) -> str:
    return secret.get_secret_value()
