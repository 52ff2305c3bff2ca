"""`feedback`: what users said, by path, from Friday and from the history; and how it gets into the history."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import main
from ops.commands import feedback, pause
from ops.errors import EXIT_USAGE
from ops.metrics.collect import Sources
from ops.metrics.prometheus import Prometheus
from ops.rollout.history import Entry
from ops.stacks.preview import Change
from tests.unit.ops.deployed import Played
from tests.unit.ops.fake_prometheus import FakePrometheus, Rows, vector
from tests.unit.ops.promotion import ago

CHANGE = Change("create", "docker:index/container:Container", "friday-1-new")
NAMES = ("friday_llm_requests", "friday_llm_feedback")
ALIVE = {"count(last_over_time": vector(1)}


def ratings(up: int = 0, down: int = 0, complaint: int = 0) -> Rows:
    return [({"rating": name}, float(n)) for name, n in (("up", up), ("down", down), ("complaint", complaint))]


def passed(true: int, false: int) -> Rows:
    return [({"passed": "true"}, float(true)), ({"passed": "false"}, float(false))]


def lengths(*counts: tuple[str, int]) -> Rows:
    return [({"le": bound}, float(counted)) for bound, counted in counts]


SAID: dict[str, Rows] = {
    'friday_llm_feedback_total "litellm"': ratings(40, 5, 1),
    'friday_llm_feedback_total "direct"': ratings(10, 2),
    'friday_llm_requests_total "litellm"': [({"outcome": "ok"}, 980.0), ({"outcome": "timeout"}, 20.0)],
    'friday_llm_requests_total "fallback"': [({"outcome": "ok"}, 10.0)],
    'friday_llm_requests_total "direct"': [({"outcome": "ok"}, 9000.0)],
    **ALIVE,
}
COMPARED: dict[str, Rows] = {
    'length_chars_bucket "litellm"': lengths(("100", 10), ("500", 40), ("+Inf", 40)),
    'length_chars_bucket "direct"': lengths(("100", 30), ("500", 38), ("+Inf", 38)),
    'checks_total "litellm" "answered"': passed(30, 10),
    'checks_total "litellm" "language"': passed(20, 0),
    'checks_total "direct" "answered"': passed(38, 0),
    **SAID,
}


class World:
    """A stack whose step began an hour ago, and what its Prometheus knows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entries: list[Entry] = [ago(1, 10)]
        self.fake = FakePrometheus(SAID)
        self.fake.names = NAMES
        self.changes: list[Change] = []
        self.messages: list[str] = []
        stack = SimpleNamespace(name="t", outputs=dict)
        self.deployment = Played().given(stack=stack).everywhere(monkeypatch)
        monkeypatch.setattr(pause, "look_ahead", lambda *_: self.changes)
        monkeypatch.setattr(pause, "update", lambda _, message, __: self.messages.append(message))
        monkeypatch.setattr(feedback, "sources", lambda *_: Sources("http://p", "http://o", ()))
        monkeypatch.setattr(feedback, "Prometheus", lambda url, _: Prometheus(url, self.fake))

    def main(self, *arguments: str) -> int:
        self.deployment.given(history=self.entries)
        return main(["feedback", "t", *arguments])

    def document(self, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
        assert self.main("--json") == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def row(text: str, path: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.startswith(path))


def test_what_users_said_is_shown_by_path_per_thousand_answers(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.main() == 0
    shown = capsys.readouterr().out
    assert row(shown, "litellm")[:6] == ["litellm", "1,000", "40", "5", "1", "6"]
    assert row(shown, "fallback") == ["fallback", "10", "0", "0", "0", "0", "(0", "to", "213)"]
    assert row(shown, "direct")[:6] == ["direct", "9,000", "10", "2", "0", "0.222"]
    assert "difference    LiteLLM's users (fallbacks too) against the direct path's: +" in shown
    assert "(95 % sure)" in shown
    assert "warning" not in shown
    assert "side by side" not in shown


def test_what_was_entered_counts_with_it_and_is_listed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.entries = [ago(0.5, 10, "feedback: 3 complaints on litellm: ticket [4711]"), ago(1, 10)]
    world.entries += [ago(2, 0, "feedback: 9 down on direct")]
    assert world.main() == 0
    shown = capsys.readouterr().out
    assert row(shown, "litellm")[:6] == ["litellm", "1,000", "40", "5", "4", "9"]
    assert row(shown, "direct")[3] == "2"
    assert "entered       3 complaint on litellm: ticket [4711] (30 min ago)" in shown


def test_json_holds_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.entries = [ago(0.5, 10, "feedback: 3 complaints on litellm: x"), ago(1, 10)]
    found = world.document(capsys)
    assert found["paths"]["litellm"] | {"bounds": None} == {
        "up": 40,
        "down": 5,
        "complaint": 4,
        "answers": 1000,
        "bad_share": 0.009,
        "bounds": None,
    }
    assert found["difference"][0] > 0
    assert [(each["path"], each["count"], each["note"]) for each in found["entered"]] == [("litellm", 3, "x")]
    assert (found["silent"], found["quality"]) == ("", {})


def test_testers_answers_are_shown_side_by_side(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.fake.answers = COMPARED
    assert world.main() == 0
    side = capsys.readouterr().out.partition("side by side")[2]
    assert row(side, "litellm") == ["litellm", "40", "233", "473", "--", "75", "%", "of", "40", "100", "%", "of", "20"]
    assert row(side, "direct") == ["direct", "38", "63", "405", "--", "100", "%", "of", "38", "--"]
    # The direct path had no answer in a known language to compare with.
    gaps = [line for line in side.splitlines() if line.endswith("points more fail it over LiteLLM than directly")]
    assert [line.split()[0] for line in gaps] == ["answered"]
    found = world.document(capsys)
    assert found["quality"]["litellm"]["passed"] == {"schema": None, "answered": 0.75, "language": 1.0}
    assert set(found["quality_differences"]) == {"answered"}


@pytest.mark.parametrize(
    ("fake", "names", "words"),
    [
        (FakePrometheus(status=503, body="starting"), NAMES, "Prometheus at http://p answers 503"),
        (FakePrometheus(), (), "Friday shows no metrics of its own now"),
        (FakePrometheus(ALIVE), ("friday_llm_requests",), "this image of Friday does not count feedback"),
    ],
)
def test_what_is_not_counted_is_said_and_what_was_entered_is_still_shown(
    fake: FakePrometheus, names: tuple[str, ...], words: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fake = fake
    world.fake.names = names
    world.entries = [ago(0.5, 10, "feedback: 2 down on litellm"), ago(1, 10)]
    assert world.main() == 0
    shown = capsys.readouterr().out
    assert f"warning: only what was entered by hand: {words}" in shown
    assert row(shown, "litellm")[-4:-1] == ["0", "2", "0"]
    assert row(shown, "litellm")[-1] == "--"
    known = words.startswith("this image")
    assert world.document(capsys)["paths"]["litellm"]["answers"] == (0 if known else None)
    assert ("not measured" in shown) is not known


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rating", "down", "--path", "litellm"], "feedback: 1 down on litellm"),
        (
            ["--rating", "complaint", "--path", "fallback", "--count", "2", "--note", "ticket\n 7"],
            "feedback: 2 complaints on fallback: ticket 7",
        ),
    ],
)
def test_feedback_is_written_into_the_history(
    arguments: list[str], message: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.main(*arguments) == 0
    assert message in capsys.readouterr().out
    assert world.main(*arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"stack": "t", "message": message}
    assert world.messages == [message, message]


@pytest.mark.parametrize(
    ("arguments", "entries", "changes", "words"),
    [
        (["--rating", "down"], [ago(1, 10)], [], "say both: --rating and --path"),
        (["--path", "litellm"], [ago(1, 10)], [], "say both: --rating and --path"),
        (["--note", "x"], [ago(1, 10)], [], "say both: --rating and --path"),
        (["--rating", "bad", "--path", "litellm"], [ago(1, 10)], [], "'bad' is not one of"),
        (["--rating", "down", "--path", "mars"], [ago(1, 10)], [], "'mars' is not one of"),
        (["--rating", "down", "--path", "litellm", "--count", "0"], [ago(1, 10)], [], "--count"),
        (["--rating", "down", "--path", "litellm"], [], [], "is not deployed"),
        (["--rating", "down", "--path", "litellm"], [ago(1, 10)], [CHANGE], "a feedback may change nothing"),
        ([], [], [], "is not deployed"),
    ],
)
def test_wrong_input_changes_nothing(
    arguments: list[str],
    entries: list[Entry],
    changes: list[Change],
    words: str,
    world: World,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.entries, world.changes = entries, changes
    assert world.main(*arguments) == EXIT_USAGE
    assert words in capsys.readouterr().err
    assert world.messages == []
