"""What every edge is asked after an update, by real bash at a real port; the edge's own ports are translated."""

import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from components.edge import GATEWAY_HOST_PORT, USERS_PORT
from ops.checks import edges
from ops.errors import EXIT_FAILED, CheckError
from testing.served import served
from tests.unit.given import LOCAL, settings

NOTHING_LISTENS = 1


class Server(HTTPServer):
    """An edge's port: it answers with `status`, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.asked: list[tuple[str, str]] = []
        self.origins: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["host"]))
        self.server.origins.append(self.headers["origin"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Host:
    """A Docker host whose edges, by name, have the given ports; `runs` counts how often they were asked."""

    def __init__(self, **edges: dict[int, int]) -> None:
        self.edges = edges
        self.runs = 0

    def run_in(self, stack: str, part: str, command: list[str]) -> dict[str, str]:
        assert (stack, part) == ("t", "edge")
        self.runs += 1
        return {name: self._run(command, ports) for name, ports in self.edges.items()}

    def _run(self, command: list[str], ports: dict[int, int]) -> str:
        asked = (ask.partition(" ") for ask in command[8:])
        here = [f"{ports[int(port)]} {request}" for port, _, request in asked]
        done = subprocess.run([*command[:8], *here], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr


@pytest.fixture
def server() -> Iterator[Server]:
    with served(Server()) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "_EDGE_SECONDS", 0.0)


def require(host: Host, percentage: int = 50) -> None:
    edges.require_serving("t", {"ssh://h": host}, settings(rolloutPercentage=percentage))  # type: ignore[dict-item]


def test_an_edge_that_leads_to_both_is_asked_once_for_each(server: Server) -> None:
    require(Host(edge={USERS_PORT: server.server_port, GATEWAY_HOST_PORT: server.server_port}))
    assert server.asked == [("/healthz", "friday"), ("/health", "friday")]


def test_the_gateway_is_not_asked_for_where_no_user_is_sent_there(server: Server) -> None:
    require(Host(edge={USERS_PORT: server.server_port}), percentage=0)
    assert server.asked == [("/healthz", "friday")]


def test_the_probes_headers_go_to_friday_and_not_to_the_gateway(server: Server) -> None:
    host = Host(edge={USERS_PORT: server.server_port, GATEWAY_HOST_PORT: server.server_port})
    own = {**LOCAL["friday"], "probeHeaders": {"Origin": "https://friday.example"}}
    edges.require_serving("t", {"ssh://h": host}, settings(rolloutPercentage=50, friday=own))  # type: ignore[dict-item]
    assert server.origins == ["https://friday.example", None]


@pytest.mark.usefixtures("impatient")
def test_each_edge_that_does_not_get_through_is_named_with_its_host(server: Server) -> None:
    server.status = 503
    port = server.server_port
    silent = {USERS_PORT: NOTHING_LISTENS, GATEWAY_HOST_PORT: port}
    with pytest.raises(CheckError, match="an edge does not get through") as caught:
        require(Host(one={USERS_PORT: port, GATEWAY_HOST_PORT: port}, two=silent))
    assert caught.value.details.splitlines() == [
        "one on ssh://h: Friday: 503, should be 200",
        "one on ssh://h: the gateway: 503, should be 200",
        "two on ssh://h: Friday: no answer, should be 200",
        "two on ssh://h: the gateway: 503, should be 200",
    ]
    assert caught.value.exit_code == EXIT_FAILED
    assert "verify t" in caught.value.fix


@pytest.mark.usefixtures("impatient")
def test_an_edge_that_stops_in_between_has_given_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "_run", lambda *_: "HTTP/1.1 200 OK\t\n")
    with pytest.raises(CheckError) as caught:
        require(Host(edge={}))
    assert caught.value.details == "edge on ssh://h: the gateway: no answer, should be 200"


def test_a_new_edge_gets_the_time_to_find_its_replicas(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(edge={USERS_PORT: server.server_port, GATEWAY_HOST_PORT: server.server_port})
    server.status = 503

    def found_by_now(*_: object) -> None:
        if host.runs == 2:
            server.status = 200

    monkeypatch.setattr("time.sleep", found_by_now)
    require(host)
    assert host.runs == 3


def test_a_host_without_an_edge_sends_nobody_anywhere() -> None:
    require(Host())
