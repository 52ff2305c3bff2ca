"""One address with very many connections: nobody is refused while there is room, and the last of it is the others'."""

import contextlib
import socket
from typing import cast

import pytest

from tests.integration.edge.stage import Stage

pytestmark = [pytest.mark.engine, pytest.mark.beside]

CONNECTIONS = 1000
BEFORE_THE_LAST = 950
REQUEST = b"GET /kept HTTP/1.1\r\nHost: edge\r\n\r\n"
FROM_ELSEWHERE = """
import http.client
connection = http.client.HTTPConnection("edge", 3000, timeout=20)
connection.request("GET", "/elsewhere")
print(connection.getresponse().status)
"""


def answered(connection: socket.socket) -> bool:
    """Send a request over a connection that is kept; return whether it was answered."""
    connection.sendall(REQUEST)
    try:
        return connection.recv(65_536).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


def test_one_address_does_not_shut_the_others_out(stage: Stage) -> None:
    stage.edge.remove(force=True, v=True)
    stage.containers.remove(stage.edge)
    stage.start_edge(connections=CONNECTIONS)
    stage.until_up("friday", 2)
    with contextlib.ExitStack() as kept:
        for number in range(BEFORE_THE_LAST):
            connection = kept.enter_context(socket.create_connection(("127.0.0.1", stage.ports["users"]), timeout=20))
            assert answered(connection), f"connection {number + 1}"
        last = [
            answered(kept.enter_context(socket.create_connection(("127.0.0.1", stage.ports["users"]), timeout=20)))
            for _ in range(3)
        ]
        assert not all(last)
        assert answered(connection), "one that was there before"
        ran = stage.replicas("friday")[0].exec_run(["python3", "-c", FROM_ELSEWHERE])
        assert (ran.exit_code, cast(bytes, ran.output).split()) == (0, [b"200"])
    stage.until(lambda: stage.get("users", "/again").startswith("HTTP/1.1 200"))
