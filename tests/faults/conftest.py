"""The suite's one stack, for a while with short times, so that a case takes about a second."""

from collections.abc import Iterator

import pytest

from testing.project import Project
from tests.faults.stage import Stage

DEADLINE_SECONDS = 4
ROUTER = {
    "timeoutSeconds": 1,
    "streamTimeoutSeconds": 1,
    "firstTokenSeconds": 1,
    "cooldownSeconds": 1,
    "deadlineSeconds": 3.7,  # to Friday's deadline as by default: the direct path is asked before, at six tenths of it
}


@pytest.fixture(scope="package")
def stage(project: Project) -> Iterator[Stage]:
    """Deploy the short times and take them back in the end."""
    friday = project.settings["friday"]
    environment = {**friday["environment"], "LLM_DEADLINE_SECONDS": str(DEADLINE_SECONDS)}
    try:
        with project.configured(rolloutPercentage=50, router=ROUTER, friday={**friday, "environment": environment}):
            project.fridayctl("up", project.stack)
            made = Stage(project)
            try:
                made.rest()
                yield made
            finally:
                made.admin("POST", "reset")
                made.close()
    finally:
        project.fridayctl("up", project.stack)
