"""Rollbacks of every level on a stack of their own, and commands that are killed half way."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.edge import CLOSE_GATEWAY, SOCAT
from testing.project import Project
from testing.receiver import Receiver, receiving
from testing.record import Record, Recorder
from testing.repository import commit, git
from tests.integration.load import Load
from tests.integration.rollbacks import (
    another_image,
    bring_to,
    children_named,
    drain_seconds,
    gateway_config,
    give_a_secret_that_older_code_does_not_know,
    images_of,
    models_with_another_first,
    percentage,
    rollback,
    settings,
    through_the_gateway,
)

pytestmark = pytest.mark.engine

PER_SECOND = 20
GOOD_ORDER = ["minimax-m3", "gemma-4-31b", "qwen3.8-27b"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Give a stack in a repository of its own: 10 % deployed first, then 50 %."""
    project = Project.create(Path(tmp_path_factory.mktemp("rollback")))
    git(project, "init", "--quiet")
    project.configure({"rolloutPercentage": 10, "fallbackOrder": GOOD_ORDER})
    commit(project, "ten")
    with project.deployed():
        project.configure({"rolloutPercentage": 50})
        project.fridayctl("up", project.stack)
        yield project


def test_level_1_sends_nobody_to_the_gateway_once_it_is_closed_and_loses_no_request(
    stack: Project, record: Recorder
) -> None:
    with Load(stack, per_second=PER_SECOND) as load:
        time.sleep(1)
        began = time.time()
        done = json.loads(stack.fridayctl("rollback", stack.stack, "--level", "1", "--yes", "--json").out)
        ended = time.time()
        time.sleep(1)
    last = max(through_the_gateway(stack, began), default=began)
    record(
        Record(
            group="rollback",
            name=f"rollback of level 1, at {PER_SECOND} chats a second by users of the gateway",
            tried=load.asked,
            failed=len(load.failures),
            seconds=ended - began,
            figures={
                "gateway closed after, seconds": round(done["seconds"]["closed"], 2),
                "last call of the gateway after the command began, seconds": round(last - began, 2),
            },
        )
    )
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


def test_the_second_of_two_operators_is_told_who_holds_the_stack(stack: Project) -> None:
    stack.configure({"rolloutPercentage": 20})
    first = stack.start("up", stack.stack)
    try:
        assert first.stdout is not None
        for line in first.stdout:
            if "starting friday" in line:
                break
        (lock,) = (stack.root / ".state").rglob(f"locks/*/friday-litellm/{stack.stack}/*.json")
        content = json.loads(lock.read_text())
        said = stack.fridayctl("up", stack.stack, code=1).text
        assert "another update" in said
        assert "created by" in said
        first.stdout.read()
        assert first.wait(timeout=120) == 0
    finally:
        first.kill()
    assert percentage(stack) == 20
    waits_for_such_a_lock(stack, lock, content)


def waits_for_such_a_lock(stack: Project, lock: Path, content: dict[str, Any]) -> None:
    """Let a command wait for a lock as Pulumi has written it, here of this process, until it is gone."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({**content, "pid": os.getpid()}))
    waiting = stack.start("up", stack.stack, "--wait", "600")
    try:
        assert waiting.stdout is not None
        for line in waiting.stdout:
            if "is held by" in line:
                assert f"{content['username']}@{content['hostname']}, process {os.getpid()}, since 20" in line
                lock.unlink()
                break
        said = waiting.stdout.read()
        assert "is free after" in said
        assert "nothing to change" in said
        assert waiting.wait(timeout=120) == 0
    finally:
        waiting.kill()
        lock.unlink(missing_ok=True)


def test_a_state_is_kept_from_before_each_update(stack: Project) -> None:
    """Pulumi's file backend copies the state at each update's end: the newest copy is what the next one begins from."""
    folder = stack.root / ".state" / "pulumi" / ".pulumi" / "backups" / "friday-litellm" / stack.stack
    newest = max(folder.glob("*.json"))
    bring_to(stack, 30)
    kept = json.loads(newest.read_text())["checkpoint"]["latest"]["resources"]
    outputs = next(each["outputs"] for each in kept if each["type"] == "pulumi:pulumi:Stack")
    assert outputs["rolloutPercentage"] == 20
    assert max(folder.glob("*.json")) != newest


def test_who_has_to_know_is_told_and_the_address_stays_a_secret(stack: Project) -> None:
    bring_to(stack, 10)
    ran = stack.root / "ran"
    hook = stack.root / "hooks" / "post-rollback"
    hook.parent.mkdir()
    hook.write_text(f'#!/bin/sh\nprintf "%s" "$FRIDAY_STACK $FRIDAY_FROM $FRIDAY_TO" > {ran}\n')
    hook.chmod(0o755)
    with receiving(Receiver()) as receiver:
        stack.pulumi("config", "set", "--secret", "--path", "notify.webhook.url", receiver.url, "-s", stack.stack)
        stack.fridayctl("notify", "test", stack.stack)
        bring_to(stack, 50)
        rollback(stack, "--level", "1", "--reason", "slow", "--wait", "60")
    told = [json.loads(body) for body in receiver.bodies]
    assert [(each["event"], each["from"], each["to"]) for each in told] == [
        ("test", None, None),
        ("step", 10, 50),
        ("rollback", 50, 0),
    ]
    assert (told[2]["result"], told[2]["why"], ran.read_text()) == ("done", "slow", f"{stack.stack} 50 0")
    # What is told is the operator's: a rollback leaves it there, and nobody reads the address anywhere.
    assert "notify" in stack.settings
    history = stack.fridayctl("history", stack.stack, "--json").out
    assert receiver.url not in stack.file.read_text() + history
    assert [path for path in (stack.root / ".state").rglob("*.json") if receiver.url in path.read_text()] == []


def test_testers_are_on_the_gateway_at_0_percent_until_a_rollback(stack: Project) -> None:
    stack.configure({"rolloutPercentage": 0, "testers": [70]})
    assert "user 70: litellm" in stack.fridayctl("up", stack.stack).text
    assert (stack.chat(70).path, stack.chat(7).path) == ("litellm", "direct")
    assert "0 % of users and 1 tester through LiteLLM" in stack.fridayctl("status", stack.stack).text
    rollback(stack, "--level", "1")
    assert stack.chat(70).path == "direct"
    assert "testers" not in stack.settings


def test_there_is_nothing_to_go_back_to_before_the_first_update(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    project.fridayctl("setup", seconds=900)
    for level in ("1", "2", "3", "4"):
        said = project.fridayctl("rollback", project.stack, "--yes", "--level", level, code=2).text
        assert "nothing is deployed" in said
