"""Nightly housekeeping on a host: `docker system prune --all --volumes`, and what users notice of it."""

import json
from typing import Any

import pytest

from testing import remote_project
from testing.nested_host import NestedHost
from testing.project import Project
from testing.rig import Rig
from tests.integration.load import Load

pytestmark = [pytest.mark.engine, pytest.mark.beside, pytest.mark.slow]

PER_SECOND = 20


@pytest.fixture(scope="module")
def stack(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack that is up on the host; it goes with its host."""
    stack = remote_project.create(tmp_path_factory.mktemp("prune"), made.of(1))
    stack.fridayctl("setup")
    stack.fridayctl("images", "push", stack.stack)
    stack.fridayctl("up", stack.stack)
    return stack


def prune(host: NestedHost) -> None:
    host.run("docker", "system", "prune", "--all", "--volumes", "--force")


def failed(stack: Project) -> list[dict[str, Any]]:
    checks = json.loads(stack.fridayctl("verify", stack.stack, "--json", code=1).out)["checks"]
    return [check for check in checks if check["ok"] is False]


def names(stack: Project) -> set[str]:
    return {str(container.name) for container in stack.containers()}


def test_after_a_prune_of_all_a_new_percentage_loses_no_request(stack: Project, host: NestedHost) -> None:
    before = names(stack)
    prune(host)
    assert names(stack) == before
    assert {check["check"] for check in failed(stack)} == {"its files are kept for the next replica"}
    edge = {container.id for container in stack.containers("edge")}
    with stack.configured(rolloutPercentage=60), Load(stack, PER_SECOND, seconds=240) as load:
        stack.fridayctl("up", stack.stack)
    assert load.failures == []
    assert len(load.answers) > PER_SECOND
    assert {container.id for container in stack.containers("edge")} == edge
