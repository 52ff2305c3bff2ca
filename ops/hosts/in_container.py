"""Reaches a port inside a stack's container over Docker: for hosts that are not this one, and for unpublished ports."""

import threading
from collections.abc import Sequence

import httpx

from ops.errors import OperationError
from ops.hosts.docker_host import DockerHost

# The request comes by standard input: it may hold a key, and arguments are there for everybody on the host to see.
_TALK = 'exec 3<>"/dev/tcp/127.0.0.1/$1" && head -c "$0" >&3 && cat <&3'
_AT_ONCE = 4  # sshd lets ten sessions through a connection, and others use it too


class InContainer(httpx.BaseTransport):
    """An httpx transport for short texts: bash in the first running container of a part makes each request."""

    def __init__(self, hosts: Sequence[DockerHost], stack: str, part: str, port: int) -> None:
        self._hosts = hosts
        self._stack, self._part = stack, part
        self._port = port
        self._free = threading.Semaphore(_AT_ONCE)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make one request; httpx.ConnectError when no container answers."""
        written = _written(request)
        command = ["bash", "-c", _TALK, str(len(written)), str(self._port)]
        try:
            with self._free:
                ran = (host.run_in(self._stack, self._part, command, written) for host in self._hosts)
                answer = next((text for answers in ran for text in answers.values()), None)
        except OperationError as error:
            raise httpx.ConnectError(error.message, request=request) from error
        if answer is None:
            raise httpx.ConnectError(f"no container of {self._part} runs", request=request)
        return _read(answer, request)


def _written(request: httpx.Request) -> bytes:
    # HTTP/1.0: the answer comes in one piece and ends with the connection.
    lines = [
        f"{request.method} {request.url.raw_path.decode()} HTTP/1.0",
        f"Host: {request.url.host}",
        f"Content-Type: {request.headers.get('content-type', 'application/octet-stream')}",
        f"Content-Length: {len(request.content)}",
    ]
    if "authorization" in request.headers:
        lines.append(f"Authorization: {request.headers['authorization']}")
    return "\r\n".join([*lines, "", ""]).encode() + request.content


def _read(answer: str, request: httpx.Request) -> httpx.Response:
    head, found, body = answer.partition("\r\n\r\n")
    status = head.split(" ", 2)[1] if head.startswith("HTTP/") else ""
    if not found or not status.isdecimal():
        raise httpx.ConnectError(f"no HTTP answer: {answer.strip()[:200]}", request=request)
    return httpx.Response(int(status), text=body, request=request)
