"""Keeps many connections to the edge open, from a container in its network: `many.py HOST PORT COUNT idle|slow`.

`idle` ones have been answered once and ask no more, as those that browsers keep. `slow` ones send a question byte by
byte and never get to its end. One that the edge closes is opened anew. Says `open` once all are there, and runs until
it is ended.
"""

import selectors
import socket
import sys
import time

# Answered by the edge itself: these connections are to cost Friday nothing.
_ASK = b"GET /metrics HTTP/1.1\r\nHost: edge\r\n\r\n"
_BEGIN = b"POST /api/chat HTTP/1.1\r\nHost: edge\r\nContent-Length: 500\r\n"
_MOST_SECONDS = 900
_PAUSE_SECONDS = 1.0
_AT_ONCE = 100
"""Opened in a row: more than the kernel lets wait for an `accept` would be lost, and sent again a second later."""


class Crowd:
    """The connections, and what each of them does."""

    def __init__(self, host: str, port: int, *, slow: bool) -> None:
        self._address, self._slow = (host, port), slow
        self._selector = selectors.DefaultSelector()

    def open(self, count: int) -> None:
        """Open so many more."""
        for number in range(count):
            made = socket.create_connection(self._address, timeout=30)
            made.sendall(_BEGIN if self._slow else _ASK)
            self._selector.register(made, selectors.EVENT_READ)
            if number % _AT_ONCE == 0:
                time.sleep(0.05)

    def live(self) -> None:
        """Let a second pass: read what came, open anew what was closed, send the next byte of what is slow."""
        until = time.monotonic() + _PAUSE_SECONDS
        closed = 0
        while (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                closed += self._read(key.fileobj)
        self.open(closed)
        if self._slow:
            for key in list(self._selector.get_map().values()):
                self._send(key.fileobj)

    def _read(self, made: object) -> int:
        assert isinstance(made, socket.socket)
        try:
            if made.recv(4096):
                return 0
        except OSError:
            pass  # reset: closed, too
        self._selector.unregister(made)
        made.close()
        return 1

    def _send(self, made: object) -> None:
        assert isinstance(made, socket.socket)
        try:
            made.send(b"x")
        except OSError:
            return  # the next read says that it is closed


def main(host: str, port: str, count: str, kind: str) -> None:
    """Open them all, and keep them."""
    crowd = Crowd(host, int(port), slow=kind == "slow")
    crowd.open(int(count))
    print("open", flush=True)
    end = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < end:
        crowd.live()


if __name__ == "__main__":
    main(*sys.argv[1:])
