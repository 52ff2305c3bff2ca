"""Prometheus, which asks every part for its metrics and keeps what it saw."""

from collections.abc import Sequence

import yaml

from components.litellm import OPS_KEY
from components.part import Given, Job, Part, secret_file
from components.probes import HealthProbe, ProbeClient
from components.workload import APP_NETWORK, FILES_DIR, GATEWAY_NETWORK, File, Port, Workload

NAME = "prometheus"
PORT = 9090
DATA_DIR = "/var/lib/prometheus"


def render(jobs: Sequence[Job], scrape_seconds: int) -> str:
    """Return prometheus.yml: which parts are asked for metrics. It holds no secret: a key is named by its file."""
    document = {
        "global": {"scrape_interval": f"{scrape_seconds}s"},
        "scrape_configs": [_scrape_config(job) for job in jobs],
    }
    return yaml.safe_dump(document, sort_keys=False)


def _scrape_config(job: Job) -> dict[str, object]:
    found: dict[str, object] = {
        "job_name": job.name,
        "metrics_path": job.path,
        # A key that goes along to wherever a part points would be anybody's.
        "follow_redirects": False,
        "dns_sd_configs": [{"names": [job.host], "type": "A", "port": job.port, "refresh_interval": "5s"}],
    }
    if job.bearer_file:
        found["authorization"] = {"type": "Bearer", "credentials_file": job.bearer_file}
    return found


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
            OPS_KEY: secret_file(given.settings.ops_key.get_secret_value()),
        },
        ports=(Port(settings.port, PORT),) if given.settings.monitoring_published else (),
        stop_grace_seconds=30,
        data=DATA_DIR,
        placement=settings.placement,
    )


PART = Part(NAME, setting="monitoring", workload=_workload)
