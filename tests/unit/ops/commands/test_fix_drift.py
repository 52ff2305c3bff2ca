"""What is done on the host before the update that brings everything back, and what is said."""

import json

import pytest

from cli.main import main
from ops.checks import drift
from ops.checks.drift import Drift
from ops.commands import fix_drift
from ops.commands.fix_drift import Fixed
from ops.commands.up import Up, UpRequest
from ops.deployment import Deployment
from ops.errors import EXIT_FAILED, OperationError
from tests.unit.ops.deployed import Played
from tests.unit.ops.drifted import FRIDAY, Host, Seen, Stack


class Repair:
    """Plays `drift --fix`: the first look finds drift, the second what is `left`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: list[Drift], left: list[Drift], *seen: Seen) -> None:
        looks = iter([first, left])
        self.messages: list[tuple[str, bool]] = []
        self.told: list[str] = []
        self.deployment = Played(report=lambda _, text: self.told.append(text)).with_hosts(Host(*seen))
        self.deployment.given(stack=Stack())
        monkeypatch.setattr(fix_drift, "find", lambda _: next(looks))
        monkeypatch.setattr(fix_drift, "bring_up", self._bring_up)

    def _bring_up(self, _: Deployment, request: UpRequest) -> Up:
        self.messages.append((request.message, request.refresh))
        return Up(3, {}, [])

    def run(self) -> Fixed:
        return fix_drift.fix(self.deployment)


def test_a_fix_puts_the_host_right_and_updates_after_a_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    friday, redis, odd = Seen(FRIDAY), Seen("redis-1", "paused"), Seen("odd")
    found = [Drift("changed", FRIDAY, "memory is 300, was 256"), Drift("paused", "redis-1")]
    repair = Repair(monkeypatch, found, [], friday, redis, odd)
    assert repair.run() == Fixed(found, 3)
    assert repair.messages == [(f"fix: {FRIDAY}, redis-1", True)]
    assert friday.done == []  # it serves, and what changed of it is the update's to change
    assert redis.done == ["unpaused"]
    assert any("friday-t-odd" in line for line in repair.told)


def test_a_renamed_container_gets_its_name_back(monkeypatch: pytest.MonkeyPatch) -> None:
    friday = Seen(FRIDAY)
    friday.name = "friday-t-elsewhere"
    Repair(monkeypatch, [Drift("changed", FRIDAY, "name is x, was y")], [], friday).run()
    assert friday.done == [f"renamed friday-t-{FRIDAY}"]


def test_a_container_gets_its_networks_back_and_goes_on_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    friday, files = Seen(FRIDAY, networks=("x",)), Seen("friday-files-01234567", "created", ("none",))
    Repair(monkeypatch, [Drift("changed", FRIDAY, "is on the network x")], [], friday, files).run()
    assert friday.done == ["joined friday-t-app as friday", "left x"]
    assert files.done == []  # it has none, and docker calls that one too


def test_without_drift_nothing_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    repair = Repair(monkeypatch, [], [])
    assert repair.run() == Fixed([], 0)
    assert repair.messages == []


def test_what_could_not_be_brought_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stays = Drift("changed", "redis-1", "memory is 300, was 64")
    with pytest.raises(OperationError, match="not everything could be brought back") as caught:
        Repair(monkeypatch, [stays], [stays]).run()
    assert caught.value.exit_code == EXIT_FAILED
    assert "memory is 300" in caught.value.details


def test_the_command_says_when_there_is_no_drift(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Played().given(stack=Stack()).everywhere(monkeypatch)
    monkeypatch.setattr(drift, "find", lambda _: [])
    monkeypatch.setattr(fix_drift, "fix", lambda *_: Fixed([], 0))
    assert main(["drift", "t"]) == 0
    assert main(["drift", "t", "--fix"]) == 0
    assert capsys.readouterr().out.splitlines() == ["t: no drift", "done      no drift, nothing to fix"]
    assert main(["drift", "t", "--fix", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"stack": "t", "fixed": True, "changed": 0, "drift": []}
