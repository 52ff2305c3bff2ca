"""The live page: for this machine alone, one question for all tabs, and an error is a sentence in the browser."""

import datetime as dt
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from components.settings.source import Problem, SettingsError
from ops.commands import dashboard
from ops.commands.dashboard import ADDRESS, listening, pages, url
from ops.commands.report import Request
from ops.errors import EXIT_USAGE, OperationError
from ops.report.model import Report
from testing.served import served
from tests.unit.ops.report.reports import State, report


@contextmanager
def shown(make: Callable[[], str]) -> Iterator[ThreadingHTTPServer]:
    with listening(make, 0) as server, served(server):
        yield server


def ask(
    server: ThreadingHTTPServer, path: str = "/", host: str | None = None, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, str]:
    port = server.server_address[1]
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    for name in [f"{ADDRESS}:{port}"] if host is None else host.split(","):
        if name:
            connection.putheader("Host", name)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def test_the_page_is_on_this_machine_alone_and_kept_by_nobody() -> None:
    with shown(lambda: "<p>hello") as server:
        assert server.server_address[0] == "127.0.0.1"
        assert url(server) == f"http://127.0.0.1:{server.server_address[1]}/"
        status, headers, text = ask(server)
    assert (status, text) == (200, "<p>hello")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:PORT", "", "localhost,x", "[::1]:PORT", "127.0.0.1.x"])
def test_another_name_reads_nothing(host: str) -> None:
    with shown(lambda: "secret") as server:
        status, _, text = ask(server, host=host.replace("PORT", str(server.server_address[1])))
    assert status == 421
    assert "secret" not in text


@pytest.mark.parametrize("host", ["LOCALHOST", "localhost:1", "127.0.0.1:9000"])
def test_its_own_names_are_let_in_through_a_tunnel_too(host: str) -> None:
    with shown(lambda: "page") as server:
        assert ask(server, host=host)[0] == 200


def test_there_is_one_page_and_it_is_only_read() -> None:
    with shown(lambda: "page") as server:
        assert ask(server, "/etc/passwd")[0] == 404
        assert ask(server, "/?x=1")[0] == 404
        assert ask(server, method="POST")[0] == 501
        status, headers, text = ask(server, method="HEAD")
    assert (status, headers["Content-Length"], text) == (200, "4", "")


class Reporter:
    """Reports that are made when a test says so."""

    def __init__(self, deployment: Any, request: Request) -> None:
        assert request.since == dt.timedelta(days=7)
        self.deployment, self.closed = deployment, False
        self.made = report(State.NO_DATA)

    def report(self) -> Report:
        self.deployment.report("report", "asking")
        return self.made

    def __enter__(self) -> "Reporter":
        reporters.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


reporters: list[Reporter] = []


def test_a_page_is_drawn_once_for_each_report_and_progress_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "Reporter", Reporter)
    said, drawn = list[str](), list[Report]()

    def draw(report: Report, refresh_seconds: int) -> str:
        drawn.append(report)
        return f"page {len(drawn)} every {refresh_seconds} s"

    monkeypatch.setattr(dashboard, "render", draw)
    deployment: Any = SimpleNamespace(report=lambda _, text: said.append(text))
    with pages(deployment) as make:
        assert [make(), make()] == ["page 1 every 10 s"] * 2
        reporters[-1].made = report(State.HEALTHY)
        assert make() == "page 2 every 10 s"
        assert not reporters[-1].closed
    assert reporters[-1].closed
    assert said == ["asking"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationError("the state cannot be read", "mount it"), "the state cannot be read\n  fix: mount it"),
        (
            SettingsError(Problem("Pulumi.t.yaml", "edge", "a list", "see docs")),
            "Pulumi.t.yaml: edge: a list\n  fix: see docs",
        ),
    ],
)
def test_an_error_of_a_later_page_is_in_the_browser_and_the_next_page_comes(error: Exception, expected: str) -> None:
    answers: Iterator[str | Exception] = iter(["first", error, "third"])

    def make() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with shown(make) as server:
        status, headers, text = ask(server)
        assert status == 503
        assert text.startswith(expected)
        assert headers["Content-Type"] == "text/plain; charset=utf-8"
        assert ask(server)[0:3:2] == (200, "third")


def test_a_browser_that_goes_away_leaves_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    gone, asked = threading.Event(), list[str]()

    def make() -> str:
        asked.append("page")
        if len(asked) == 2:
            assert gone.wait(30)
        return "x" * 10_000_000

    with shown(make) as server:
        with socket.create_connection(("127.0.0.1", server.server_address[1])) as browser:
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            browser.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{server.server_address[1]}\r\n\r\n".encode())
            while len(asked) < 2:
                time.sleep(0.01)
        gone.set()
        assert ask(server)[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_an_error_of_the_first_page_ends_the_command() -> None:
    def make() -> str:
        raise OperationError("no such stack", "look")

    with pytest.raises(OperationError, match="no such stack"), listening(make, 0):
        pass


def test_a_port_that_is_taken_is_said_before_anything_is_asked() -> None:
    asked = list[str]()

    def make() -> str:
        asked.append("page")
        return "page"

    with socket.socket() as other:
        other.bind((ADDRESS, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OperationError) as error, listening(make, port):
            pass
    assert error.value.exit_code == EXIT_USAGE
    assert error.value.message == f"the dashboard cannot listen on 127.0.0.1:{port} (address already in use)"
    assert error.value.fix == "name another port: --port 0 takes one that is free"
    assert not asked
