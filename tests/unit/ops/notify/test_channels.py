"""A message by each channel to a real receiver, and what is said when that does not take it."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.notify import channels
from ops.notify.channels import deliver
from testing.receiver import Receiver, receiving
from tests.unit.ops.notify.given import message, notify, script


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as made:
        yield made


def test_slack_gets_a_text_in_which_nothing_calls_everybody(receiver: Receiver, tmp_path: Path) -> None:
    said = message(why="<!channel> a & b", result="failed")
    assert deliver(notify(slack={"url": receiver.url}), "slack", tmp_path, said) == ""
    path, headers, body = receiver.got[0]
    assert (path, headers["content-type"]) == ("/services/T0123/secretpart", "application/json")
    assert json.loads(body) == {
        "text": "t: step FAILED: 10 -&gt; 50 % of users go through LiteLLM\n"
        "why: &lt;!channel&gt; a &amp; b\n"
        "by anna@ops1 at 2026-11-30 15:04:05 UTC\n"
        "next: ./fridayctl status t"
    }


@pytest.mark.parametrize("token", [None, "tok-0123456789"])
def test_a_webhook_gets_the_documented_form_and_the_token(
    token: str | None, receiver: Receiver, tmp_path: Path
) -> None:
    settings = notify(webhook={"url": receiver.url, "token": token})
    assert deliver(settings, "webhook", tmp_path, message()) == ""
    _, headers, body = receiver.got[0]
    assert headers.get("authorization") == (f"Bearer {token}" if token else None)
    assert json.loads(body) == {
        "version": 1,
        "stack": "t",
        "event": "step",
        "result": "done",
        "what": "10 -> 50 % of users go through LiteLLM",
        "operator": "anna@ops1",
        "from": 10,
        "to": 50,
        "why": "all gates passed",
        "next": "./fridayctl status t",
        "at": "2026-11-30T15:04:05Z",
    }


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b"", "it answered 500"),
        (403, b"invalid_token\nfor you", "it answered 403: invalid_token for you"),
        (
            404,
            b"no service at /services/T0123/secretpart with tok-0123456789 on 127.0.0.1",
            "it answered 404: no service",
        ),
    ],
)
def test_what_a_receiver_complains_of_is_said_without_the_address(
    status: int, body: bytes, said: str, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.status, receiver.body = status, body
    settings = notify(webhook={"url": receiver.url, "token": "tok-0123456789"})
    found = deliver(settings, "webhook", tmp_path, message())
    assert found.startswith(said)
    assert "\n" not in found
    for secret in ("secretpart", "T0123", "tok-", "127.0.0.1", str(receiver.port)):
        assert secret not in found


def test_a_redirect_is_not_followed(receiver: Receiver, tmp_path: Path) -> None:
    with receiving(Receiver()) as elsewhere:
        receiver.status, receiver.headers = 307, {"location": elsewhere.url}
        found = deliver(notify(slack={"url": receiver.url}), "slack", tmp_path, message())
        assert found == "it answered 307, another address, and that is not followed: set the new one"
        assert elsewhere.got == []


@pytest.mark.parametrize("status", [200, 500])
def test_of_an_answer_without_end_only_the_beginning_is_read(status: int, receiver: Receiver, tmp_path: Path) -> None:
    receiver.status, receiver.body, receiver.endless = status, b"x" * 1000, True
    found = deliver(notify(slack={"url": receiver.url}), "slack", tmp_path, message())
    assert len(found) <= 200
    assert (found == "") == (status == 200)


def test_one_that_hangs_is_given_up(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "SECONDS", 0.2)
    receiver.hangs = True
    assert deliver(notify(slack={"url": receiver.url}), "slack", tmp_path, message()) == "it did not answer within 0 s"


def test_a_proxy_of_the_environment_is_used(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{receiver.port}")
    assert deliver(notify(slack={"url": "http://hooks.invalid/x"}), "slack", tmp_path, message()) == ""
    assert receiver.got[0][0] == "http://hooks.invalid/x"


def test_nobody_at_the_address_is_said_without_it(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/secretpart"
        found = deliver(notify(slack={"url": url}), "slack", tmp_path, message())
    assert found.startswith("it cannot be reached: ")
    assert "refused" in found
    assert "secretpart" not in found


@pytest.mark.parametrize(
    "url", ["hooks.example/x", "ftp://h/secretpart", "http://", "http://h:nonsense/secretpart", "", "http://a b"]
)
def test_what_is_no_address_is_said_without_it(url: str, tmp_path: Path) -> None:
    found = deliver(notify(slack={"url": url}), "slack", tmp_path, message())
    assert "it is a secret" in found or "cannot be reached" in found
    assert "secretpart" not in found


def test_a_command_gets_the_message_on_stdin_and_in_its_environment(tmp_path: Path) -> None:
    program = script(
        tmp_path / "page", "cat > got.json", 'printf "%s|%s|%s" "$1" "$FRIDAY_STACK" "$FRIDAY_TO" > got.txt'
    )
    settings = notify(command={"run": [str(program), "to everybody"]})
    assert deliver(settings, "command", tmp_path, message()) == ""
    assert (tmp_path / "got.txt").read_text() == "to everybody|t|50"
    assert json.loads((tmp_path / "got.json").read_text())["to"] == 50


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["echo no pager >&2", "exit 3"], "ended with exit code 3: no pager"),
        (["exit 3"], "ended with exit code 3"),
        (["sleep 60"], "did not end within 0 s and was killed"),
    ],
)
def test_a_command_that_fails_is_said(
    lines: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "SECONDS", 0.3 if "sleep 60" in lines else 30.0)
    program = script(tmp_path / "page", *lines)
    found = deliver(notify(command={"run": [str(program)]}), "command", tmp_path, message())
    assert found == f"{program} {said}"


def test_a_command_that_is_not_there_is_said(tmp_path: Path) -> None:
    found = deliver(notify(command={"run": ["no-such-pager"]}), "command", tmp_path, message())
    assert found == f"no-such-pager cannot be run: {os.strerror(2)}"
