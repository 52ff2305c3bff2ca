"""Prometheus, which asks every part for its metrics and keeps what it saw."""

from collections.abc import Sequence

import yaml

from components import alert_rules, alertmanager
from components.litellm import OPS_KEY
from components.part import Given, Job, Part, secret_file
from components.probes import HealthProbe, ProbeClient
from components.workload import APP_NETWORK, FILES_DIR, GATEWAY_NETWORK, File, Port, Workload

NAME = "prometheus"
PORT = 9090
DATA_DIR = "/var/lib/prometheus"
EVALUATION_SECONDS = 15
"""How often the rules are looked at: an outage is to be known within a minute, and each look costs."""


def render(stack: str, jobs: Sequence[Job], scrape_seconds: int, told: str) -> str:
    """Return prometheus.yml: which parts are asked for metrics, which rules hold, and where alerts go.

    `told` is the Alertmanager, as host:port ("": none). It holds no secret: a key is named by its file.
    """
    document: dict[str, object] = {
        "global": {
            "scrape_interval": f"{scrape_seconds}s",
            "evaluation_interval": f"{EVALUATION_SECONDS}s",
            # Every alert says whose it is: several stacks may tell one channel.
            "external_labels": {"stack": stack},
        },
        "rule_files": [f"{FILES_DIR}/rules/*.yml"],
        "scrape_configs": [_scrape_config(job) for job in jobs],
    }
    if told:
        told_at = {"static_configs": [{"targets": [told]}], "follow_redirects": False}
        document["alerting"] = {"alertmanagers": [told_at]}
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
    told = f"{given.host(alertmanager.NAME)}:{alertmanager.PORT}" if settings.alerts.enabled else ""
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
            "prometheus.yml": File(render(given.stack, given.jobs, settings.scrape_seconds, told)),
            **{path: File(text) for path, text in alert_rules.files(given).items()},
            OPS_KEY: secret_file(given.settings.ops_key.get_secret_value()),
        },
        ports=(Port(settings.port, PORT),) if given.settings.monitoring_published else (),
        stop_grace_seconds=30,
        data=DATA_DIR,
        placement=settings.placement,
    )


PART = Part(NAME, setting="monitoring", workload=_workload)
