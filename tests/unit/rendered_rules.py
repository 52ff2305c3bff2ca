"""What the alert rules are made from, for each kind of stack."""

from dataclasses import replace
from typing import Any

from components import parts
from components.part import Given, Job
from tests.unit.given import settings

OWN_IMAGE = "registry.example/friday@sha256:" + "0" * 64
STACKS: dict[str, dict[str, Any]] = {
    "the reference Friday": {},
    "in a Swarm": {"engine": "swarm"},
    "one gateway, so no Redis": {"litellm": {"replicas": 1}},
    "no gateway": {"litellm": {"replicas": 0}},
    "an image of one's own": {"friday": {"image": OWN_IMAGE}},
    "an image of one's own, in a Swarm": {"engine": "swarm", "friday": {"image": OWN_IMAGE}},
    "an image of one's own, with metrics": {"friday": {"image": OWN_IMAGE, "metricsPath": "/metrics"}},
    "an image of one's own, whose chats are known": {"friday": {"image": OWN_IMAGE, "chatPaths": ["/api/chat"]}},
}


def given(**changes: Any) -> Given:
    """Return it for a stack whose file has these settings, with all that Prometheus scrapes there."""
    chosen = settings(**changes)
    without = Given("t", chosen, {})
    joining = (part for part in parts.PARTS if part.joins(chosen) and part.metrics)
    jobs = {job.name: job for part in joining if part.metrics and (job := part.metrics(without))}
    return replace(without, jobs=tuple({**jobs, "alertmanager": Job("alertmanager", "alertmanager", 9093)}.values()))
