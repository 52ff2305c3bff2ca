"""Redis: cooldowns, limits and cache that several gateway replicas share."""

from dataclasses import dataclass

import pulumi

from components.container_engine import Engine
from components.host import GATEWAY_NETWORK
from components.part import Part
from components.probes import HealthProbe, ProbeClient
from components.redis_config import render
from components.settings import RedisSettings
from components.workload import FILES_DIR, File, Workload

PORT = 6379


@dataclass(frozen=True)
class RedisArgs:
    """What Redis is made of."""

    settings: RedisSettings
    image: str
    password: str


class Redis(Part):
    """Produces one Redis container; nothing in it is worth keeping, and the gateway serves without it."""

    def __init__(self, args: RedisArgs, engine: Engine, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(redis_workload(args), engine, opts)


def redis_workload(args: RedisArgs) -> Workload:
    """Declare Redis."""
    # Half of the container's memory for the data: the rest is for buffers and fragmentation.
    config = render(password=args.password, max_memory_mb=args.settings.memory_mb // 2)
    return Workload(
        part="redis",
        image=args.image,
        command=("redis-server", f"{FILES_DIR}/redis.conf"),
        networks=(GATEWAY_NETWORK,),
        probe=HealthProbe(port=PORT, client=ProbeClient.REDIS),
        memory_mb=args.settings.memory_mb,
        user="redis",
        files={"redis.conf": File(config, secret=True)},
    )
