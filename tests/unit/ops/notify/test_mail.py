"""A message as a mail, to a real server of this machine, and what is said when that does not take it."""

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from components.settings.notify import EmailSettings, NotifySettings
from ops.notify import mail
from ops.notify.channels import deliver
from testing.certificates import Authority
from testing.mail_receiver import MailReceiver, receiving_mail
from tests.unit.ops.notify.given import message, notify

PASSWORD = "mail-0123456789abcdef"
TO = ["ops@example.com", "night@example.com"]


def by_mail(port: int, **changes: Any) -> NotifySettings:
    said = {"host": "127.0.0.1", "port": port, "from": "friday@example.com", "to": TO, "requireTls": False}
    return notify(email={**said, **changes})


def test_everybody_gets_the_text_with_its_first_line_as_subject(tmp_path: Path) -> None:
    with receiving_mail(MailReceiver()) as receiver:
        assert deliver(by_mail(receiver.port), "email", tmp_path, message()) == ""
    ((to, _),) = receiver.got
    assert to == [f"<{address}>" for address in TO]
    (got,) = receiver.messages
    assert got["subject"] == "t: step: 10 -> 50 % of users go through LiteLLM"
    assert (got["from"], got["to"]) == ("friday@example.com", ", ".join(TO))
    assert got.get_content().splitlines() == message().text.splitlines()


def test_a_server_without_tls_gets_nothing_unless_somebody_allowed_it(tmp_path: Path) -> None:
    with receiving_mail(MailReceiver()) as receiver:
        found = deliver(by_mail(receiver.port, requireTls=True), "email", tmp_path, message())
    assert found.startswith("the mail server cannot be used: STARTTLS")
    assert receiver.got == []


def test_one_that_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    with receiving_mail(MailReceiver(refuses=True)) as receiver:
        found = deliver(by_mail(receiver.port), "email", tmp_path, message())
    assert found == "the mail server answered 554: no place"


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The TLS of a mail server whose authority is trusted here."""
    authority = Authority(tmp_path / "company")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("mail"))
    return context


@pytest.mark.parametrize("at_once", [False, True])
def test_a_password_is_shown_by_tls_only(
    at_once: bool, secure: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmailSettings, "tls_at_once", at_once)  # else the test would need port 465
    with receiving_mail(MailReceiver(tls=secure, at_once=at_once, password=PASSWORD)) as receiver:
        settings = by_mail(receiver.port, requireTls=True, user="friday", password=PASSWORD)
        assert deliver(settings, "email", tmp_path, message()) == ""
        assert len(receiver.got) == 1
        monkeypatch.delenv("SSL_CERT_FILE")
        found = deliver(settings, "email", tmp_path, message())
        assert found.startswith("the mail server cannot be used: ")
        assert "certificate verify failed" in found


def test_a_password_that_is_not_taken_is_not_shown(secure: ssl.SSLContext, tmp_path: Path) -> None:
    with receiving_mail(MailReceiver(tls=secure, password="another")) as receiver:
        settings = by_mail(receiver.port, requireTls=True, user="friday", password=PASSWORD)
        found = deliver(settings, "email", tmp_path, message())
    assert found.startswith("the mail server answered 535: not with")
    assert "***" in found
    assert PASSWORD not in found


def test_one_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = deliver(by_mail(silent.getsockname()[1]), "email", tmp_path, message())
    assert found.startswith("the mail server cannot be used: ")
    assert "timed out" in found


def test_recipients_that_are_refused_are_named(tmp_path: Path) -> None:
    with receiving_mail(MailReceiver(unknown="night@example.com")) as receiver:
        found = deliver(by_mail(receiver.port), "email", tmp_path, message())
        assert "refused" in found
        assert "night@example.com" in found
        assert len(receiver.got) == 1
        found = deliver(by_mail(receiver.port, to=["night@example.com"]), "email", tmp_path, message())
    assert "night@example.com" in found
    assert len(receiver.got) == 1


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = deliver(by_mail(unused.getsockname()[1]), "email", tmp_path, message())
    assert found.startswith("the mail server cannot be used: ")
    assert "refused" in found
