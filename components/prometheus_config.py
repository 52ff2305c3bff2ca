"""Prometheus' configuration: which parts of the stack are asked for their metrics, and how they are found."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

REFRESH_SECONDS = 5
"""How often the name servers are asked for a part's replicas."""


@dataclass(frozen=True)
class Job:
    """One part that is scraped.

    `host` is the name that resolves to all of its replicas, `bearer_file` the file in the container with the key
    that the part wants to see ("": none).
    """

    name: str
    host: str
    port: int
    path: str = "/metrics"
    bearer_file: str = ""


def render(jobs: Sequence[Job], scrape_seconds: int) -> str:
    """Return prometheus.yml. It holds no secret: a key is named by its file."""
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
        "dns_sd_configs": [
            {"names": [job.host], "type": "A", "port": job.port, "refresh_interval": f"{REFRESH_SECONDS}s"}
        ],
    }
    if job.bearer_file:
        found["authorization"] = {"type": "Bearer", "credentials_file": job.bearer_file}
    return found
