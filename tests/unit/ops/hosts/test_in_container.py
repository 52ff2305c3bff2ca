"""HTTP inside a container: what bash is told to send, and what its answers mean."""

from collections.abc import Mapping

import httpx
import pytest

from ops.errors import OperationError
from ops.hosts.in_container import InContainer


class Host:
    """A host whose containers print the given answers."""

    def __init__(self, answers: Mapping[str, str] | OperationError) -> None:
        self._answers = answers
        self.ran: list[tuple[str, str, list[str]]] = []

    def run_in(self, stack: str, part: str, command: list[str]) -> Mapping[str, str]:
        self.ran.append((stack, part, command))
        if isinstance(self._answers, OperationError):
            raise self._answers
        return self._answers


def ask(*hosts: Host) -> httpx.Response:
    transport = InContainer(hosts, "t", "prometheus", 9090)  # type: ignore[arg-type]
    with httpx.Client(transport=transport) as client:
        return client.post("http://prometheus:9090/api/v1/query", data={"query": "up", "time": "1"})


def test_a_request_goes_through_the_container_and_its_answer_comes_back() -> None:
    host = Host({"friday-t-prometheus-1": 'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"data": "ä"}'})
    further = Host(OperationError("connection lost", "look"))
    response = ask(Host({}), host, further)
    assert further.ran == []
    assert (response.status_code, response.json()) == (200, {"data": "ä"})
    stack, part, command = host.ran[0]
    assert (stack, part, command[:2], command[-1]) == ("t", "prometheus", ["bash", "-c"], "9090")
    head, _, body = command[3].partition("\r\n\r\n")
    assert head.splitlines() == [
        "POST /api/v1/query HTTP/1.0",
        "Host: prometheus",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: 15",
    ]
    assert body == "query=up&time=1"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, "no container of prometheus runs"),
        ({"p": "bash: connect: Connection refused"}, "Connection refused"),
        ({"p": "HTTP/1.0 200 OK"}, "no HTTP answer"),
        (OperationError("connection lost", "look"), "connection lost"),
    ],
)
def test_no_answer_is_a_failed_connection(answers: Mapping[str, str] | OperationError, words: str) -> None:
    with pytest.raises(httpx.ConnectError, match=words):
        ask(Host(answers))


def test_a_key_travels_along() -> None:
    host = Host({"friday-t-simulator-1": "HTTP/1.0 200 OK\r\n\r\n{}"})
    transport = InContainer([host], "t", "simulator", 8080)  # type: ignore[list-item]
    with httpx.Client(transport=transport) as client:
        client.get("http://simulator:8080/api/v1/key", headers={"Authorization": "Bearer sk"})
    assert "\r\nAuthorization: Bearer sk\r\n\r\n" in host.ran[0][2][3]
