"""Nightly housekeeping on a host: `docker system prune --all --volumes`, and what users notice of it.

The tests stand in that order: each one begins with what the one before it left.
"""

import json
from typing import Any

import pytest

from testing import remote_project
from testing.meanwhile import until
from testing.nested_host import NestedHost
from testing.project import Project
from testing.repository import commit, git
from testing.rig import Rig
from tests.integration.load import Load

pytestmark = [pytest.mark.engine, pytest.mark.beside, pytest.mark.slow]

PER_SECOND = 20


@pytest.fixture(scope="module")
def stack(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack that is up on the host, in a repository with one commit; it goes with its host."""
    stack = remote_project.create(tmp_path_factory.mktemp("prune"), made.of(1))
    git(stack, "init", "--quiet")
    commit(stack, "good")
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


def image_ids(stack: Project) -> set[str]:
    """Return the ids of what Friday's replicas run."""
    return {str(container.attrs["Image"]) for container in stack.containers("friday")}


def rolled_back(stack: Project, level: int) -> str:
    """Roll back under load, which may lose nothing; return what the command said."""
    with Load(stack, PER_SECOND, users=(7, 77), seconds=600) as load:
        said = stack.fridayctl("rollback", stack.stack, "--yes", "--level", str(level), seconds=600).text
    assert load.failures == []
    print(f"level {level}: 0 of {load.asked} failed")
    return said


@pytest.mark.timeout(1800)
def test_a_rollback_to_an_older_commit_brings_the_images_that_a_prune_removed(stack: Project, host: NestedHost) -> None:
    good = image_ids(stack)
    with (stack.root / "friday/service/prompts.py").open("a") as code:
        code.write("# another image\n")
    commit(stack, "bad")
    stack.configure({"rolloutPercentage": 100})
    stack.fridayctl("setup")
    stack.fridayctl("images", "push", stack.stack)
    stack.fridayctl("up", stack.stack)
    assert image_ids(stack) == {stack.engine.images.get(stack.images()["friday"]).id} != good
    prune(host)
    assert "a host lacks images of that commit: building and sending them" in rolled_back(stack, 4)
    assert image_ids(stack) == good


def test_what_a_prune_removed_without_a_gateway_comes_back_with_it(stack: Project, host: NestedHost) -> None:
    rolled_back(stack, 3)
    prune(host)
    assert stack.containers("redis") == []
    assert "images, " in rolled_back(stack, 2)
    assert len(stack.containers("redis")) == 1
    until(lambda: stack.chat(7).path == "litellm", "the gateway should answer its users", 90)


def test_a_stopped_part_that_a_prune_removed_does_not_hinder_the_quickest_rollback(
    stack: Project, host: NestedHost
) -> None:
    (exporter,) = stack.containers("redis-exporter")
    exporter.stop(timeout=1)
    prune(host)
    assert stack.containers("redis-exporter") == []
    assert "1 of 1 images" in rolled_back(stack, 1)
    assert stack.chat(7).path == "direct"
    assert len(stack.containers("redis-exporter")) == 1
