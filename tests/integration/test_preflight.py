"""What preflight learns from the simulator, from history and from Pulumi's own refusals, on a stack that runs."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from testing.project import Project, Ran

pytestmark = [pytest.mark.engine, pytest.mark.beside]

MODEL = "google/gemma-4-31b-it:free"
DIRECT = "google/gemma-4-26b-a4b-it:free"
FREE = {"prompt": "0", "completion": "0"}


def refused(project: Project, variable: str, verb: str, *options: str) -> Ran:
    """Run a command that is refused in an environment with one more variable."""
    return project._run(["env", variable, "./fridayctl", verb, project.stack, *options], 2, 300)


def unhealthy(project: Project, code: int) -> dict[str, str]:
    """Return what preflight finds of each check that is not as it should be.

    The cgroup version is left out: it is the machine's that runs the tests.
    """
    document = json.loads(project.fridayctl("preflight", project.stack, "--json", code=code).out)
    assert document["ok"] is (code == 0)
    found = {each["name"]: each["found"] for each in document["checks"] if each["state"] in ("failed", "warning")}
    found.pop("cgroup", None)
    return found


@contextmanager
def simulated(project: Project, path: str, change: dict[str, Any], after: dict[str, Any]) -> Iterator[None]:
    """Change something of the simulator for a while. No reset: other tests look at its bill."""
    url = f"{project.simulator_url}/admin/{path}"
    httpx.patch(url, json=change, timeout=10).raise_for_status()
    try:
        yield
    finally:
        httpx.patch(url, json=after, timeout=10).raise_for_status()


def test_a_stack_that_runs_has_nothing_to_fear(project: Project) -> None:
    assert unhealthy(project, 0) == {}


@pytest.mark.parametrize(
    ("change", "after", "words"),
    [
        ({"id": MODEL, "retired": "no_endpoints"}, {"id": MODEL, "retired": None}, "is not in OpenRouter's catalogue"),
        (
            {"id": DIRECT, "pricing": {**FREE, "request": "0.001"}},
            {"id": DIRECT, "pricing": FREE},
            "friday.directModel): it costs money (request '0.001')",
        ),
    ],
)
def test_a_model_that_is_retired_or_has_a_price_fails_the_catalogue_alone(
    project: Project, change: dict[str, Any], after: dict[str, Any], words: str
) -> None:
    with simulated(project, "models", change, after):
        found = unhealthy(project, 2)
        assert list(found) == ["catalogue"]
        assert words in found["catalogue"]
        before = {container.id for container in project.everything()}
        ran = project.fridayctl("up", project.stack, code=2)
        assert words in ran.err
        assert "fix: replace it in models of" in ran.err
        promoted = project.fridayctl("promote", project.stack, "--yes", "--reason", "a trial", code=2)
        assert words in promoted.err
        assert {container.id for container in project.everything()} == before
        assert "nothing to change" in project.fridayctl("up", project.stack, "--offline").out


def test_a_model_that_goes_soon_is_told_and_hinders_nothing(project: Project) -> None:
    soon = {"id": MODEL, "expiration_date": str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5))}
    with simulated(project, "models", soon, {"id": MODEL, "expiration_date": None}):
        assert "in 5 days" in unhealthy(project, 0)["catalogue"]
        assert "warning   " in project.fridayctl("up", project.stack).out


def test_a_key_with_a_dollar_on_it_fails_alone(project: Project) -> None:
    with simulated(project, "accounts/friday-direct", {"usage": 0.05}, {"usage": 0}):
        found = unhealthy(project, 2)
    assert list(found) == ["key"]
    assert found["key"].startswith("fridayOpenrouterApiKey: OpenRouter has booked $0.05 on it")


def test_a_wrong_passphrase_is_one_message_and_changes_nothing(project: Project) -> None:
    file, before = project.file.read_text(), {container.id for container in project.everything()}
    for command in (["up"], ["rollback", "--yes", "--level", "1"], ["pause", "--reason", "x"], ["drift"]):
        ran = refused(project, "PULUMI_CONFIG_PASSPHRASE=wrong", *command)
        assert "the passphrase is not the one that this stack was encrypted with" in ran.err
        assert "fix: set PULUMI_CONFIG_PASSPHRASE" in ran.err
        assert "Traceback" not in ran.text
    checks = json.loads(refused(project, "PULUMI_CONFIG_PASSPHRASE=wrong", "preflight", "--json").out)["checks"]
    [failed] = [each for each in checks if each["state"] == "failed"]
    assert failed["found"] == "the passphrase is not the one that this stack was encrypted with"
    assert failed["fix"].startswith("set PULUMI_CONFIG_PASSPHRASE")
    assert project.file.read_text() == file
    assert {container.id for container in project.everything()} == before
    assert project.chat(7).path == "litellm"  # the rollback has opened the gateway again


@pytest.mark.parametrize("backend", ["file:///nowhere/at/all", "https://127.0.0.1:9"])
def test_a_backend_that_is_not_there_is_one_message_and_changes_nothing(project: Project, backend: str) -> None:
    file = project.file.read_text()
    variable = f"PULUMI_BACKEND_URL={backend}"
    for command in (["up"], ["status"], ["history"], ["promote", "--yes"], ["rollback", "--yes"]):
        ran = refused(project, variable, *command)
        assert f"the state of {project.stack} cannot be opened" in ran.err
        assert "fix: ./fridayctl setup" in ran.err
        assert "Traceback" not in ran.text
    checks = json.loads(refused(project, variable, "preflight", "--json").out)["checks"]
    assert [each["name"] for each in checks if each["state"] == "failed"] == ["rollback target"]
    assert project.file.read_text() == file
    assert project.chat(7).path == "litellm"


def test_an_update_whose_image_is_gone_is_marked_and_refused(project: Project) -> None:
    image = project.engine.images.get(project.images()["redis"])
    gone = f"friday-litellm/gone-{project.stack}:1"
    image.tag(gone)
    with project.configured(redis={**project.settings.get("redis", {}), "image": gone}, rolloutPercentage=60):
        project.fridayctl("up", project.stack)
    project.fridayctl("up", project.stack)
    project.engine.images.remove(gone)
    listed = json.loads(project.fridayctl("rollback", project.stack, "--list", "--json").out)
    assert listed[0]["percentage"] == 60
    assert gone in listed[0]["problem"]
    assert "cannot be restored: " in project.fridayctl("rollback", project.stack, "--list").out
    assert "could not be restored" in unhealthy(project, 0)["rollback target"]
    file = project.file.read_text()
    said = project.fridayctl("rollback", project.stack, "--yes", "--to", "1", code=2).err
    assert f"cannot be restored: unix:///var/run/docker.sock: image {gone}: " in said
    assert f"or ./fridayctl rollback {project.stack} --level" in said
    assert project.file.read_text() == file
    assert project.chat(7).path == "litellm"


def test_a_retired_model_is_listed_and_replaced_by_a_diff(project: Project) -> None:
    listed = json.loads(project.fridayctl("models", project.stack, "--json").out)
    assert {each["id"]: each["problem"] for each in listed}[MODEL] == ""
    change, after = {"id": MODEL, "retired": "no_endpoints"}, {"id": MODEL, "retired": None}
    with simulated(project, "models", change, after):
        assert "is not in OpenRouter's catalogue" in project.fridayctl("models", project.stack, code=1).out
        made = project.fridayctl("models", "suggest", project.stack)
        assert made.out.startswith(f"--- a/Pulumi.{project.stack}.yaml")
        assert f"openrouter/{MODEL}" in made.out
        assert "could take its place" in made.err
