"""Calls over real connections: what comes back, what is raised, and that nothing is sent twice."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import Awaitable, Callable

import httpx
import pytest

from gateway.sending import Sending

Answer = Callable[["Peer", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nset-cookie: a=b\r\n\r\nhello"
SILENCE = httpx.Timeout(0.2)


class Peer:
    """A server on this machine that answers each request of a connection alike."""

    def __init__(self, answer: Answer) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.gone = asyncio.Event()
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._answer(self, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.gone.set()
        finally:
            writer.close()

    async def hear(self, reader: asyncio.StreamReader) -> None:
        """Take one request."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        self.requests.append(head + await reader.readexactly(int(length.split(b":")[1])))


def says(*answers: bytes) -> Answer:
    """Return what gives these answers to the requests of a connection, and then closes it."""

    async def answer(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in answers:
            await peer.hear(reader)
            writer.write(each)

    return answer


async def hangs(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await peer.hear(reader)
    await reader.readexactly(1)


async def never_reads(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await peer.gone.wait()


def ask(
    answer: Answer,
    *,
    times: int = 1,
    body: bytes = b"{}",
    timeout: httpx.Timeout | None = None,
) -> tuple[Peer, list[httpx.Response]]:
    """Send a request so many times, one after the other; return the peer and the answers, read."""

    async def run() -> tuple[Peer, list[httpx.Response]]:
        peer = Peer(answer)
        async with await asyncio.start_server(peer.serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api?a=%20b"
            async with httpx.AsyncClient(transport=Sending(), timeout=timeout) as client:
                try:
                    return peer, [await client.post(url, content=body, headers={"x-a": "1"}) for _ in range(times)]
                finally:
                    peer.gone.set()

    return asyncio.run(run())


def test_a_request_arrives_as_it_is_and_its_answer_too() -> None:
    peer, (answer,) = ask(says(WHOLE), body=b'{"a": 1}')
    line, *headers = peer.requests[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert line == b"POST /api?a=%20b HTTP/1.1"
    names = [name.lower() for name, _, _ in (header.partition(b":") for header in headers)]
    assert sorted(names) == sorted(
        [b"host", b"accept", b"accept-encoding", b"connection", b"user-agent", b"content-length", b"x-a"]
    )
    assert peer.requests[0].endswith(b'\r\n\r\n{"a": 1}')
    assert (answer.status_code, answer.text, answer.headers["content-length"]) == (200, "hello", "5")


def test_a_connection_is_used_again() -> None:
    peer, answers = ask(says(WHOLE, WHOLE), times=2)
    assert (peer.connections, [answer.text for answer in answers]) == (1, ["hello", "hello"])


def test_a_compressed_answer_is_unpacked_once() -> None:
    packed = gzip.compress(b"hello")
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    assert ask(says(head + packed))[1][0].text == "hello"


def test_a_long_header_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nx-policy: %s\r\ncontent-length: 5\r\n\r\nhello" % (b"x" * 30_000)
    assert ask(says(head))[1][0].text == "hello"


def test_a_redirect_is_not_followed() -> None:
    peer, (answer,) = ask(says(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"))
    assert (answer.status_code, len(peer.requests)) == (302, 1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(b""), httpx.ReadError),
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), httpx.ReadError),
        (says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel"), httpx.ReadError),
        (says(b"no HTTP at all\r\n\r\n"), httpx.ReadError),
        (hangs, httpx.ReadTimeout),
    ],
)
def test_a_broken_answer_is_an_error_of_httpx_and_not_asked_for_again(answer: Answer, error: type) -> None:
    heard: list[Peer] = []

    async def noted(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(peer)
        await answer(peer, reader, writer)

    with pytest.raises(httpx.RequestError) as raised:
        ask(noted, timeout=SILENCE)
    assert type(raised.value) is error
    assert len(heard) == 1


def test_a_kept_connection_that_ends_during_a_request_is_not_replaced() -> None:
    """The second request was sent, so it may have been answered: whether to ask again is for others to decide."""
    heard: list[Peer] = []

    async def once(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(peer)
        await peer.hear(reader)
        writer.write(WHOLE)
        await peer.hear(reader)

    with pytest.raises(httpx.ReadError):
        ask(once, times=2)
    assert (len(heard), len(heard[0].requests)) == (1, 2)


def test_a_body_that_nobody_takes_ends_in_time() -> None:
    with pytest.raises(httpx.ReadTimeout):
        ask(never_reads, body=b"x" * 20_000_000, timeout=SILENCE)


def test_nobody_at_an_address_is_a_connect_error() -> None:
    async def run() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        async with httpx.AsyncClient(transport=Sending()) as client:
            await client.post(f"http://127.0.0.1:{port}/", content=b"")

    with pytest.raises(httpx.ConnectError):
        asyncio.run(run())


def test_a_name_server_that_is_away_stops_its_own_requests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are looked up in threads of the event loop, also for a connection that other requests do not need."""
    answered = threading.Event()

    def hangs(*_: object, **__: object) -> None:
        answered.wait()
        raise socket.gaierror("nobody answered")

    async def run() -> str:
        peer = Peer(says(WHOLE))
        async with await asyncio.start_server(peer.serve, "127.0.0.1", 0) as server:
            monkeypatch.setattr(socket, "getaddrinfo", hangs)
            async with httpx.AsyncClient(transport=Sending(), timeout=SILENCE) as client:
                lost = asyncio.create_task(client.post("http://openrouter.example/", content=b"{}"))
                await asyncio.sleep(0)
                try:
                    answer = await client.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", content=b"{}")
                    with pytest.raises(httpx.ConnectTimeout):
                        await lost
                finally:
                    answered.set()
        return answer.text

    assert asyncio.run(run()) == "hello"


def test_a_proxy_is_asked_for_the_whole_address() -> None:
    async def run() -> Peer:
        peer = Peer(says(WHOLE))
        async with await asyncio.start_server(peer.serve, "127.0.0.1", 0) as server:
            proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with httpx.AsyncClient(transport=Sending(proxy)) as client:
                assert (await client.post("http://openrouter.example/api", content=b"{}")).text == "hello"
        return peer

    assert asyncio.run(run()).requests[0].startswith(b"POST http://openrouter.example/api HTTP/1.1\r\n")


def test_a_stream_comes_in_parts_and_its_connection_ends_with_it() -> None:
    async def parts(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await peer.hear(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
        await reader.readexactly(1)  # for ever, until the other side leaves

    async def run() -> bytes:
        peer = Peer(parts)
        async with await asyncio.start_server(peer.serve, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            async with httpx.AsyncClient(transport=Sending()) as client:
                async with client.stream("POST", url, content=b"{}") as answer:
                    first = await anext(answer.aiter_bytes())
                await asyncio.wait_for(peer.gone.wait(), 10)
        return first

    assert asyncio.run(run()) == b"a"
