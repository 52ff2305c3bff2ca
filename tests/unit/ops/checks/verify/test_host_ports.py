"""The edge's ports, asked over a real socket: what should answer, what should not."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ops.checks.report import State
from ops.checks.verify import host
from ops.hosts.testinfra_host import TestHost
from testing.ports import free_ports
from tests.unit.given import settings


class Edge(BaseHTTPRequestHandler):
    """Answers as the edge does; `open_too` are paths that it should have closed."""

    open_too: tuple[str, ...] = ()

    def _answer(self) -> None:
        statuses = {"/healthz": 200, "/health": 200, "/chat/completions": 401, **dict.fromkeys(self.open_too, 200)}
        self.send_response(statuses.get(self.path, 404))
        self.end_headers()

    do_GET = do_POST = _answer  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Edge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def asked(users: int, gateway: int, address: str = "unix:///var/run/docker.sock") -> list[tuple[str, ...] | None]:
    """Ask both ports; None for one that could not be asked."""
    chosen = settings(edge={"port": users, "gatewayPort": gateway})
    place = TestHost(address, None, ["docker"])
    return [None if check.state is State.SKIPPED else check.problems for check in host.ports(place, "t", chosen)]


def test_an_edge_as_it_should_be_passes(port: int) -> None:
    (other,) = free_ports(1)
    users, gateway = asked(port, other)
    assert users == ()
    assert gateway is not None
    assert all("no answer" in problem for problem in gateway)
    assert asked(other, port)[1] == ()


def test_an_open_admin_path_is_named(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Edge, "open_too", ("/metrics", "/key/generate"))
    (other,) = free_ports(1)
    assert asked(port, other)[0] == ("GET /metrics: answered with 200, should be 404",)
    assert asked(other, port)[1] == (
        "GET /metrics: answered with 200, should be 404",
        "POST /key/generate: answered with 200, should be 404",
    )


def test_a_proxy_of_the_environment_is_not_asked(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert asked(port, free_ports(1)[0])[0] == ()


def test_over_tcp_only_the_users_port_can_be_asked(port: int) -> None:
    chosen = settings(edge={"port": port, "gatewayPort": free_ports(1)[0], "bindAddress": "0.0.0.0"})  # noqa: S104
    users, gateway = host.ports(TestHost("tcp://127.0.0.1:2376", None, ["docker"]), "t", chosen)
    assert (users.state, gateway.state) == (State.OK, State.SKIPPED)


def test_a_tunnel_is_used_where_there_is_one(port: int, tmp_path: Path) -> None:
    place = TestHost("ssh://host", None, ["docker"], {port: tmp_path / "no-socket"})
    with place.client("127.0.0.1", port) as client:
        assert client is not None
        with pytest.raises(Exception, match="No such file"):
            client.get("/healthz")
