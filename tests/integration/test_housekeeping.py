"""What others do on a Docker host at night, and what users notice of it: nothing."""

import json
import subprocess
import time

import pytest

from testing.meanwhile import timed
from testing.project import Project
from testing.record import Record, Recorder
from tests.integration.load import Load

pytestmark = pytest.mark.engine

PER_SECOND = 5
MANY_PER_SECOND = 20


def ids(project: Project, part: str) -> set[str | None]:
    return {container.id for container in project.containers(part)}


def test_after_a_nightly_prune_a_new_percentage_loses_no_request(project: Project, record: Recorder) -> None:
    """The containers that only hold files never run, so `docker container prune` takes all of them."""
    edge = ids(project, "edge")
    ours = f"label=friday-litellm.stack={project.stack}"
    subprocess.run(["docker", "container", "prune", "--force", "--filter", ours], check=True, capture_output=True)

    checks = json.loads(project.fridayctl("verify", project.stack, "--json", code=1).out)["checks"]
    failed = [check for check in checks if check["ok"] is False]
    parts = {container.labels["friday-litellm.part"] for container in project.containers()} - {"edge-ports"}
    assert {check["part"] for check in failed} == parts
    assert all("-files-" in problem and "drift" in problem for check in failed for problem in check["problems"])

    percentage = (int(project.settings["rolloutPercentage"]) + 10) % 100
    with project.configured(rolloutPercentage=percentage), Load(project, per_second=MANY_PER_SECOND) as load:
        took = timed(lambda: project.fridayctl("up", project.stack))
        time.sleep(1)
    record(
        Record(
            group="change",
            name=f"after a prune the percentage changes at {MANY_PER_SECOND} chats a second",
            tried=load.asked,
            failed=len(load.failures),
            seconds=took,
        )
    )
    assert load.failures == []
    assert len(load.answers) > MANY_PER_SECOND
    assert ids(project, "edge") == edge
    project.fridayctl("up", project.stack)
    assert project.fridayctl("verify", project.stack, "--quiet").text == ""
    assert "no drift" in project.fridayctl("drift", project.stack).out


def test_a_fix_of_changed_fridays_removes_none_that_serves(project: Project) -> None:
    before = ids(project, "friday")
    for friday in project.containers("friday"):
        friday.update(mem_limit="300m", memswap_limit="300m")
    with Load(project, per_second=PER_SECOND) as load:
        ran = project.fridayctl("drift", project.stack, "--fix")
        time.sleep(1)
    assert "memory is 300" in ran.out
    assert load.failures == []
    assert ids(project, "friday") == before
    assert "no drift" in project.fridayctl("drift", project.stack).out


def test_an_image_that_was_built_again_replaces_beside_what_serves(project: Project) -> None:
    """The same tag with another id, as after `docker image rm` and a new build: nothing in the stack file changed."""
    before, reference = ids(project, "friday"), project.images()["friday"]
    image = project.engine.images.get(reference)
    again = None
    scratch = project.engine.containers.create(reference, "true")
    try:
        again = scratch.commit(*reference.split(":"), changes=["LABEL friday-litellm.test=built-again"])
        with Load(project, per_second=PER_SECOND) as load:
            project.pulumi("up", "-s", project.stack, "--refresh", "--yes", "--skip-preview", "--suppress-progress")
            time.sleep(1)
        assert load.failures == []
        assert not ids(project, "friday") & before
    finally:
        scratch.remove()
        image.tag(*reference.split(":"))
        project.pulumi("up", "-s", project.stack, "--refresh", "--yes", "--skip-preview", "--suppress-progress")
        if again:
            project.engine.images.remove(str(again.id))
