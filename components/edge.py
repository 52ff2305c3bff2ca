"""The edge: HAProxy in front of Friday and of the gateway. It owns the host ports and the gateway's switch."""

from dataclasses import dataclass

import pulumi
from pydantic import SecretStr

from components import edge_config
from components.container_engine import Engine, Parts
from components.edge_config import EdgeConfig
from components.host import APP_NETWORK, GATEWAY_NETWORK
from components.part import Part
from components.probes import HealthProbe, ProbeClient
from components.settings import EdgeSettings, FridaySettings, LitellmSettings
from components.workload import FILES_DIR, FIRST_SHARES, File, Port, Workload


@dataclass(frozen=True)
class EdgeArgs:
    """What the edge is made of; of Friday and LiteLLM it knows where, how many and how healthy they are."""

    settings: EdgeSettings
    image: str
    edge_key: str
    friday: FridaySettings
    litellm: LitellmSettings
    friday_host: str
    litellm_host: str


class Edge(Part):
    """Produces one HAProxy container on both networks, made when those `behind` it are well."""

    def __init__(
        self, args: EdgeArgs, engine: Engine, opts: pulumi.ResourceOptions | None = None, behind: Parts = ()
    ) -> None:
        super().__init__(edge_workload(args), engine, opts, behind)


def edge_workload(args: EdgeArgs) -> Workload:
    """Declare the edge."""
    config = EdgeConfig(
        friday_host=args.friday_host,
        litellm_host=args.litellm_host,
        friday_replicas=args.friday.replicas,
        litellm_replicas=args.litellm.replicas,
        edge_key=SecretStr(args.edge_key),
        friday_health_path=args.friday.health_path,
    )
    settings = args.settings
    return Workload(
        part="edge",
        image=args.image,
        command=("haproxy", "-W", "-db", "-f", f"{FILES_DIR}/haproxy.cfg"),
        networks=(APP_NETWORK, GATEWAY_NETWORK),
        probe=HealthProbe(port=edge_config.OPERATIONS_PORT, client=ProbeClient.BASH, interval_seconds=2),
        memory_mb=settings.memory_mb,
        user="haproxy",
        files={"haproxy.cfg": File(config.render(), secret=True)},
        ports=(
            Port(settings.port, edge_config.USERS_PORT, settings.bind_address),
            # Never on another address: whoever reaches this port may try keys.
            Port(settings.gateway_port, edge_config.GATEWAY_HOST_PORT),
        ),
        on_every_host=True,
        cpu_shares=FIRST_SHARES,  # needs little, and every request waits for it
    )
