"""The parts of a stack, and what it consists of, as plain data: the program declares it, checks compare hosts with it.

A further part is a module of its own, its image's folder below images/, and its entry here.
"""

from collections.abc import Mapping
from dataclasses import replace

from components import alertmanager, edge, friday, litellm, prometheus, redis, redis_exporter, roles, simulator
from components.part import Given
from components.settings.stack import StackSettings
from components.workload import Workload

PARTS = (
    simulator.PART,
    redis.PART,
    redis_exporter.PART,
    friday.PART,
    litellm.PART,
    edge.PART,
    alertmanager.PART,
    prometheus.PART,
)
"""In the order in which they need each other."""

NAMES = tuple(part.name for part in PARTS)


def needed_by(name: str) -> tuple[str, ...]:
    """Return what is made, and healthy, before a part: of a role that is Friday."""
    return next((part.after for part in PARTS if part.name == name), (friday.NAME,))


def built_here(settings: StackSettings) -> list[str]:
    """Return the parts of a stack whose images are the local builds: its settings name no other."""
    return [part.name for part in PARTS if part.joins(settings) and not part.settings_of(settings).image]


def declare(stack: str, settings: StackSettings, images: Mapping[str, str]) -> list[Workload]:
    """Return the workload of each part that the settings ask for, in the order in which they need each other.

    Friday's roles come last. `images` are the local builds for parts whose image is not named.
    """
    given = Given(stack, settings, images)
    joining = [part for part in PARTS if part.joins(settings)]
    jobs = [job for part in joining if part.metrics and (job := part.metrics(given))]
    given = replace(given, jobs=tuple(sorted(jobs, key=lambda job: job.name)))
    return [*(part.workload(given) for part in joining), *roles.workloads(given)]
