"""Prometheus, which asks every part for its metrics and keeps what it saw."""

from components.litellm import OPS_KEY
from components.part import Given, Part, secret_file
from components.probes import HealthProbe, ProbeClient
from components.prometheus_config import render
from components.workload import APP_NETWORK, FILES_DIR, GATEWAY_NETWORK, File, Port, Workload

NAME = "prometheus"
PORT = 9090
DATA_DIR = "/var/lib/prometheus"


def _workload(given: Given) -> Workload:
    """Declare Prometheus. Neither its admin API, remote writing nor reloading by HTTP is switched on."""
    settings = given.settings.monitoring
    return Workload(
        part=NAME,
        image=given.image(NAME, settings),
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
            "prometheus.yml": File(render(given.jobs, settings.scrape_seconds)),
            OPS_KEY: secret_file(given.settings.ops_key),
        },
        ports=(Port(settings.port, PORT),) if given.settings.monitoring_published else (),
        stop_grace_seconds=30,
        data=DATA_DIR,
        placement=settings.placement,
    )


PART = Part(NAME, setting="monitoring", workload=_workload)
