"""Who is told of what, and that nobody who is told delays or fails anything."""

import json
import socket
from pathlib import Path

import pytest

from components.settings.notify import KINDS
from components.settings.source import Problem, SettingsError
from ops.errors import OperationError
from ops.notify import notifier as notifier_module
from ops.notify.hooks import AFTER_SECONDS, BEFORE_SECONDS
from ops.notify.message import SECONDS, Message, operator
from ops.notify.notifier import Notifier
from testing.receiver import Receiver, receiving
from tests.unit.ops.notify.given import message, notifier, notify

ROOT = Path(__file__).resolve().parents[4]
FACTS = {"result": "done", "what": "10 -> 50 %"}


def test_each_channel_gets_the_events_that_it_wants(tmp_path: Path) -> None:
    told: list[str] = []
    with receiving(Receiver()) as some, receiving(Receiver()) as every:
        wanting = {"url": some.url, "events": ["abort", "rollback"]}
        teller = notifier(notify(slack=wanting, webhook={"url": every.url}), tmp_path, told.append)
        for kind in KINDS:
            teller.send(kind, **FACTS)
        teller.finish()
        assert len(some.got) == 2
        assert sorted(json.loads(body)["event"] for body in every.bodies) == sorted(KINDS)
    assert told == []


def test_one_that_hangs_is_told_of_in_a_line_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(notifier_module, "SECONDS", 0.2)
    monkeypatch.setattr(notifier_module, "_ENDING_SECONDS", 0.0)
    with receiving(Receiver(hangs=True)) as receiver:
        notifier(notify(slack={"url": receiver.url}), tmp_path, told.append).tell("rollback", **FACTS)
    fix = "fix: correct notify.slack, then ./fridayctl notify test t"
    assert told == [f"slack was not told: not delivered within 0 s; {fix}"]


@pytest.mark.parametrize(
    "error",
    [OperationError("the passphrase is not the stack's", "set it"), SettingsError(Problem("f", "k", "wrong", "fix"))],
)
def test_secrets_that_cannot_be_read_are_told_of_in_a_line(error: Exception, tmp_path: Path) -> None:
    told: list[str] = []

    def decrypted() -> object:
        raise error

    teller = Notifier("t", notify(slack={"url": "http://h"}), decrypted, tmp_path, told.append)  # type: ignore[arg-type]
    teller.tell("step", **FACTS)
    assert len(told) == 1
    assert told[0].startswith(f"slack was not told: its secrets cannot be read: {str(error).splitlines()[0]}; fix:")


def test_nobody_is_asked_for_secrets_when_nobody_is_told(tmp_path: Path) -> None:
    def decrypted() -> object:
        pytest.fail("asked")

    teller = Notifier("t", notify(slack={"url": "http://h", "events": ["abort"]}), decrypted, tmp_path, pytest.fail)  # type: ignore[arg-type]
    teller.tell("step", **FACTS)


def test_the_docs_have_the_schema_of_a_message() -> None:
    """`python -m docs.notification` writes it again."""
    written = json.loads((ROOT / "docs" / "notification.schema.json").read_text(encoding="utf-8"))
    assert written == Message.model_json_schema(mode="serialization")
    assert set(written["required"]) <= set(json.loads(message().document())) == set(written["properties"])


def test_no_text_of_a_message_breaks_a_line_or_grows_without_end() -> None:
    made = message(why="a\nb\x00c\x1b[2J" + "x" * 5000)
    assert made.why.startswith("a b c [2Jxxx")
    assert len(made.why) == 1000
    assert made.variables()["FRIDAY_WHY"] == made.why
    assert message(from_percent=None).variables()["FRIDAY_FROM"] == ""


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"GITHUB_ACTOR": "anna", "SUDO_USER": "bert"}, "anna"),
        ({"GITLAB_USER_LOGIN": "carl"}, "carl"),
        ({"SUDO_USER": "bert", "LOGNAME": "root"}, f"bert@{socket.gethostname()}"),
        ({"LOGNAME": "dora"}, f"dora@{socket.gethostname()}"),
    ],
)
def test_the_operator_is_who_began_it(environ: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "SUDO_USER", "LOGNAME"):
        monkeypatch.delenv(each, raising=False)
    for each, value in environ.items():
        monkeypatch.setenv(each, value)
    assert operator() == name


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", unknown)
    for each in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "SUDO_USER"):
        monkeypatch.delenv(each, raising=False)
    assert operator().partition("@")[0].isdecimal()


def test_the_docs_name_the_limits() -> None:
    page = (ROOT / "docs" / "NOTIFICATIONS.md").read_text(encoding="utf-8")
    whole = SECONDS + notifier_module._ENDING_SECONDS
    assert f"{whole:.0f} s at most: {SECONDS:.0f} s for the delivery" in page
    assert f"A `pre-` hook has {BEFORE_SECONDS:.0f} s, a `post-` hook {AFTER_SECONDS:.0f} s" in page
