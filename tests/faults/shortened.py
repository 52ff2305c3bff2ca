"""A stack whose times are short, so that a fault and what follows it take seconds."""

from testing.faults.fault import DEADLINE_SECONDS, REST_SECONDS
from testing.project import Project


def shorten(project: Project) -> None:
    """Give its calls and its models' rests less time than they have by default."""
    friday = project.settings["friday"]
    environment = {**friday["environment"], "LLM_DEADLINE_SECONDS": str(DEADLINE_SECONDS)}
    project.configure({"friday": {**friday, "environment": environment}, "router": {"cooldownSeconds": REST_SECONDS}})
