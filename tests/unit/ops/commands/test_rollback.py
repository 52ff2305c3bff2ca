"""A rollback from request to exit code, with Pulumi, the hosts and the edges played."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import main
from ops.checks import answers, rollback_target
from ops.commands import push_images, restore
from ops.errors import EXIT_USAGE, CheckError, OperationError
from ops.hosts import images
from ops.rollout.history import ENABLED, PERCENTAGE
from ops.stacks import worktree
from ops.stacks.pulumi_files import HeldError
from testing.receiver import Receiver, receiving
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import entry
from tests.unit.ops.notify.given import script

LITELLM = "friday-litellm:litellm"
UNHEALTHY = "friday-t-redis-1: exited, exit code 137"


def no_room() -> OperationError:
    return OperationError("no space left for the state of t", "make room there", EXIT_USAGE)


def broken() -> OperationError:
    return OperationError("the update of t failed", "fix it")


class World:
    """A stack at 50 %, 10 % before that. `fails` are the errors of the next updates, None for one that goes well."""

    name = "t"

    def __init__(self, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
        self.file = file
        self.entries = [entry(1, 50, commit="a" * 40), entry(2, 10, commit="b" * 40)]
        self.fails: list[OperationError | None] = []
        self.is_made = False
        self.has = {"friday-t-friday-1"}
        self.edge_fails: set[str] = set()
        self.unhealthy: list[str] = []
        self.asked: list[tuple[str, int]] = []
        self.further: dict[str, Any] = {}
        self.moves: list[str] = []
        self.write(self.entries[0].config)
        self.played = played = Played(self.read_settings).with_hosts(self).given(stack=self, switch=self)
        played.entries = lambda: list(self.entries)
        played.everywhere(monkeypatch)
        for name in ("deploy", "settings_of"):
            monkeypatch.setattr(restore, name, getattr(self, name))
        monkeypatch.setattr(restore, "stack_file", lambda _: self.file)
        monkeypatch.setattr(restore, "write_settings", lambda _, wanted, __: self.write(wanted))
        self.lacks: list[str] = []
        self.sends: Any = lambda *_: None
        shelf = SimpleNamespace(
            fetch=lambda *_: None, to_send=lambda _: self.lacks, lacked=lambda _: self.lacks, hosts=["far"]
        )
        monkeypatch.setattr(rollback_target, "shelf_of", lambda _: shelf)
        monkeypatch.setattr(push_images, "send", lambda *given: self.sends(*given[1:]))
        monkeypatch.setattr(rollback_target, "require", lambda *_: None)
        monkeypatch.setattr(worktree, "require", lambda commit: commit)
        monkeypatch.setattr(worktree, "deploy_from", self.deploy_from)
        monkeypatch.setattr(answers, "users_are_safe", lambda *_: self.unhealthy)
        monkeypatch.setattr(answers, "ask_around", self.ask_around)
        monkeypatch.setattr(answers, "has_no_redis", lambda _: any("redis" in each for each in self.unhealthy))

    def write(self, config: Any) -> None:
        self.file.write_text(json.dumps(dict(config)))

    def settings_of(self, _: Any) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.file.read_text())
        return found

    def read_settings(self) -> Any:
        said = self.settings_of(None)
        enabled = said.get(ENABLED, "true") == "true"
        return settings(rolloutPercentage=int(said[PERCENTAGE]), litellmEnabled=enabled, **self.further)

    def outputs(self) -> dict[str, Any]:
        instances = {"friday": ["friday-t-friday-1"]}
        exported = {"fridayUrl": "http://of-that-commit", "instances": instances}
        return {name: SimpleNamespace(value=value) for name, value in exported.items()}

    def names(self, _: str) -> set[str]:
        return self.has

    def deploy(self, _: Any, message: str) -> None:
        self._update(message, self.settings_of(None))

    def deploy_from(self, *given: Any, sends_images: bool) -> None:
        step = given[-2]
        self.sent_by_its_code = sends_images
        self._update(step.message, step.config)

    def _update(self, message: str, config: Any) -> None:
        error = self.fails.pop(0) if self.fails else None
        if error is None or self.is_made:
            self.moves.append("update")
            self.entries.insert(0, entry(0, 0, message).model_copy(update={"config": dict(config)}))
        if error:
            raise error

    def ask_around(self, friday: answers.Friday, _: Any, percentage: int, *, fallback_counts: bool) -> list[Any]:
        self.fallback_counts = fallback_counts
        self.asked.append((friday.url, percentage))
        self.friday = friday
        return []

    def close(self) -> None:
        self._move("close")

    def open(self) -> None:
        self._move("open")

    def _move(self, move: str) -> None:
        if move in self.edge_fails:
            raise OperationError("no edge runs", "look")
        self.moves.append(move)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(monkeypatch, tmp_path / "Pulumi.t.yaml")


def run(level: int, *options: str) -> int:
    return main(["rollback", "t", "--yes", "--level", str(level), *options])


@pytest.mark.parametrize(("level", "percentage", "updates"), [(1, 0, 1), (2, 10, 1), (3, 0, 2)])
def test_the_gateway_is_closed_until_the_updates_are_made(
    played: World, level: int, percentage: int, updates: int
) -> None:
    assert run(level) == 0
    assert played.moves == ["close", *["update"] * updates, "open"]
    assert [each for _, each in played.asked] == [percentage]
    assert played.settings_of(None) == played.entries[0].config


@pytest.mark.parametrize("level", [1, 2, 3])
def test_what_a_remote_host_lacks_is_sent_before_the_first_update(played: World, level: int) -> None:
    played.further = {"dockerHost": "ssh://ops@far"}
    played.lacks = ["friday-litellm/litellm:1"]
    played.sends = lambda wanted, hosts: played.moves.append(f"send {wanted} to {hosts}")
    assert run(level) == 0
    assert played.moves[:3] == ["close", "send ['friday-litellm/litellm:1'] to ['far']", "update"]
    assert len([each for each in played.moves if each.startswith("send")]) == 1


def test_an_image_that_cannot_be_sent_stops_what_restores_and_not_what_takes_users_off(
    played: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(*_: object) -> None:
        raise OperationError("far: too little disk", "free some", EXIT_USAGE)

    played.further = {"dockerHost": "ssh://ops@far"}
    played.lacks, played.sends = ["friday-litellm/litellm:1"], refuses
    assert run(2) == EXIT_USAGE
    assert played.moves == ["close", "open"]
    said = capsys.readouterr()
    assert "open at the edge again: nothing was changed" in said.out
    assert "too little disk" in said.err
    assert run(1) == 0
    assert played.moves[2:] == ["close", "update", "open"]
    assert "far: too little disk; going on without" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("host", "builds", "sends"),
    [("ssh://ops@far", True, True), ("ssh://ops@far", False, False), ("unix:///var/run/docker.sock", True, False)],
)
def test_another_commit_sends_its_own_images_where_they_can_be_built(
    played: World, monkeypatch: pytest.MonkeyPatch, host: str, builds: bool, sends: bool
) -> None:
    monkeypatch.setattr(images, "builder_here", lambda: object() if builds else None)
    played.further = {"dockerHost": host}
    assert run(4) == 0
    assert played.sent_by_its_code is sends


def test_what_is_unhealthy_is_named_with_the_next_command_and_fails_nothing(
    played: World, capsys: pytest.CaptureFixture[str]
) -> None:
    played.unhealthy = [UNHEALTHY]
    assert run(1) == 0
    said = capsys.readouterr().out
    assert f"unhealthy {UNHEALTHY}; users are answered without it" in said
    assert "next      ./fridayctl logs t" in said
    assert played.fallback_counts, "without Redis a new gateway makes no calls for a minute"
    assert run(1, "--json") == 0
    assert json.loads(capsys.readouterr().out)["unhealthy"] == [UNHEALTHY]


def test_users_who_are_not_answered_are_a_failure(
    played: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(*_: object) -> None:
        raise CheckError("t: no container of litellm is healthy", "look")

    monkeypatch.setattr(answers, "users_are_safe", lacking)
    assert run(2) == 1
    assert "no container of litellm is healthy" in capsys.readouterr().err
    assert played.settings_of(None)[PERCENTAGE] == "10"


def test_an_edge_that_is_gone_is_a_failure_once_the_update_is_made(played: World) -> None:
    played.edge_fails = {"close", "open"}
    assert run(1) == 1
    assert played.moves == ["update"]


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_refused_update_leaves_everything_as_it_was(played: World, level: int) -> None:
    said = played.file.read_bytes()
    played.fails = [no_room()]
    assert run(level) == EXIT_USAGE
    assert played.file.read_bytes() == said
    assert played.moves == ["close", "open"]


def test_a_second_step_that_is_refused_leaves_the_first(played: World, capsys: pytest.CaptureFixture[str]) -> None:
    played.fails = [None, no_room()]
    assert run(3) == 1
    assert "make room there" in capsys.readouterr().err
    assert played.settings_of(None) == played.entries[0].config
    assert played.settings_of(None)[ENABLED] == "false"
    assert LITELLM not in played.settings_of(None)
    assert played.moves == ["close", "update"]


def test_an_update_that_fails_keeps_the_gateway_closed_and_what_it_was_to_bring(played: World) -> None:
    played.fails = [broken()]
    assert run(1) == 1
    assert played.settings_of(None)[PERCENTAGE] == "0"
    assert played.moves == ["close"]


def test_who_meets_another_update_leaves_the_file_to_it_and_the_gateway_closed(played: World) -> None:
    said = played.file.read_bytes()
    played.fails = [HeldError("another update of t is going on", "wait for it")]
    assert run(1) == 1
    assert played.file.read_bytes() == said
    assert played.moves == ["close"]


def test_a_gateway_that_was_not_closed_is_not_opened_by_a_refusal(played: World) -> None:
    played.edge_fails, played.fails = {"close"}, [no_room()]
    assert run(1) == EXIT_USAGE
    assert played.moves == []


def test_an_edge_that_is_lost_meanwhile_does_not_hide_the_refusal(
    played: World, capsys: pytest.CaptureFixture[str]
) -> None:
    played.edge_fails, played.fails = {"open"}, [no_room()]
    assert run(1) == EXIT_USAGE
    said = capsys.readouterr()
    assert "no space left" in said.err
    assert "could not be opened again (no edge runs)" in said.out


def test_a_stack_file_that_cannot_be_put_back_does_not_hide_why_it_was_to_be(
    played: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def put(*_: object) -> None:
        raise OperationError("/checkout cannot be written", "make room there", EXIT_USAGE)

    monkeypatch.setattr(restore, "put", put)
    played.fails = [no_room()]
    assert run(1) == EXIT_USAGE
    said = capsys.readouterr().err
    assert said.startswith("fridayctl: no space left for the state of t\n/checkout cannot be written\n")


def test_nothing_to_go_back_to_opens_the_gateway_again(played: World) -> None:
    played.entries = []
    assert run(2) == EXIT_USAGE
    assert played.moves == ["close", "open"]


@pytest.mark.parametrize("fails", [[], [broken()]])
def test_level_4_asks_users_of_the_other_code_also_when_that_finds_something_unhealthy(
    played: World, fails: list[OperationError | None]
) -> None:
    said = played.file.read_bytes()
    played.fails, played.is_made = fails, True
    assert run(4) == 0
    assert played.asked == [("http://of-that-commit", 10)]
    assert (played.friday.chat_path, played.friday.as_set) == ("/api/chat", False)
    assert played.file.read_bytes() == said
    assert played.moves == ["close", "update", "open"]


def test_an_image_that_another_commit_deployed_is_not_asked_for_a_chat(played: World) -> None:
    own = {"friday-litellm:friday": '{"image": "registry.example/friday@sha256:0123456789"}'}
    played.entries[1] = entry(2, 10, commit="b" * 40, config=own)
    assert run(4) == 0
    assert (played.friday.chat_path, played.friday.as_set) == (None, False)


@pytest.mark.parametrize(("is_made", "has"), [(False, {"friday-t-friday-1"}), (True, {"friday-t-friday-0"})])
def test_level_4_fails_with_an_update_of_the_other_code_that_is_not_made_or_does_not_hold(
    played: World, is_made: bool, has: set[str]
) -> None:
    played.fails, played.is_made, played.has = [broken()], is_made, has
    assert run(4) == 1
    assert "open" not in played.moves


@pytest.mark.parametrize("fails", [False, True])
def test_a_rollback_is_told_and_its_hook_run_when_it_is_over(
    fails: bool, played: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ops.deployment.STACKS", tmp_path)
    script(tmp_path / "hooks" / "post-rollback", f'echo "$FRIDAY_RESULT $FRIDAY_TO" > {tmp_path}/ran', "exit 1")
    played.fails = [broken()] if fails else []
    with receiving(Receiver(status=500)) as receiver:
        chosen = settings(notify={"webhook": {"url": receiver.url}}, rolloutPercentage=50)
        monkeypatch.setattr(played.played, "_chosen", lambda: chosen)
        played.played.given(decrypted_settings=chosen)
        assert run(1, "--reason", "slow") == int(fails)
        told = json.loads(receiver.bodies[0])
    assert (told["event"], told["result"]) == ("rollback", "failed" if fails else "done")
    assert (told["from"], told["to"]) == ((None, None) if fails else (50, 0))
    assert told["why"] == ("the update of t failed" if fails else "slow")
    assert (tmp_path / "ran").read_text() == ("failed \n" if fails else "done 0\n")
    said = capsys.readouterr().out
    assert "webhook was not told: it answered 500" in said
    assert "hooks/post-rollback failed with exit code 1; what was done stays as it is" in said


def test_the_gateway_is_closed_while_another_update_is_waited_for_and_again_after_it(
    played: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: played.moves.append("wait"))
    monkeypatch.setattr(played.played, "begin_again", lambda: played.moves.append("forget"))
    played.fails = [HeldError("another update of t is going on", "wait", details="created by anna@ops1")]
    assert run(1, "--wait", "60") == 0
    assert played.moves == ["close", "wait", "forget", "close", "update", "open"]
    assert "lock      created by anna@ops1; trying again for" in capsys.readouterr().out
