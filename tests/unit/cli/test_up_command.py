"""What `up` shows as the next step: a chat only where the image has one."""

from typing import Any

import pytest

from cli.main import main
from ops.commands import up
from tests.unit.given import LOCAL, settings
from tests.unit.ops.deployed import Played

OUTPUTS: dict[str, object] = {"fridayUrl": "http://127.0.0.1:3000", "gatewayUrl": "http://127.0.0.1:4000"}
OWN = {**LOCAL["friday"], "image": "registry.example/friday:1", "healthPath": "/healthy"}


@pytest.mark.parametrize(
    ("friday", "path", "is_chat"),
    [
        (LOCAL["friday"], "/api/chat", True),
        (OWN, "/healthy", False),
        ({**OWN, "chatPath": "/api/ask"}, "/api/ask", True),
    ],
)
def test_the_next_command_asks_what_the_image_has(
    friday: dict[str, Any],
    path: str,
    is_chat: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Played(lambda: settings(friday=friday)).everywhere(monkeypatch)
    monkeypatch.setattr(up, "bring_up", lambda *_: up.Up(1, OUTPUTS, []))
    assert main(["up", "t"]) == 0
    said = capsys.readouterr().out
    assert f"curl -si http://127.0.0.1:3000{path}{' -H' if is_chat else chr(10)}" in said
    assert ("/api/chat" in said) == (path == "/api/chat")


def test_the_next_command_over_https_asks_by_an_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Played(settings).everywhere(monkeypatch)
    outputs = {**OUTPUTS, "fridayUrl": "https://127.0.0.1:443"}
    monkeypatch.setattr(up, "bring_up", lambda *_: up.Up(1, outputs, []))
    assert main(["up", "t"]) == 0
    assert "curl -sik https://127.0.0.1:443/api/chat" in capsys.readouterr().out


def test_further_pages_are_shown_where_the_stack_has_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Played(settings).everywhere(monkeypatch)
    pages = {"alertsUrl": "http://127.0.0.1:9093", "grafanaUrl": "http://127.0.0.1:3001"}
    for more, shown in (({}, False), (pages, True)):
        monkeypatch.setattr(up, "bring_up", lambda *_, found=more: up.Up(1, {**OUTPUTS, **found}, []))
        assert main(["up", "t"]) == 0
        said = capsys.readouterr().out
        assert ("  Grafana    http://127.0.0.1:3001 (user admin" in said) is shown
        assert ("  alerts     http://127.0.0.1:9093\n" in said) is shown
