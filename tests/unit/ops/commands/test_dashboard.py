"""The live page: for this machine alone, one question for all tabs, and an error is a sentence in the browser."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import pytest

from ops.commands import dashboard
from ops.commands.dashboard import ADDRESS, listening, url
from ops.errors import EXIT_USAGE, OperationError


@contextmanager
def served(make: Callable[[], str]) -> Iterator[ThreadingHTTPServer]:
    with listening(make, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


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
    with served(lambda: "<p>hello") as server:
        assert server.server_address[0] == "127.0.0.1"
        assert url(server) == f"http://127.0.0.1:{server.server_address[1]}/"
        status, headers, text = ask(server)
    assert (status, text) == (200, "<p>hello")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "localhost:1", "", "localhost:PORT,x"]
)
def test_another_name_reads_nothing(host: str) -> None:
    with served(lambda: "secret") as server:
        status, _, text = ask(server, host=host.replace("PORT", str(server.server_address[1])))
    assert status == 421
    assert "secret" not in text


def test_its_own_names_in_any_letters_are_let_in() -> None:
    with served(lambda: "page") as server:
        assert ask(server, host=f"LOCALHOST:{server.server_address[1]}")[0] == 200


def test_there_is_one_page_and_it_is_only_read() -> None:
    with served(lambda: "page") as server:
        assert ask(server, "/etc/passwd")[0] == 404
        assert ask(server, "/?x=1")[0] == 404
        assert ask(server, method="POST")[0] == 501
        status, headers, text = ask(server, method="HEAD")
    assert (status, headers["Content-Length"], text) == (200, "4", "")


def test_several_tabs_are_one_question_while_the_page_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    now, made = [100.0], list[str]()

    def make() -> str:
        made.append("x")
        return f"page {len(made)}"

    monkeypatch.setattr("ops.commands.dashboard.time.monotonic", lambda: now[0])
    with served(make) as server:
        assert [ask(server)[2] for _ in range(3)] == ["page 1"] * 3
        now[0] += 2
        assert ask(server)[2] == "page 2"


def test_an_error_of_a_later_page_is_in_the_browser_and_the_next_page_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "_FRESH_SECONDS", 0.0)
    answers: Iterator[str | OperationError] = iter(
        ["first", OperationError("the state cannot be read", "mount it"), "third"]
    )

    def make() -> str:
        answer = next(answers)
        if isinstance(answer, OperationError):
            raise answer
        return answer

    with served(make) as server:
        status, headers, text = ask(server)
        assert (status, text) == (503, "the state cannot be read\n  fix: mount it")
        assert headers["Content-Type"] == "text/plain; charset=utf-8"
        assert ask(server)[0:3:2] == (200, "third")


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
