"""Pause and resume: entries of the history that change nothing."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import main
from ops.commands import pause
from ops.errors import EXIT_USAGE
from ops.rollout.history import Entry
from ops.stacks.preview import Change
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import entry

CHANGE = Change("create", "docker:index/container:Container", "friday-1-new")


class World:
    """A stack with a history, and what the next update would change."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entries: list[Entry] = [entry(1, 10)]
        self.changes: list[Change] = []
        self.messages: list[str] = []
        self.deployment = Played().given(stack=SimpleNamespace(name="t")).everywhere(monkeypatch)
        monkeypatch.setattr(pause, "look_ahead", lambda *_: self.changes)
        monkeypatch.setattr(pause, "update", lambda _, message, __: self.messages.append(message))

    def main(self, *arguments: str) -> int:
        self.deployment.given(history=self.entries)
        return main(list(arguments))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_pause_and_its_end_are_written_into_the_history(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.main("pause", "t", "--reason", "holidays\nof  all") == 0
    assert "pause: 10 %: holidays of all" in capsys.readouterr().out
    world.entries = [entry(0, 10, world.messages[-1]), *world.entries]
    assert world.main("resume", "t", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"stack": "t", "message": "resume: 10 %"}
    assert world.messages == ["pause: 10 %: holidays of all", "resume: 10 %"]


@pytest.mark.parametrize(
    ("arguments", "entries", "changes", "words"),
    [
        (["pause", "t", "--reason", "x"], [], [], "is not deployed"),
        (["pause", "t", "--reason", "x"], [entry(0, 10, "pause: 10 %: y")], [], "is paused already (pause: 10 %: y)"),
        (["resume", "t"], [entry(0, 10)], [], "is not paused"),
        (["pause", "t", "--reason", "x"], [entry(0, 10)], [CHANGE], "may change nothing"),
        (["pause", "t", "--reason", " "], [entry(0, 10)], [], "should say why"),
        (["pause", "t"], [entry(0, 10)], [], "--reason"),
    ],
)
def test_what_cannot_be_held_is_refused(
    world: World,
    arguments: list[str],
    entries: list[Entry],
    changes: list[Any],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.entries, world.changes = entries, changes
    assert world.main(*arguments) == EXIT_USAGE
    assert words in capsys.readouterr().err
    assert world.messages == []
