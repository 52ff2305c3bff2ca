"""The load generator against a real socket server, and its arithmetic."""

import asyncio
import itertools
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from benchmarks.http_client import Request, TargetError, check_target
from benchmarks.load import Plan, Record, due_times, errors, milliseconds, percentile, run, worst_delay

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Path: litellm\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


def request(number: int) -> Request:
    return Request(f"/chat?n={number}", {}, {"Authorization": "x"})


class Server:
    """Counts connections and keeps the requests; `answer` is written for each."""

    def __init__(self, answer: bytes, *, hang_up: bool = False, delay: float = 0.0) -> None:
        self.answer, self.hang_up, self.delay = answer, hang_up, delay
        self.connections = 0
        self.requests: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await self._read(reader):
                self.requests.append(head)
                await asyncio.sleep(self.delay)
                writer.write(self.answer)
                await writer.drain()
                if self.hang_up:
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = next(int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length"))
        return head + await reader.readexactly(length)


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/base"
    try:
        yield server
    finally:
        listener.close()


def loaded(server: Server, *, count: int = 5, **options: object) -> list[Record]:
    """Send `count` requests, 200 a second."""
    sent = itertools.count()

    async def both() -> list[Record]:
        async with serving(server):
            return await run(Plan(server.url, 200, request, until=lambda: next(sent) >= count, **options))  # type: ignore[arg-type]

    return asyncio.run(both())


@pytest.mark.parametrize("answer", [OK, CHUNKED], ids=["length", "chunked"])
def test_connections_are_reused(answer: bytes) -> None:
    server = Server(answer)
    assert not any(record.error for record in loaded(server, count=20))
    assert server.connections < 20


def test_what_is_sent_and_recorded() -> None:
    server = Server(OK)
    records = loaded(server, count=2)
    assert server.requests[1].startswith(b"POST /base/chat?n=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: x\r\n" in server.requests[1]
    assert server.requests[1].endswith(b"\r\n\r\n{}")
    assert [record.number for record in records] == [0, 1]
    assert all(record.start >= record.due > 0 < record.duration for record in records)
    assert [record.headers.get("x-path") for record in records] == ["litellm"] * 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "ServerDisconnectedError"),
        (OK[:-1], "ClientPayloadError"),
        (b"SMTP 200 x\r\n\r\n", "ClientResponseError"),
        (CHUNKED[:50], "ClientPayloadError"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "status 302"),
    ],
    ids=["nothing", "short", "not http", "cut chunks", "503", "redirect"],
)
def test_failures_are_counted_by_kind_and_not_repeated(answer: bytes, error: str) -> None:
    server = Server(answer, hang_up=True)
    records = loaded(server, count=3)
    assert errors(records) == {error: 3}
    assert len(server.requests) == 3
    assert milliseconds(records) == []


def test_silence_is_a_timeout_and_a_closed_port_an_error() -> None:
    assert errors(loaded(Server(b""), timeout=0.1)) == {"timeout": 5}

    async def nobody() -> list[Record]:
        async with serving(Server(OK)) as server:
            url = server.url
        return await run(Plan(url, 100, request, seconds=0.02))

    assert set(errors(asyncio.run(nobody()))) == {"ClientConnectorError"}


def test_arrivals_do_not_wait_for_answers() -> None:
    slow = loaded(Server(OK, delay=0.3), count=20)
    assert slow[-1].start < slow[0].start + slow[0].duration, "the last began before the first was answered"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://localhost/",
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@10.0.0.1/",
        "http://x@127.0.0.1/",
        "https://127.0.0.1/",
        "http://[::1]/",
        "http://127.0.0.1:99999/",
        "127.0.0.1:80",
        "",
    ],
)
def test_only_this_machine_can_be_loaded(url: str) -> None:
    with pytest.raises(TargetError, match="this machine only"):
        asyncio.run(run(Plan(url, 1, request)))
    check_target("http://127.3.2.1:81/a")


def test_arrivals_are_repeatable_and_have_the_rate() -> None:
    plan = Plan("http://127.0.0.1", 50, request, seconds=200, seed=3)
    due = list(due_times(plan))
    assert due == list(due_times(plan))
    assert len(due) == pytest.approx(200 * 50, rel=0.05)
    gaps = [b - a for a, b in itertools.pairwise(due)]
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.05), "as spread as an exponential"


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 2), (0.51, 3), (0.75, 3), (0.95, 4), (1, 4)])
def test_percentile(share: float, expected: float) -> None:
    assert percentile([1, 2, 3, 4], share) == expected


def test_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs values"):
        percentile([], 0.5)


def test_failures_have_no_part_in_the_durations() -> None:
    records = [Record(n, n / 10, n / 10 + 0.002, (n + 1) / 1000, None, {}) for n in range(10)]
    records.append(Record(10, 1.0, 1.0, 30.0, "timeout", {}))
    assert milliseconds(records) == pytest.approx(range(1, 11))
    assert worst_delay(records) == pytest.approx(2)
    assert worst_delay([]) == 0
