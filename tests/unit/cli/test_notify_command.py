"""`notify test`: each channel is tried, whatever it wants to be told, and each failure has its fix."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from cli.arguments import is_unattended
from cli.main import main
from ops.commands import notify_test
from ops.errors import EXIT_USAGE, OperationError
from ops.metrics import alertmanager
from ops.metrics.alertmanager import Alertmanager
from testing.receiver import Receiver, receiving
from tests.unit.given import settings
from tests.unit.ops.deployed import Played
from tests.unit.ops.fake_alertmanager import FakeAlertmanager


def play(
    monkeypatch: pytest.MonkeyPatch, folder: Path, alerts: httpx.BaseTransport | None = None, **channels: Any
) -> None:
    chosen = settings(notify=channels)
    monkeypatch.setattr("ops.deployment.STACKS", folder)
    outputs = {"alertsUrl": SimpleNamespace(value="http://alertmanager")} if alerts else {}
    stack = SimpleNamespace(outputs=lambda: outputs)
    Played(lambda: chosen).given(decrypted_settings=chosen, stack=stack).everywhere(monkeypatch)
    monkeypatch.setattr(alertmanager, "Alertmanager", lambda url, way: Alertmanager(url, alerts or way))
    monkeypatch.setattr(notify_test, "_ALERT_SECONDS", 0.3)


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
        assert "slack             FAIL  it answered 404: no_service" in said
        assert "fix: pulumi config set --secret --path notify.slack.url -s t" in said
        assert "fix: correct notify.command in Pulumi.t.yaml" in said
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


def test_the_way_of_alerts_is_tried_for_those_that_are_told_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = FakeAlertmanager(takes={"slack": True, "webhook": False})
    with receiving(Receiver()) as slack, receiving(Receiver()) as webhook:
        no_alerts = {"run": ["true"]}
        play(monkeypatch, tmp_path, taken, slack={"url": slack.url}, webhook={"url": webhook.url}, command=no_alerts)
        assert main(["notify", "test", "t"]) == 1
        said = capsys.readouterr().out
        assert "slack (alert)     ok" in said
        assert "webhook (alert)   FAIL  it did not take the alert" in said
        assert "fix: ./fridayctl logs t alertmanager says why; pulumi config set --secret" in said
        assert "command (alert)" not in said
        assert main(["notify", "test", "t", "--json"]) == 1
    rows = [(each["channel"], each["alert"], each["ok"]) for each in json.loads(capsys.readouterr().out)["channels"]]
    assert rows == [
        *(("slack", False, True), ("webhook", False, True), ("command", False, True)),
        *(("slack", True, True), ("webhook", True, False)),
    ]
    (first,), (second,) = taken.posted
    assert first["labels"]["alertname"] == "NotifyTest"
    assert first["labels"]["id"] != second["labels"]["id"]
    assert first["startsAt"] < first["endsAt"]


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        (FakeAlertmanager(takes={"slack": None}), "slack (alert)     FAIL  it did not answer within 0 s"),
        (FakeAlertmanager(status=503), "Alertmanager at http://alertmanager answers 503"),
    ],
)
def test_an_alert_that_goes_nowhere_is_a_failure(
    alerts: FakeAlertmanager,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with receiving(Receiver()) as slack:
        play(monkeypatch, tmp_path, alerts, slack={"url": slack.url})
        assert main(["notify", "test", "t"]) == 1
    assert said in capsys.readouterr().out


def test_a_state_that_cannot_be_read_does_not_hide_what_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OperationError("ssh://h: cannot be reached", "look at it")

    with receiving(Receiver()) as slack:
        play(monkeypatch, tmp_path, FakeAlertmanager(), slack={"url": slack.url})
        monkeypatch.setattr(notify_test, "alertmanager_of", refuse)
        assert main(["notify", "test", "t"]) == 1
    said = capsys.readouterr().out
    assert "slack             ok" in said
    assert "slack (alert)     FAIL  ssh://h: cannot be reached" in said


def test_a_stack_without_alertmanager_is_said_to_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiving(Receiver()) as slack:
        play(monkeypatch, tmp_path, slack={"url": slack.url})
        assert main(["notify", "test", "t"]) == 0
    assert "no Alertmanager runs yet, ./fridayctl up t makes it" in capsys.readouterr().err


def test_a_channel_that_what_runs_does_not_know_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiving(Receiver()) as slack:
        play(monkeypatch, tmp_path, FakeAlertmanager(takes={"webhook": True}), slack={"url": slack.url})
        assert main(["notify", "test", "t"]) == 0
    said = capsys.readouterr()
    assert "not tried by slack: what runs does not know it yet, ./fridayctl up t tells it" in said.err
    assert "slack (alert)" not in said.out


@pytest.mark.parametrize("terminal", ["stdin", "stdout", "stderr", ""])
def test_one_terminal_is_enough_to_read_along(terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}.isatty", lambda name=name: name == terminal)
    assert is_unattended() == (terminal == "")
    monkeypatch.setattr("sys.stdin", None)  # as a service may start it
    assert is_unattended() == (terminal in ("", "stdin"))
