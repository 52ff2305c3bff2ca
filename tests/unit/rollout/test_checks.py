"""Ports, answers and complaints: what is asked before and after an update."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from rollout import checks, ports
from rollout.errors import EXIT_USAGE, OperationError
from rollout.hosts import DockerHost, Instance
from rollout.status import Status
from tests.unit.given import settings


class Engine:
    """A Docker host that knows who publishes which port."""

    def __init__(self, ports: dict[int, tuple[str, str]] | None = None, complaint: str = "") -> None:
        self._ports, self._complaint = ports or {}, complaint

    def published_ports(self) -> dict[int, tuple[str, str]]:
        return self._ports

    def complaint(self, stack: str) -> str:
        return self._complaint


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def edge(port: int) -> Any:
    return settings(edge={"port": port, "gatewayPort": free_port()}, simulator={"port": free_port()})


def test_a_port_of_a_foreign_process_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OperationError) as caught:
            ports.check("t", edge(port), Engine())  # type: ignore[arg-type]
    assert caught.value.exit_code == EXIT_USAGE
    assert f"Pulumi.t.yaml: friday-litellm:edge.port: port {port} should be free" in caught.value.message
    assert "pulumi config set --path 'edge.port'" in caught.value.mend


def test_a_port_of_a_foreign_container_names_the_container() -> None:
    with pytest.raises(OperationError, match="the container other-web"):
        ports.check("t", edge(1), Engine({1: ("other-web", "")}))  # type: ignore[arg-type]


def test_the_stacks_own_containers_may_hold_its_ports() -> None:
    ports.check("t", edge(1), Engine({1: ("friday-t-edge-1", "t")}))  # type: ignore[arg-type]


def test_a_port_of_another_machine_is_that_machines_business() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        far = edge(taken.getsockname()[1]).model_copy(update={"docker_host": "ssh://deploy@host.example"})
        ports.check("t", far, Engine())  # type: ignore[arg-type]


def test_an_unhealthy_stack_is_told_with_what_was_seen() -> None:
    with pytest.raises(OperationError, match="not everything is healthy") as caught:
        checks.all_well("t", Engine(complaint="friday-1: exited"))  # type: ignore[arg-type]
    assert "friday-1: exited" in caught.value.details
    checks.all_well("t", Engine())  # type: ignore[arg-type]


@pytest.fixture
def friday(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that answers every question over the path and with the status of the test's parameter."""
    status, path = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("X-Friday-Path", path)
            self.send_header("X-Friday-Model", "m:free")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("friday", [(200, "litellm")], indirect=True)
def test_at_100_percent_only_the_gateway_is_asked(friday: str) -> None:
    answers = checks.both_paths(friday, settings(rolloutPercentage=100))
    assert [(answer.user_id, answer.path, answer.model) for answer in answers] == [(0, "litellm", "m:free")]


@pytest.mark.parametrize("friday", [(200, "direct")], indirect=True)
@pytest.mark.parametrize("changes", [{"rolloutPercentage": 0}, {"rolloutPercentage": 50, "litellmEnabled": False}])
def test_without_a_rollout_only_the_direct_path_is_asked(friday: str, changes: dict[str, Any]) -> None:
    assert [answer.user_id for answer in checks.both_paths(friday, settings(**changes))] == [99]


@pytest.mark.parametrize("friday", [(200, "fallback")], indirect=True)
def test_an_answer_over_the_wrong_path_is_a_failure(friday: str) -> None:
    with pytest.raises(OperationError, match="user 0 should be answered over litellm"):
        checks.both_paths(friday, settings(rolloutPercentage=50))


@pytest.mark.parametrize("friday", [(500, "litellm")], indirect=True)
def test_an_error_is_a_failure_with_the_answers_text(friday: str) -> None:
    with pytest.raises(OperationError, match="did not answer user 0") as caught:
        checks.ask(friday, 0)
    assert caught.value.details == "{}"


def test_an_engine_that_does_not_answer_is_named() -> None:
    with pytest.raises(OperationError, match=r"Docker at unix:///nonexistent\.sock does not answer") as caught:
        DockerHost("unix:///nonexistent.sock")
    assert caught.value.exit_code == EXIT_USAGE


def instance(health: str = "healthy") -> Instance:
    return Instance("friday-t-friday-1", "friday", "i:1", "running", health, 5)


@pytest.mark.parametrize(
    ("deployed", "instances", "headline"),
    [
        (None, [], "not deployed"),
        (50, [instance()], "50 % of users through LiteLLM, all healthy"),
        (50, [instance("starting")], "50 % of users through LiteLLM, 1 of 1 containers not well"),
        (10, [instance()], "10 % of users through LiteLLM (the stack file says 50 %"),
    ],
)
def test_the_headline_says_where_the_rollout_stands(
    deployed: int | None, instances: list[Instance], headline: str
) -> None:
    status = Status("t", 50, deployed, "", instances, {})
    assert status.headline.startswith(headline)
    assert status.well is (bool(instances) and instances[0].well)
