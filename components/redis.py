"""Redis: cooldowns, limits and cache that several gateway replicas share."""

from components.part import Given, Part
from components.probes import HealthProbe, ProbeClient
from components.redis_config import render
from components.settings.stack import StackSettings
from components.workload import FILES_DIR, GATEWAY_NETWORK, File, Workload

NAME = "redis"
PORT = 6379


def joins(settings: StackSettings) -> bool:
    """Return whether a stack has it: a single gateway replica shares nothing."""
    return settings.litellm.replicas > 1


def _workload(given: Given) -> Workload:
    """Declare Redis: nothing in it is worth keeping, and the gateway serves without it."""
    settings = given.settings.redis
    # Half of the container's memory for the data: the rest is for buffers and fragmentation.
    config = render(password=given.settings.redis_password.get_secret_value(), max_memory_mb=settings.memory_mb // 2)
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=("redis-server", f"{FILES_DIR}/redis.conf"),
        networks=(GATEWAY_NETWORK,),
        probe=HealthProbe(port=PORT, client=ProbeClient.REDIS),
        memory_mb=settings.memory_mb,
        user="redis",
        files={"redis.conf": File(config, secret=True)},
    )


PART = Part(NAME, setting="redis", workload=_workload, joins=joins)
