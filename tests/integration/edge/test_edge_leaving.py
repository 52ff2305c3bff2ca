"""A caller who goes away: the replica has to learn of it, or it works on for nobody and spends the quota."""

import socket

import pytest

from tests.integration.edge.stage import Stage, post

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("port", "part", "path"),
    [
        ("users", "friday", "/api/chat"),
        ("internal", "litellm", "/chat/completions"),
        ("host", "litellm", "/chat/completions"),
    ],
)
def test_a_caller_who_leaves_is_told_to_the_replica(stage: Stage, port: str, part: str, path: str) -> None:
    stage.until_up(part, 2)
    with socket.create_connection(("127.0.0.1", stage.ports[port]), timeout=10) as connection:
        connection.sendall(post(path, '{"patient"}').replace(b"Connection: close\r\n", b""))
        stage.until(lambda: stage.busy(part))
    # The replica would go on for ten seconds.
    stage.until(lambda: stage.busy(part) is None, seconds=5)
