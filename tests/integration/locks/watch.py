"""What is tried beyond the upstream, counted inside of a network that has no way out but this machine's own addresses.

Run inside of the gateway's image. A foreign host is played by 127.0.0.2; every other address, and every name, has no
route, which the kernel counts whoever asks for it, in whatever language.
"""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Self

FOREIGN = ("127.0.0.2", 8999)
_NO_ROUTE = ("192.0.2.1", 9)
"""An address for documentation (RFC 5737), of no host."""


class Watch:
    """Counts while it is open; at the beginning it is shown that it counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """The first line of each connection to the foreign host."""
        self._listener = socket.create_server(FOREIGN)
        self._before = 0

    def __enter__(self) -> Self:
        """Begin to count. AssertionError if what is tried here is not seen."""
        threading.Thread(target=self._answer, daemon=True).start()
        before = _without_route()
        with contextlib.suppress(OSError):
            socket.create_connection(_NO_ROUTE, 1).close()
        self._before = _without_route()
        assert self._before == before + 1, "the kernel does not count what has no route"
        with socket.create_connection(FOREIGN, 5) as connection:
            connection.sendall(b"is it seen\r\n")
            connection.recv(1)
        assert self.asked == ["is it seen"], self.asked
        self.asked.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @property
    def without_route(self) -> int:
        """How many packets were meant for anywhere else, name servers included."""
        return _without_route() - self._before

    def _answer(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                with contextlib.suppress(OSError):
                    self.asked.append(connection.recv(200).decode("latin-1").split("\r\n")[0])
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _without_route() -> int:
    rows = [line.split() for line in Path("/proc/net/snmp").read_text(encoding="ascii").splitlines()]
    (names, values) = (row for row in rows if row[0] == "Ip:")
    ipv6 = dict(line.split() for line in Path("/proc/net/snmp6").read_text(encoding="ascii").splitlines())
    return int(values[names.index("OutNoRoutes")]) + int(ipv6.get("Ip6OutNoRoutes", 0))
