"""What a stack consists of, as plain data: the program declares it, and checks compare the hosts with it."""

from collections.abc import Mapping
from dataclasses import replace

from components.part import Given
from components.parts import PARTS
from components.settings.stack import StackSettings
from components.workload import Workload


def declare(stack: str, settings: StackSettings, images: Mapping[str, str]) -> list[Workload]:
    """Return the workload of each part that the settings ask for, in the order in which they need each other.

    `images` are the local builds for parts whose image is not named.
    """
    given = Given(stack, settings, images)
    joining = [part for part in PARTS if part.joins(settings)]
    jobs = [job for part in joining if (job := part.metrics(given))]
    given = replace(given, jobs=tuple(sorted(jobs, key=lambda job: job.name)))
    return [part.workload(given) for part in joining]
