"""HTTP at the edge as clients speak it: methods, framing, sizes, and errors that say what was wrong."""

import json
import re
import socket
import time

import pytest

from components.edge import GATEWAY_BODY_BYTES
from tests.integration.edge.stage import Stage, echoed

pytestmark = [pytest.mark.engine, pytest.mark.beside]

LIMITS = {"internal": GATEWAY_BODY_BYTES, "host": GATEWAY_BODY_BYTES, "users": 10_000_000}
PATH = "/chat/completions"
PIECE = 64 * 1024


def send(stage: Stage, port: str, size: int, *, chunked: bool, pause: float = 0, headers: str = "") -> str:
    """Send a body of some bytes to its end, slowly if asked; only then read the answer."""
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    with socket.create_connection(("127.0.0.1", stage.ports[port]), timeout=30) as connection:
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: e\r\n{framing}\r\nConnection: close\r\n{headers}\r\n".encode()
        )
        for begin in range(0, size, PIECE):
            piece = b" " * min(PIECE, size - begin)
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if chunked else piece)
            time.sleep(pause)
        if chunked:
            connection.sendall(b"0\r\n\r\n")
        return read(connection)


def read(connection: socket.socket) -> str:
    """Return an answer by its length, as clients do: the connection may stay open for longer."""
    with connection.makefile("rb") as answer:
        head = b"".join(iter(answer.readline, b"\r\n"))
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length, head
        return (head + b"\r\n" + answer.read(int(length[1]))).decode()


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("port", LIMITS)
def test_a_body_has_one_limit_whatever_its_framing(shared_stage: Stage, port: str, chunked: bool) -> None:
    limit = LIMITS[port]
    assert echoed(send(shared_stage, port, limit, chunked=chunked))["length"] == limit
    part = "friday" if port == "users" else "litellm"
    before = shared_stage.served(part)
    for size, pause in ((limit + 1, 0), (3 * limit, 0), (limit + 10 * PIECE, 0.01)):
        answer = send(shared_stage, port, size, chunked=chunked, pause=pause)
        assert answer.startswith("HTTP/1.1 413"), answer[:200]
        error = json.loads(answer.partition("\r\n\r\n")[2])["error"]
        assert error["code"] == "too_large"
        assert str(limit) in error["message"]
        assert len(error["request_id"]) == 36
    # One without its length has begun to go on when its size is seen.
    assert chunked or shared_stage.served(part) == before


def test_a_client_that_waits_for_leave_to_send_gets_it_or_the_413(shared_stage: Stage) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: e\r\nConnection: close\r\nExpect: 100-continue\r\n"
    long = f"{head}Content-Length: {GATEWAY_BODY_BYTES + 1}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared_stage.ports["host"]), timeout=30) as connection:
        connection.sendall(long.encode())
        assert read(connection).startswith("HTTP/1.1 413")
    answer = shared_stage.raw("host", f"{head}Content-Length: 2\r\n\r\n{{}}".encode())
    assert "HTTP/1.1 200" in answer


@pytest.mark.parametrize("port", ["internal", "host"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [(PATH, "POST, OPTIONS"), ("/v1/models", "GET, HEAD, OPTIONS"), ("/v1/models/a/b:free", "GET, HEAD, OPTIONS")],
)
def test_other_methods_hear_which_there_are(shared_stage: Stage, port: str, path: str, allowed: str) -> None:
    before = shared_stage.served("litellm")
    for method, status in (("OPTIONS", 204), ("DELETE", 405), ("TRACE", 405)):
        answer = shared_stage.raw(port, f"{method} {path} HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(f"HTTP/1.1 {status}")
        assert f"allow: {allowed}\r\n" in answer.lower().replace(allowed.lower(), allowed)
    assert shared_stage.served("litellm") == before


def test_head_reaches_what_get_does(shared_stage: Stage) -> None:
    answer = shared_stage.raw("host", b"HEAD /v1/models HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n")
    assert answer.startswith("HTTP/1.1 200")


@pytest.mark.parametrize("port", ["host", "users"])
@pytest.mark.parametrize("header", ["", "Connection: keep-alive\r\n"])
def test_a_stream_for_http_1_0_ends_with_its_connection(shared_stage: Stage, port: str, header: str) -> None:
    body = '{"stream": true}'
    head = f"POST {PATH} HTTP/1.0\r\nHost: e\r\n{header}Content-Length: {len(body)}\r\n\r\n"
    answered, _, text = shared_stage.raw(port, (head + body).encode()).partition("\r\n\r\n")
    assert "transfer-encoding" not in answered.lower()
    assert text.count("data: ") == 8
    assert text.startswith("data: ")
    assert text.endswith("7\n\n")


@pytest.mark.parametrize(
    ("port", "request_line", "status", "code"),
    [
        ("host", "GET /nothing", 404, "not_found"),
        ("internal", "GET /v1/models/", 404, "not_found"),
        ("host", "DELETE /v1/models", 405, "method_not_allowed"),
        ("users", "GET /metrics", 404, "not_found"),
    ],
)
def test_errors_are_json_with_a_word_and_the_id(
    shared_stage: Stage, port: str, request_line: str, status: int, code: str
) -> None:
    asked = f"{request_line} HTTP/1.1\r\nHost: e\r\nX-Request-Id: mine.1\r\nConnection: close\r\n\r\n"
    answer = shared_stage.raw(port, asked.encode())
    assert answer.startswith(f"HTTP/1.1 {status}")
    error = json.loads(answer.partition("\r\n\r\n")[2])["error"]
    assert (error["code"], error["request_id"]) == (code, "mine.1")
    assert "x-request-id: mine.1" in answer.lower()
