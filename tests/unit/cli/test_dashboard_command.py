"""`fridayctl dashboard`: where the page is, in which browser, and how it ends."""

import socket
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.main import main
from ops.errors import EXIT_USAGE
from tests.unit.cli.played_report import World


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return which pages were opened; the server is one that is ended by Ctrl-C at once."""
    monkeypatch.chdir(tmp_path)
    World(monkeypatch)
    found = list[str]()

    def open_page(url: str) -> bool:
        found.append(url)
        return True

    def ended(self: ThreadingHTTPServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", open_page)
    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", ended)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    return found


def test_it_says_where_the_page_is_and_ctrl_c_ends_it_well(
    opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", "t", "--port", "0"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("dashboard http://127.0.0.1:")
    assert said.out.endswith("/ (Ctrl-C ends it)\n")
    assert opened == []  # a browser of the terminal would take the terminal


@pytest.mark.parametrize(("arguments", "expected"), [([], 1), (["--open", "yes"], 1), (["--open", "no"], 0)])
def test_where_there_is_a_screen_it_is_opened_unless_told_not_to(
    opened: list[str], arguments: list[str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert main(["dashboard", "t", "--port", "0", *arguments]) == 0
    assert len(opened) == expected


def test_a_taken_port_is_wrong_input_with_a_fix(opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert main(["dashboard", "t", "--port", port]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert f"the dashboard cannot listen on 127.0.0.1:{port} (address already in use)" in said
    assert "fix: name another port: --port 0 takes one that is free" in said
    assert not opened


@pytest.mark.parametrize("port", ["65536", "-1", "web"])
def test_what_is_no_port_is_wrong_input(opened: list[str], port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", "t", "--port", port]) == EXIT_USAGE
    assert "--port" in capsys.readouterr().err
    assert not opened
