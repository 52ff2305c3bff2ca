"""A stack's report as a page that stays new, for the browsers of this machine alone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from components.settings.source import SettingsError
from ops.commands.report import Reporter, Request
from ops.deployment import Deployment
from ops.errors import EXIT_USAGE, OperationError
from ops.report.model import Report
from ops.report.page import render

ADDRESS = "127.0.0.1"
SINCE = timedelta(days=7)
REFRESH_SECONDS = 10
_PATIENCE_SECONDS = 10
"""For a browser that connects and asks nothing."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",  # all else is in the page, which is also a file
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass
class _Made:
    """The page that was drawn last, and of which report."""

    report: Report | None = None
    text: str = ""


@contextmanager
def pages(deployment: Deployment) -> Iterator[Callable[[], str]]:
    """Yield what returns the page of a stack as it is now, for several threads; it raises as `Reporter.report` does.

    Only the first one reports its progress: nobody reads along later.
    """
    made, lock = _Made(), Lock()
    with Reporter(deployment, Request(SINCE)) as reporter:

        def newest() -> str:
            with lock:
                report = reporter.report()
                if report is not made.report:  # drawing takes longer than asking whether there is a newer one
                    made.report, made.text = report, render(report, REFRESH_SECONDS)
                deployment.report = lambda *_: None
                return made.text

        yield newest


class _Handler(BaseHTTPRequestHandler):
    """Answers with the page, and only to those who name this machine.

    A page from elsewhere whose name was made to lead here (DNS rebinding) sends that name, and reads nothing.
    """

    server: "_Server"
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "fridayctl", ""
    timeout = _PATIENCE_SECONDS

    def do_GET(self) -> None:
        if not self._names_this_machine():
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "This is the dashboard of another address.")
        elif self.path != "/":
            self._answer(HTTPStatus.NOT_FOUND, "The dashboard is at /.")
        else:
            self._page()

    do_HEAD = do_GET  # noqa: N815 - the name is the library's

    def _names_this_machine(self) -> bool:
        """Return whether it is asked by a name that can only be this machine's, with any port: of a tunnel, say."""
        names = self.headers.get_all("Host") or []
        return len(names) == 1 and names[0].lower().partition(":")[0] in (ADDRESS, "localhost")

    def _page(self) -> None:
        try:
            text = self.server.make()
        except OperationError as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, error.render())
        except SettingsError as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        else:
            self._answer(HTTPStatus.OK, text, "text/html")

    def _answer(self, status: HTTPStatus, text: str, kind: str = "text/plain") -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: a line every ten seconds hides what matters."""


class _Server(ThreadingHTTPServer):
    """Each browser has a thread of its own; all show the same page."""

    def __init__(self, make: Callable[[], str], port: int) -> None:
        self.make = make
        super().__init__((ADDRESS, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about a browser that has gone: it is closed, or asks again."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def listening(make: Callable[[], str], port: int) -> Iterator[ThreadingHTTPServer]:
    """Open the server of a page on 127.0.0.1 and make the first; `make` returns one or raises OperationError.

    An error of a later page is what the browser gets. OperationError (exit code 2) when something else has the port.
    """
    try:
        server = _Server(make, port)
    except OSError as error:
        what = f"the dashboard cannot listen on {ADDRESS}:{port} ({(error.strerror or str(error)).lower()})"
        raise OperationError(what, "name another port: --port 0 takes one that is free", EXIT_USAGE) from error
    with server:
        make()
        yield server


def url(server: ThreadingHTTPServer) -> str:
    """Return where a server's page is."""
    return f"http://{ADDRESS}:{server.server_address[1]}/"
