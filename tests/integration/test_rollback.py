"""Rollbacks of every level on a stack of their own, and commands that are killed half way."""

import io
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.catalogue import default_models
from components.edge import CLOSE_GATEWAY, SOCAT
from testing.project import Project
from testing.repository import commit, git
from tests.integration.load import Load

pytestmark = pytest.mark.engine

GOOD_ORDER = ["minimax-m3", "gemma-4-31b", "qwen3.8-27b"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Give a stack in a repository of its own: 10 % deployed first, then 50 %."""
    project = Project.create(Path(tmp_path_factory.mktemp("rollback")))
    git(project, "init", "--quiet")
    project.configure({"rolloutPercentage": 10, "fallbackOrder": GOOD_ORDER})
    commit(project, "ten")
    try:
        project.fridayctl("up", project.stack)
        project.configure({"rolloutPercentage": 50})
        project.fridayctl("up", project.stack)
        yield project
    finally:
        project.remove()


def through_the_gateway(project: Project, since: float) -> list[float]:
    """Return when, in epoch seconds after `since`, OpenRouter was asked with the gateway's key."""
    url = f"{project.simulator_url}/admin/requests"
    records = httpx.get(url, params={"since": since, "limit": 5000}, timeout=10).json()["requests"]
    return [record["time"] for record in records if record["account"] == "gateway"]


def percentage(project: Project) -> int:
    found: int = json.loads(project.fridayctl("status", project.stack, "--json").out)["deployed_percentage"]
    return found


def bring_to(project: Project, wanted: int) -> None:
    project.configure({"rolloutPercentage": wanted})
    project.fridayctl("up", project.stack)


def rollback(project: Project, *options: str, code: int = 0) -> str:
    return project.fridayctl("rollback", project.stack, "--yes", *options, code=code).text


def test_level_1_sends_nobody_to_the_gateway_once_it_is_closed_and_loses_no_request(stack: Project) -> None:
    with Load(stack, per_second=10) as load:
        time.sleep(1)
        done = json.loads(stack.fridayctl("rollback", stack.stack, "--level", "1", "--yes", "--json").out)
        ended = time.time()
        time.sleep(1)
    assert load.failures == []
    # Counted back from the end: the command's own seconds leave out how long Python took to start.
    closed = ended - (done["seconds"]["checked"] - done["seconds"]["closed"])
    assert ended - closed > 3
    # A second for what was on its way when the switch moved.
    assert [at for at in through_the_gateway(stack, closed + 1) if at < ended] == []
    # While the gateway is closed and users are still sent there, Friday falls back.
    assert {answer.path for answer in load.answers} >= {"litellm", "direct"}
    assert {answer.path for answer in load.answers} <= {"litellm", "fallback", "direct"}
    assert (percentage(stack), stack.chat(7).path) == (0, "direct")
    assert stack.settings["rolloutPercentage"] in (0, "0")
    assert "nothing to change" in stack.fridayctl("up", stack.stack).out


def test_level_2_restores_the_last_good_settings_together(stack: Project) -> None:
    """A bad update that changed models, their order, the percentage, an image and a time; all of it goes back."""
    bring_to(stack, 50)
    good, images, answered_by = settings(stack), images_of(stack, "litellm"), stack.chat(7).model
    config = gateway_config(stack)

    with another_image(stack, "litellm") as image:
        stack.configure(
            {
                "rolloutPercentage": 100,
                "models": models_with_another_first(),
                "fallbackOrder": GOOD_ORDER[::-1],
                "litellm": {**stack.settings["litellm"], "image": image},
                "router": {"cooldownSeconds": 33},
            }
        )
        stack.fridayctl("up", stack.stack)
        assert stack.chat(7).model != answered_by
        assert not images_of(stack, "litellm") & images
        assert gateway_config(stack) != config
        assert "50 %" in stack.fridayctl("rollback", stack.stack, "--list").out
        # Who asks while the gateway is closed must not keep the new replicas off it.
        with Load(stack, per_second=10) as load:
            rollback(stack, "--reason", "a trial")

    assert load.failures == []
    assert percentage(stack) == 50
    assert settings(stack) == good
    assert good["fallbackOrder"] == GOOD_ORDER
    assert images_of(stack, "litellm") == images
    assert gateway_config(stack) == config
    assert "nothing to change" in stack.fridayctl("up", stack.stack).out
    answer = stack.chat(7)
    assert (answer.path, answer.model) == ("litellm", answered_by)


def settings(project: Project) -> dict[str, Any]:
    """Return the stack file's settings; Pulumi writes a whole number as a text."""
    found = project.settings
    return {**found, "rolloutPercentage": int(found["rolloutPercentage"])}


def gateway_config(project: Project) -> str:
    """Return LiteLLM's configuration as a replica has it: models, their names and who stands in for whom."""
    return project.python_in("litellm", "print(open('/etc/friday/config.yaml').read())")


def images_of(project: Project, part: str) -> set[str]:
    return {container.attrs["Config"]["Image"] for container in project.containers(part)}


@contextmanager
def another_image(project: Project, part: str) -> Iterator[str]:
    """Make another image for a part for a while, which works as its own one does."""
    name = f"friday-litellm/other-{part}:{project.stack}"
    dockerfile = io.BytesIO(f"FROM {project.images()[part]}\nLABEL other-image-of={project.stack}\n".encode())
    project.engine.images.build(fileobj=dockerfile, tag=name, rm=True)
    try:
        yield name
    finally:
        project.engine.images.remove(name)


def models_with_another_first() -> list[dict[str, Any]]:
    """Return the default models, the names that Friday asks for given to the second one instead of the first."""
    first, second, *others = [model.model_dump(mode="json") for model in default_models()]
    second["aliases"] = [*second["aliases"], *first.pop("aliases")]
    return [first | {"aliases": []}, second, *others]


def test_what_was_rolled_back_is_not_offered_again(stack: Project) -> None:
    offered = json.loads(stack.fridayctl("rollback", stack.stack, "--list", "--json").out)
    assert offered
    assert 100 not in {entry["percentage"] for entry in offered}


def test_level_3_takes_the_gateway_away_and_the_edge_serves_on(stack: Project) -> None:
    edge = {container.id for container in stack.containers("edge")}
    with Load(stack, per_second=5) as load:
        rollback(stack, "--level", "3")
    assert load.failures == []
    assert stack.containers("litellm") == []
    assert {container.id for container in stack.containers("edge")} == edge
    assert stack.chat(7).path == "direct"
    stack.configure({"litellm": {"memoryMb": 640, "replicas": 2}, "litellmEnabled": True})
    stack.fridayctl("up", stack.stack)
    assert stack.chat(7).path == "litellm"


def test_an_up_that_changes_nothing_opens_what_a_killed_rollback_left_closed(stack: Project) -> None:
    [edge] = stack.containers("edge")
    switch = " ".join(SOCAT)
    edge.exec_run(["bash", "-c", f"printf '{CLOSE_GATEWAY.strip()}\\n' | {switch}"])
    assert stack.chat(7).path == "fallback"
    assert "nothing to change" in stack.fridayctl("up", stack.stack).out
    assert stack.chat(7).path == "litellm"


def test_level_4_deploys_the_code_of_the_recorded_commit(stack: Project) -> None:
    bring_to(stack, 10)
    commit(stack, "good")
    bring_to(stack, 50)  # a good update that the history records with this commit
    code = stack.root / "components" / "friday.py"
    code.write_text(code.read_text().replace("DRAIN_SECONDS = 2", "DRAIN_SECONDS = 3"))
    give_a_secret_that_older_code_does_not_know(stack)
    commit(stack, "bad")
    bring_to(stack, 100)
    assert drain_seconds(stack) == {"3"}
    before = code.read_text()
    rollback(stack, "--level", "4")
    assert drain_seconds(stack) == {"2"}
    assert percentage(stack) == 50
    assert code.read_text() == before
    assert git(stack, "worktree", "list").count("\n") == 0


def give_a_secret_that_older_code_does_not_know(stack: Project) -> None:
    code = stack.root / "components" / "settings" / "stack.py"
    text = code.read_text().replace('    "gatewayKey",\n', '    "gatewayKey",\n    "newKey",\n', 1)
    text = text.replace("    gateway_key: Secret\n", "    gateway_key: Secret\n    new_key: Secret | None = None\n", 1)
    code.write_text(text)
    stack.pulumi("config", "set", "--secret", "newKey", "a-value-of-the-test", "-s", stack.stack)


def drain_seconds(project: Project) -> set[str]:
    found = set()
    for container in project.containers("friday"):
        environment = dict(entry.split("=", 1) for entry in container.attrs["Config"]["Env"])
        found.add(environment["DRAIN_SECONDS"])
    return found


@pytest.mark.parametrize("victim", ["command", pytest.param("pulumi", marks=pytest.mark.slow)])
def test_a_killed_rollback_is_named_and_finished_by_the_next(stack: Project, victim: str) -> None:
    bring_to(stack, 60)
    process = stack.start("rollback", stack.stack, "--level", "1", "--yes")
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "starting friday" in line:
                break
        pulumi = children_named(process.pid, "pulumi")
        assert pulumi
        for pid in [process.pid, *pulumi] if victim == "command" else pulumi:
            os.kill(pid, signal.SIGKILL)
        process.wait(timeout=120)
    finally:
        process.kill()
    said = rollback(stack, "--level", "1")
    assert "was killed; its lock is freed" in said
    assert "rollback: level 1" in said
    assert (percentage(stack), stack.chat(7).path) == (0, "direct")
    assert "nothing to change" in stack.fridayctl("up", stack.stack).out


def children_named(parent: int, name: str) -> list[int]:
    """Return the processes below `parent` whose program is `name`."""
    found = []
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text().strip() == name:
            found.append(int(child))
        found += children_named(int(child), name)
    return found


def test_the_second_of_two_operators_is_told_who_holds_the_stack(stack: Project) -> None:
    stack.configure({"rolloutPercentage": 20})
    first = stack.start("up", stack.stack)
    try:
        assert first.stdout is not None
        for line in first.stdout:
            if "starting friday" in line:
                break
        said = stack.fridayctl("up", stack.stack, code=1).text
        assert "another update" in said
        assert "created by" in said
        first.stdout.read()
        assert first.wait(timeout=120) == 0
    finally:
        first.kill()
    assert percentage(stack) == 20


def test_a_state_is_kept_from_before_each_update(stack: Project) -> None:
    """Pulumi's file backend copies the state at each update's end: the newest copy is what the next one begins from."""
    folder = stack.root / ".state" / "pulumi" / ".pulumi" / "backups" / "friday-litellm" / stack.stack
    newest = max(folder.glob("*.json"))
    bring_to(stack, 30)
    kept = json.loads(newest.read_text())["checkpoint"]["latest"]["resources"]
    outputs = next(each["outputs"] for each in kept if each["type"] == "pulumi:pulumi:Stack")
    assert outputs["rolloutPercentage"] == 20
    assert max(folder.glob("*.json")) != newest


def test_there_is_nothing_to_go_back_to_before_the_first_update(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    project.fridayctl("setup", seconds=900)
    for level in ("1", "2", "3", "4"):
        said = project.fridayctl("rollback", project.stack, "--yes", "--level", level, code=2).text
        assert "nothing is deployed" in said
