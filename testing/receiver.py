"""A receiver of webhooks on this machine that answers as a test wants it to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from testing.served import served


@dataclass
class Receiver:
    """What it got, and how it answers: nothing while it `hangs`, else the status with headers and body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    endless: bool = False
    hangs: bool = False
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/T0123/secretpart"

    @property
    def bodies(self) -> list[bytes]:
        return [body for _, _, body in self.got]


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"] or 0))
            receiver.got.append((self.path, {key.lower(): value for key, value in self.headers.items()}, content))
            if receiver.hangs:
                receiver.let_go.wait(60)
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(receiver.body)
            try:
                while receiver.endless:
                    self.wfile.write(receiver.body * 1000)
            except OSError:
                receiver.endless = False  # whoever asked has gone

        do_GET = do_POST  # noqa: N815 - a redirect that is followed would come like this

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    with served(server):
        try:
            yield receiver
        finally:
            receiver.let_go.set()
