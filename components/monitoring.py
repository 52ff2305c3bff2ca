"""Monitoring: Prometheus, which asks every part for its metrics, and the exporter that speaks for Redis."""

import json
from dataclasses import dataclass

import pulumi

from components import edge_config, friday, litellm, redis
from components.container_engine import Engine
from components.host import APP_NETWORK, GATEWAY_NETWORK
from components.monitoring_settings import MonitoringSettings, RedisExporterSettings
from components.part import Part, secret_file
from components.probes import HealthProbe, ProbeClient
from components.prometheus_config import Job, render
from components.workload import FILES_DIR, File, Port, Workload

PORT = 9090
EXPORTER_PORT = 9121
DATA_DIR = "/var/lib/prometheus"
_OPS_KEY = "secrets/ops_key"
_REDIS_PASSWORD = "secrets/redis.json"  # noqa: S105 - a path


@dataclass(frozen=True)
class PrometheusArgs:
    """What Prometheus is made of; a host that is None is not scraped, and `published` says whether it has a port."""

    settings: MonitoringSettings
    image: str
    ops_key: str
    edge_host: str
    litellm_host: str
    friday_host: str | None
    friday_path: str
    redis_exporter_host: str | None
    published: bool


@dataclass(frozen=True)
class RedisExporterArgs:
    """What the exporter is made of."""

    settings: RedisExporterSettings
    image: str
    redis_host: str
    redis_password: str


class Prometheus(Part):
    """Produces one Prometheus container on both networks, and the volume that its data outlive it in."""

    def __init__(self, args: PrometheusArgs, engine: Engine, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(prometheus_workload(args), engine, opts)


class RedisExporter(Part):
    """Produces one container that turns Redis' own figures into metrics."""

    def __init__(self, args: RedisExporterArgs, engine: Engine, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(redis_exporter_workload(args), engine, opts)


def prometheus_workload(args: PrometheusArgs) -> Workload:
    """Declare Prometheus. Neither its admin API, remote writing nor reloading by HTTP is switched on."""
    settings = args.settings
    return Workload(
        part="prometheus",
        image=args.image,
        command=(
            "prometheus",
            f"--config.file={FILES_DIR}/prometheus.yml",
            f"--storage.tsdb.path={DATA_DIR}",
            f"--storage.tsdb.retention.time={settings.retention_days}d",
            f"--storage.tsdb.retention.size={settings.max_data_mb}MB",
            # No page of another origin reads it from an operator's browser: this matches no origin.
            "--web.cors.origin=none",
        ),
        networks=(APP_NETWORK, GATEWAY_NETWORK),
        # Not ready before what was written last is read again.
        probe=HealthProbe(port=PORT, path="/-/ready", client=ProbeClient.BASH, start_period_seconds=90),
        memory_mb=settings.memory_mb,
        user="10001:10001",
        files={
            "prometheus.yml": File(render(_jobs(args), settings.scrape_seconds)),
            _OPS_KEY: secret_file(args.ops_key),
        },
        ports=(Port(settings.port, PORT),) if args.published else (),
        stop_grace_seconds=30,
        data=DATA_DIR,
        placement=settings.placement,
    )


def _jobs(args: PrometheusArgs) -> list[Job]:
    jobs = [
        Job("edge", args.edge_host, edge_config.OPERATIONS_PORT),
        Job("litellm", args.litellm_host, litellm.PORT, bearer_file=f"{FILES_DIR}/{_OPS_KEY}"),
    ]
    if args.friday_host:
        jobs.append(Job("friday", args.friday_host, friday.PORT, path=args.friday_path))
    if args.redis_exporter_host:
        jobs.append(Job("redis", args.redis_exporter_host, EXPORTER_PORT))
    return jobs


def redis_exporter_workload(args: RedisExporterArgs) -> Workload:
    """Declare the exporter. It keeps nothing and asks Redis only when it is asked itself."""
    address = f"redis://{args.redis_host}:{redis.PORT}"
    return Workload(
        part="redis-exporter",
        image=args.image,
        command=(
            "prometheus-redis-exporter",
            f"-redis.addr={address}",
            f"-redis.password-file={FILES_DIR}/{_REDIS_PASSWORD}",
            "-redis-only-metrics",
            "-connection-timeout=2s",
        ),
        networks=(GATEWAY_NETWORK,),
        probe=HealthProbe(port=EXPORTER_PORT, path="/health", client=ProbeClient.BASH),
        memory_mb=args.settings.memory_mb,
        user="10001:10001",
        files={_REDIS_PASSWORD: secret_file(json.dumps({address: args.redis_password}))},
    )
