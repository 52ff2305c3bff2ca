"""A stack's report as a page that stays new, for the browsers of this machine alone."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ops.errors import EXIT_USAGE, OperationError

ADDRESS = "127.0.0.1"
REFRESH_SECONDS = 10
_FRESH_SECONDS = 2.0
"""For so long one page serves all who ask: several tabs are one question to Prometheus."""
_PATIENCE_SECONDS = 10
"""For a browser that connects and asks nothing."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",  # all else is in the page, which is also a file
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Page:
    """The page as it was made last, made again for whoever asks once it is no longer fresh."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._text, self._until = "", 0.0

    def now(self) -> str:
        with self._lock:
            if time.monotonic() >= self._until:
                self._text = self._make()
                self._until = time.monotonic() + _FRESH_SECONDS
            return self._text


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
        names = self.headers.get_all("Host") or []
        port = self.server.server_address[1]
        return len(names) == 1 and names[0].lower() in (f"{ADDRESS}:{port}", f"localhost:{port}")

    def _page(self) -> None:
        try:
            text = self.server.page.now()
        except OperationError as error:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, error.render())
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

    def __init__(self, page: _Page, port: int) -> None:
        self.page = page
        super().__init__((ADDRESS, port), _Handler)


@contextmanager
def listening(make: Callable[[], str], port: int) -> Iterator[ThreadingHTTPServer]:
    """Open the server of a page on 127.0.0.1 and make the first; `make` returns one or raises OperationError.

    An error of a later page is what the browser gets. OperationError (exit code 2) when something else has the port.
    """
    page = _Page(make)
    try:
        server = _Server(page, port)
    except OSError as error:
        what = f"the dashboard cannot listen on {ADDRESS}:{port} ({(error.strerror or str(error)).lower()})"
        raise OperationError(what, "name another port: --port 0 takes one that is free", EXIT_USAGE) from error
    with server:
        page.now()
        yield server


def url(server: ThreadingHTTPServer) -> str:
    """Return where a server's page is."""
    return f"http://{ADDRESS}:{server.server_address[1]}/"
