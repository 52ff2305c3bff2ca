"""A mail server of this machine that keeps what it is given: without TLS, names or passwords."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from socketserver import StreamRequestHandler, ThreadingTCPServer


@dataclass
class MailReceiver:
    """What it got, and how it answers: every message is refused while `refuses` is set."""

    refuses: bool = False
    got: list[tuple[list[str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def messages(self) -> list[EmailMessage]:
        return [BytesParser(EmailMessage, policy=default).parsebytes(content) for _, content in self.got]


@contextmanager
def receiving_mail(receiver: MailReceiver) -> Iterator[MailReceiver]:
    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            to: list[str] = []
            self._say("220 mail.test")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].upper()
                if verb == "DATA":
                    self._say("354 go on")
                    content = b"".join(iter(self.rfile.readline, b".\r\n"))
                    if not receiver.refuses:
                        receiver.got.append((to, content))
                    self._say("554 no place" if receiver.refuses else "250 kept")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    to += [line.split(":", 1)[1]] if verb == "RCPT" else []
                    self._say("250 well")

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
