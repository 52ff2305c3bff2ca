"""Redis: cooldowns, limits and cache that several gateway replicas share."""

from components.part import Given, Part
from components.probes import HealthProbe, ProbeClient
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
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=("redis-server", f"{FILES_DIR}/redis.conf"),
        networks=(GATEWAY_NETWORK,),
        probe=HealthProbe(port=PORT, client=ProbeClient.REDIS),
        memory_mb=settings.memory_mb,
        user="redis",
        files={"redis.conf": File(_config(given), secret=True)},
    )


def _config(given: Given) -> str:
    """Return redis.conf: nothing on disk, a memory bound, and a password, whose letters the settings have checked."""
    lines = [
        "bind * -::*",
        f"port {PORT}",
        "protected-mode yes",
        f"requirepass {given.settings.redis_password.get_secret_value()}",
        # Cooldowns, counters and cached answers: all of it may be lost, none of it is worth a disk write.
        'save ""',
        "appendonly no",
        "dir /tmp",
        # Half of the container's memory for the data: the rest is for buffers and fragmentation. The oldest keys go.
        f"maxmemory {given.settings.redis.memory_mb // 2}mb",
        "maxmemory-policy allkeys-lru",
        "tcp-keepalive 60",
        "timeout 0",
        "maxclients 512",
        # What an intruder with the password would reach for; the gateway uses none of it.
        *(f'rename-command {name} ""' for name in ("DEBUG", "MODULE", "REPLICAOF", "SLAVEOF", "MIGRATE")),
        "loglevel notice",
        'logfile ""',
    ]
    return "\n".join(lines) + "\n"


PART = Part(NAME, setting="redis", workload=_workload, joins=joins)
