"""An upstream with a certificate of a private authority, and a proxy that takes CONNECT: both real, on this machine."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODELS = {"data": [{"id": "one/two:free"}, {"id": "three/four"}]}


@contextmanager
def upstream(
    certificate: tuple[Path, Path] | None, status: int = 200, body: bytes = json.dumps(MODELS).encode()
) -> Iterator[int]:
    """Run an upstream that gives every request the same answer; yield its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with _running(server):
        yield int(server.server_address[1])


class Proxy:
    """What a proxy was asked for; `status` is its answer."""

    def __init__(self, status: str) -> None:
        self.status = status
        self.asked: list[str] = []
        self.port = 0


@contextmanager
def proxy(status: str = "200 Connection established", *, to: int | None = None) -> Iterator[Proxy]:
    """Run a proxy; with another status than 200 it connects nobody, with `to` everybody to that local port."""
    seen = Proxy(status)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            seen.asked.append(self.path)
            self.wfile.write(f"HTTP/1.1 {seen.status}\r\n\r\n".encode())
            self.close_connection = True
            if not seen.status.startswith("200"):
                return
            host, _, port = self.path.partition(":")
            with socket.create_connection(("127.0.0.1", to) if to else (host, int(port))) as far:
                back = threading.Thread(target=_pump, args=(far, self.connection), daemon=True)
                back.start()
                _pump(self.connection, far)
                back.join()

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    seen.port = int(server.server_address[1])
    with _running(server):
        yield seen


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def _running(server: http.server.ThreadingHTTPServer) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
