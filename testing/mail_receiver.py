"""A mail server of this machine that keeps what it is given, with TLS where it has a certificate."""

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from socketserver import StreamRequestHandler, ThreadingTCPServer

from testing.served import served


@dataclass
class MailReceiver:
    """What it got, and how it answers: every message is refused while `refuses` is set, and `unknown` is no address.

    With `tls` it speaks TLS after STARTTLS, and with `at_once` from the start. It takes the one `password`.
    """

    refuses: bool = False
    unknown: str = ""
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    password: str = ""
    got: list[tuple[list[str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def messages(self) -> list[EmailMessage]:
        return [BytesParser(EmailMessage, policy=default).parsebytes(content) for _, content in self.got]


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, receiver: MailReceiver) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.receiver = receiver

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that does not trust the certificate leaves in the middle


class _Connection(StreamRequestHandler):
    server: _Server

    def setup(self) -> None:
        self._to: list[str] = []
        if self.server.receiver.at_once:
            self._begin_tls()
        super().setup()

    def _begin_tls(self) -> None:
        assert self.server.receiver.tls
        self.request = self.server.receiver.tls.wrap_socket(self.request, server_side=True)

    def handle(self) -> None:
        self._say("220 mail.test")
        while (line := self.rfile.readline().decode().strip()) not in ("", "QUIT"):
            verb, _, given = line.partition(" ")
            self._answer(verb.upper(), given)

    def _answer(self, verb: str, given: str) -> None:
        receiver = self.server.receiver
        match verb:
            case "EHLO":
                self._say("250-mail.test", "250-AUTH PLAIN", "250 STARTTLS" if receiver.tls else "250 SIZE")
            case "STARTTLS" if receiver.tls:
                self._say("220 go on")
                self._begin_tls()
                super().setup()
            case "AUTH":
                shown = base64.b64decode(given.removeprefix("PLAIN ")).decode().split("\0")[2]
                self._say("235 welcome" if shown == receiver.password else f"535 not with {shown}")
            case "RCPT" if receiver.unknown and receiver.unknown in given:
                self._say("550 nobody of that name")
            case "RCPT":
                self._to.append(given.partition(":")[2])
                self._say("250 well")
            case "DATA":
                self._say("354 go on")
                content = b"".join(iter(self.rfile.readline, b".\r\n"))
                receiver.got += [] if receiver.refuses else [(self._to, content)]
                self._say("554 no place" if receiver.refuses else "250 kept")
            case _:
                self._say("250 well")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def receiving_mail(receiver: MailReceiver) -> Iterator[MailReceiver]:
    server = _Server(receiver)
    receiver.port = server.server_address[1]
    with served(server):
        yield receiver
