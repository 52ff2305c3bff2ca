"""`notify test`: each channel is tried, whatever it wants to be told, and each failure has its fix."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.arguments import is_unattended
from cli.main import main
from ops.errors import EXIT_USAGE
from testing.receiver import Receiver, receiving
from tests.unit.given import settings
from tests.unit.ops.deployed import Played


def play(monkeypatch: pytest.MonkeyPatch, folder: Path, **channels: Any) -> None:
    chosen = settings(notify=channels)
    monkeypatch.setattr("ops.deployment.STACKS", folder)
    Played(lambda: chosen).given(decrypted_settings=chosen).everywhere(monkeypatch)


def test_each_channel_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiving(Receiver()) as slack:
        play(monkeypatch, tmp_path, slack={"url": slack.url, "events": ["abort"]}, command={"run": ["true"]})
        assert main(["notify", "test", "t"]) == 0
        assert json.loads(slack.bodies[0])["text"].startswith("t: test: this is a test, nothing has happened\n")
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in said] == [["slack", "ok"], ["command", "ok"]]


def test_one_that_fails_is_a_failure_with_a_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiving(Receiver(status=404, body=b"no_service")) as slack:
        play(monkeypatch, tmp_path, slack={"url": slack.url}, command={"run": ["false"]})
        assert main(["notify", "test", "t"]) == 1
        said = capsys.readouterr().out
        assert "slack     FAIL  it answered 404: no_service" in said
        assert "fix: pulumi config set --secret --path notify.slack.url -s t" in said
        assert "fix: correct notify.command.run in Pulumi.t.yaml" in said
        assert main(["notify", "test", "t", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["stack"], document["ok"]) == ("t", False)
    assert [(each["channel"], each["ok"]) for each in document["channels"]] == [("slack", False), ("command", False)]


def test_no_channel_is_wrong_input_with_the_way_to_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch, tmp_path)
    assert main(["notify", "test", "t"]) == EXIT_USAGE
    assert "fix: pulumi config set --secret --path notify.slack.url -s t" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", ["stdin", "stdout", "stderr", ""])
def test_one_terminal_is_enough_to_read_along(terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}.isatty", lambda name=name: name == terminal)
    assert is_unattended() == (terminal == "")
    monkeypatch.setattr("sys.stdin", None)  # as a service may start it
    assert is_unattended() == (terminal in ("", "stdin"))
