"""The exporter that turns what Redis says of itself into metrics."""

import json

from components import redis
from components.part import Given, Job, Part
from components.probes import HealthProbe, ProbeClient
from components.workload import FILES_DIR, GATEWAY_NETWORK, File, Workload

NAME = "redis-exporter"
PORT = 9121
_PASSWORD = "secrets/redis.json"  # noqa: S105 - a path


def _workload(given: Given) -> Workload:
    """Declare the exporter. It keeps nothing and asks Redis only when it is asked itself."""
    settings = given.settings.monitoring.redis_exporter
    address = f"redis://{given.host(redis.NAME)}:{redis.PORT}"
    password = given.settings.redis_password.get_secret_value()
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
        command=(
            "prometheus-redis-exporter",
            f"-redis.addr={address}",
            f"-redis.password-file={FILES_DIR}/{_PASSWORD}",
            "-redis-only-metrics",
            "-connection-timeout=2s",
        ),
        networks=(GATEWAY_NETWORK,),
        probe=HealthProbe(port=PORT, path="/health", client=ProbeClient.BASH),
        memory_mb=settings.memory_mb,
        user="10001:10001",
        files={_PASSWORD: File(json.dumps({address: password}) + "\n", secret=True)},
    )


PART = Part(
    NAME,
    setting="monitoring.redisExporter",
    workload=_workload,
    joins=redis.joins,
    metrics=lambda given: Job("redis", given.every_replica(NAME), PORT),
)
