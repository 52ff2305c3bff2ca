"""What is told of each command, to a receiver on this machine, and what the hooks around it may stop."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import main
from components.settings.stack import StackSettings
from ops.checks.preflight import run as preflight
from ops.checks.report import Check, Report, State
from ops.checks.verify import suite
from ops.commands import pause, restore, up
from ops.commands.up import UpRequest
from ops.errors import EXIT_FAILED, EXIT_USAGE, CheckError, OperationError
from ops.rollout.history import PERCENTAGE
from ops.stacks.pulumi_files import HeldError
from testing.receiver import Receiver, receiving
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import entry
from tests.unit.ops.notify.given import script
from tests.unit.ops.promotion import BROKEN, World, run


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Give a receiver of every event, and a folder of stack files without a hook."""
    monkeypatch.setattr("ops.deployment.STACKS", tmp_path)
    with receiving(Receiver()) as made:
        yield made


def telling(receiver: Receiver, **changes: Any) -> StackSettings:
    return settings(notify={"webhook": {"url": receiver.url}}, **changes)


def told(receiver: Receiver) -> list[dict[str, Any]]:
    found = sorted((json.loads(body) for body in receiver.bodies), key=lambda each: str(each["at"]))
    return [{name: each[name] for name in ("event", "result", "from", "to")} for each in found]


def event(name: str, result: str, before: int | None, to: int | None) -> dict[str, Any]:
    return {"event": name, "result": result, "from": before, "to": to}


@pytest.fixture
def rollout(world: World, receiver: Receiver) -> World:
    world.settings = telling(receiver)
    world.played.given(decrypted_settings=world.settings, settings=world.settings)
    return world


def test_a_step_is_told(rollout: World, receiver: Receiver) -> None:
    assert run() == 0
    assert told(receiver) == [event("step", "done", 10, 50)]
    message = json.loads(receiver.bodies[0])
    assert message["what"] == "10 -> 50 % of users go through LiteLLM; watched for 300 s"
    assert message["why"].startswith("promote: 10 -> 50 %, all gates passed")
    assert message["next"] == "./fridayctl status t"


def test_a_receiver_that_is_down_fails_no_step_and_no_way_back(
    rollout: World, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 500
    assert run() == 0
    assert "webhook was not told: it answered 500" in capsys.readouterr().out


def test_a_step_that_is_taken_back_is_told_with_the_gates_words(rollout: World, receiver: Receiver) -> None:
    rollout.update_fails = BROKEN
    assert run() == 1
    assert told(receiver) == [event("abort", "done", 50, 10)]
    assert json.loads(receiver.bodies[0])["why"] == "the update failed"


@pytest.mark.parametrize(
    "error", [CheckError("users are not answered", "look"), OperationError("no room", "make room")]
)
def test_going_back_that_fails_is_told(
    error: OperationError, rollout: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise error

    rollout.update_fails = BROKEN
    monkeypatch.setattr(restore, "make_last", fails)
    assert run() == 1
    assert told(receiver) == [event("abort", "failed", 50, 10)]
    assert json.loads(receiver.bodies[0])["why"] == f"the update failed; then: {error.message}"


def test_a_step_that_the_gates_refuse_is_told_and_a_dry_run_is_not(rollout: World, receiver: Receiver) -> None:
    assert main(["promote", "t", "--dry-run"]) == 3
    assert receiver.got == []
    assert main(["promote", "t", "--yes"]) == 3
    assert told(receiver) == [event("hold", "done", 10, 10)]
    assert "complaints inconclusive" in json.loads(receiver.bodies[0])["why"]


def test_hooks_run_around_a_step_and_not_in_a_dry_run(rollout: World, receiver: Receiver, tmp_path: Path) -> None:
    for name in ("pre-promote", "post-promote"):
        script(
            tmp_path / "hooks" / name, f'echo "$FRIDAY_EVENT $FRIDAY_RESULT $FRIDAY_FROM $FRIDAY_TO" >> {tmp_path}/ran'
        )
    assert run("--dry-run") == 0
    assert not (tmp_path / "ran").exists()
    assert run() == 0
    assert (tmp_path / "ran").read_text() == "pre-promote begins 10 50\npost-promote done 10 50\n"
    assert len(receiver.got) == 1


def test_a_hook_that_refuses_stops_the_step_before_anything_changes(
    rollout: World, receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script(tmp_path / "hooks" / "pre-promote", "echo the freeze is on", "exit 4")
    script(tmp_path / "hooks" / "post-promote", f"touch {tmp_path}/ran")
    assert run() == EXIT_FAILED
    assert "pre-promote | the freeze is on" in capsys.readouterr().err
    assert (rollout.file, rollout.moves, len(rollout.entries)) == ({PERCENTAGE: "10"}, [], 2)
    assert told(receiver) == [event("hold", "done", 10, 10)]
    assert not (tmp_path / "ran").exists()


def test_the_hook_after_a_step_that_could_not_be_taken_back_runs(
    rollout: World, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise OperationError("no room", "make room")

    rollout.update_fails = BROKEN
    monkeypatch.setattr(restore, "make_last", fails)
    script(tmp_path / "hooks" / "post-promote", f'echo "$FRIDAY_RESULT $FRIDAY_WHY" > {tmp_path}/ran')
    assert run() == 1
    assert (tmp_path / "ran").read_text() == "failed no room\n"


def test_a_pause_and_its_end_are_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [entry(1, 50)]
    chosen = telling(receiver)
    played = Played(lambda: chosen).given(stack=object(), decrypted_settings=chosen)
    played.given(history=entries)
    played.everywhere(monkeypatch)
    monkeypatch.setattr(pause, "look_ahead", lambda *_: [])
    monkeypatch.setattr(pause, "update", lambda _, message, __: entries.insert(0, entry(0, 50, message)))
    assert main(["pause", "t", "--reason", "holidays"]) == 0
    assert main(["resume", "t"]) == 0
    assert told(receiver) == [event("pause", "done", 50, 50)] * 2
    words = [json.loads(body) for body in receiver.bodies]
    assert (words[0]["what"], words[0]["why"]) == ("the rollout is paused at 50 %", "holidays")
    assert words[1]["what"] == "the rollout may go on from 50 %"


@pytest.mark.parametrize(("command", "code"), [("verify", 1), ("preflight", EXIT_USAGE)])
@pytest.mark.parametrize("attended", [False, True])
def test_failed_checks_are_told_when_nobody_reads_along(
    command: str, code: int, attended: bool, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = telling(receiver)
    Played(lambda: chosen).given(decrypted_settings=chosen).everywhere(monkeypatch)
    checks = [Check("files", "", State.FAILED, "x differs", "fix", part="edge"), Check("disk", "h1", State.OK, "")]
    report = Report("t", [*checks, *(Check(f"n{number}", "", State.FAILED, "y") for number in range(6))])
    monkeypatch.setattr(suite, "verify", lambda _: report)
    monkeypatch.setattr(preflight, "examine", lambda _: SimpleNamespace(report=report))
    monkeypatch.setattr(f"cli.{command}.is_unattended", lambda: not attended)
    assert main([command, "t"]) == code
    assert told(receiver) == ([] if attended else [event("check", "failed", None, None)])
    if not attended:
        words = json.loads(receiver.bodies[0])
        assert words["what"] == f"{command}: 7 of 8 checks failed: edge files, n0, n1, n2, n3 and 2 more"
        assert (words["why"], words["next"]) == ("x differs", f"./fridayctl {command} t")


def test_checks_that_cannot_be_made_are_told_and_a_sound_stack_is_not(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_: Any) -> None:
        raise OperationError("ssh://a: no route to host", "look at it")

    chosen = telling(receiver)
    Played(lambda: chosen).given(decrypted_settings=chosen).everywhere(monkeypatch)
    monkeypatch.setattr("cli.verify.is_unattended", lambda: True)
    monkeypatch.setattr(suite, "verify", lambda _: Report("t", []))
    assert main(["verify", "t"]) == 0
    assert receiver.got == []
    monkeypatch.setattr(suite, "verify", lost)
    assert main(["verify", "t"]) == 1
    assert json.loads(receiver.bodies[0])["why"] == "ssh://a: no route to host"


class Up:
    """An `up` of a stack at 10 % whose file says 50; `fails` is what its update ends with."""

    def __init__(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        chosen = telling(receiver, rolloutPercentage=50)
        self.history = [entry(1, 10)]
        self.fails: OperationError | None = None
        self.updates = 0
        self.played = Played(lambda: chosen).given(stack=object(), decrypted_settings=chosen, history=self.history)
        self.played.everywhere(monkeypatch)
        for name in ("require_one_engine", "ensure_for", "_make_sure"):
            monkeypatch.setattr(up, name, lambda *_: None)
        monkeypatch.setattr(up, "_update", self.update)

    def update(self, *_: Any) -> up.Up:
        self.updates += 1
        if self.fails:
            raise self.fails
        return up.Up(0, {"fridayUrl": "http://f", "gatewayUrl": "http://g"}, [])


@pytest.fixture
def upped(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Up:
    return Up(receiver, monkeypatch)


def test_another_percentage_by_up_is_a_step_and_the_same_one_is_none(upped: Up, receiver: Receiver) -> None:
    assert main(["up", "t"]) == 0
    assert told(receiver) == [event("step", "done", 10, 50)]
    upped.history[:] = [entry(0, 50)]
    assert main(["up", "t"]) == 0
    upped.history.clear()
    assert main(["up", "t"]) == 0
    assert len(receiver.got) == 1


def test_a_failed_up_is_told_with_its_hook_and_one_that_changed_nothing_is_not(
    upped: Up, receiver: Receiver, tmp_path: Path
) -> None:
    script(tmp_path / "hooks" / "post-up", f'echo "$FRIDAY_RESULT $FRIDAY_FROM $FRIDAY_TO" >> {tmp_path}/ran')
    upped.fails = HeldError("another update of t is going on", "wait")
    assert main(["up", "t"]) == 1
    upped.fails = OperationError("no room", "make room", EXIT_USAGE)
    assert main(["up", "t"]) == EXIT_USAGE
    assert (receiver.got, (tmp_path / "ran").exists()) == ([], False)
    upped.fails = OperationError("the update of t failed", "fix it")
    assert main(["up", "t"]) == 1
    assert told(receiver) == [event("step", "failed", 10, 50)]
    assert (tmp_path / "ran").read_text() == "failed 10 50\n"


def test_a_hook_that_refuses_stops_an_up(upped: Up, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "pre-up", "exit 1")
    assert main(["up", "t"]) == EXIT_FAILED
    assert upped.updates == 0


@pytest.mark.parametrize("request_", [UpRequest("fix: edge"), UpRequest("rollback: level 4", by_operator=True)])
def test_no_hook_stops_what_only_brings_back(request_: UpRequest, upped: Up, tmp_path: Path) -> None:
    script(tmp_path / "hooks" / "pre-up", "exit 1")
    up.bring_up(upped.played, request_)
    assert upped.updates == 1


def test_a_lock_met_on_the_way_back_is_not_one_that_a_promotion_begins_again_after(
    rollout: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: Any) -> None:
        raise HeldError("another update of t is going on", "wait")

    rollout.update_fails = BROKEN
    monkeypatch.setattr(restore, "make_last", held)
    assert run("--wait", "60") == 1
    assert told(receiver) == [event("abort", "failed", 50, 10)]
    assert len(rollout.entries) == 3
