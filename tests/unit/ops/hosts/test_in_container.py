"""HTTP inside a container: what bash is told to send, and what its answers mean."""

import socket
import subprocess
import threading
from collections.abc import Mapping

import httpx
import pytest

from ops.errors import OperationError
from ops.hosts import in_container
from ops.hosts.in_container import InContainer


class Host:
    """A host whose containers print the given answers."""

    def __init__(self, answers: Mapping[str, str] | OperationError) -> None:
        self._answers = answers
        self.ran: list[tuple[str, str, list[str], str]] = []

    def run_in(self, stack: str, part: str, command: list[str], stdin: bytes) -> Mapping[str, str]:
        self.ran.append((stack, part, command, stdin.decode()))
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
    stack, part, command, sent = host.ran[0]
    assert (stack, part, command[:2], command[3:]) == ("t", "prometheus", ["bash", "-c"], [str(len(sent)), "9090"])
    head, _, body = sent.partition("\r\n\r\n")
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


def test_a_key_travels_by_standard_input_and_not_as_an_argument() -> None:
    host = Host({"friday-t-simulator-1": "HTTP/1.0 200 OK\r\n\r\n{}"})
    transport = InContainer([host], "t", "simulator", 8080)  # type: ignore[list-item]
    with httpx.Client(transport=transport) as client:
        client.get("http://simulator:8080/api/v1/key", headers={"Authorization": "Bearer sk-1"})
    _, _, command, sent = host.ran[0]
    assert "\r\nAuthorization: Bearer sk-1\r\n\r\n" in sent
    assert "sk-1" not in " ".join(command)


def test_the_script_sends_as_many_bytes_as_it_is_told_and_prints_the_answer() -> None:
    """The real bash and a real port: its standard input stays open, as over TLS and ssh."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(100))
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

        heard: list[bytes] = []
        thread = threading.Thread(target=answer)
        thread.start()
        line = ["bash", "-c", in_container._TALK, "3", str(server.getsockname()[1])]
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(b"abc")
            process.stdin.flush()
            assert process.stdout.read() == b"HTTP/1.0 200 OK\r\n\r\n"
        thread.join()
    assert heard == [b"abc"]
