"""The load generator against a real socket server, and its arithmetic."""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks import load
from benchmarks.http_client import Request, Response, Target, TargetError
from benchmarks.load import Plan, Record, due_times, percentile, run, summarise

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Path: litellm\r\n\r\nhi"
Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


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
    async def both() -> list[Record]:
        async with serving(server):
            plan = Plan(server.url, rate=200, count=count, arrivals="fixed", **options)  # type: ignore[arg-type]
            return await run(plan)

    return asyncio.run(both())


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "hang_up", "body"),
    [
        (OK, False, b"hi"),
        (CHUNKED, False, b"abcde"),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", True, b"to the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, b""),
    ],
    ids=["length", "chunked", "until close", "no content"],
)
def test_bodies_are_read_whole(answer: bytes, hang_up: bool, body: bytes) -> None:
    seen: list[bytes] = []

    def accept(response: Response) -> bool:
        seen.append(response.body)
        return True

    records = loaded(Server(answer, hang_up=hang_up), accept=accept)
    assert seen == [body] * 5
    assert [r.error for r in records] == [None] * 5


def test_connections_are_reused_unless_told_or_asked_not_to() -> None:
    server = Server(OK)
    loaded(server)
    assert server.connections < 5
    fresh = Server(OK)
    loaded(fresh, fresh_connections=True)
    assert fresh.connections == 5
    assert b"Connection: close\r\n" in fresh.requests[0]
    closing = Server(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert not any(r.failed for r in loaded(closing))
    assert closing.connections == 5


def test_what_is_sent_and_recorded() -> None:
    server = Server(OK)
    records = loaded(
        server,
        request=lambda n: Request("POST", f"/chat?n={n}", {"Authorization": "x"}, b"{}"),
        picked_headers=("X-Path", "X-Missing"),
        count=2,
    )
    assert server.requests[1].startswith(b"POST /base/chat?n=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert server.requests[1].endswith(b"\r\nAuthorization: x\r\n\r\n{}")
    assert [r.number for r in records] == [0, 1]
    assert [r.due for r in records] == pytest.approx([0.005, 0.01])
    assert all(r.start >= r.due and r.duration > 0 for r in records)
    assert [r.headers for r in records] == [{"X-Path": "litellm"}] * 2


@pytest.mark.parametrize(
    ("answer", "hang_up", "error"),
    [
        (b"", True, "ProtocolError"),
        (OK[:-1], True, "ProtocolError"),
        (b"SMTP 200 x\r\n\r\n", False, "ProtocolError"),
        (b"HTTP/1.1 OK\r\n\r\n", False, "ProtocolError"),
        (CHUNKED[:60], True, "ProtocolError"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", False, "not accepted"),
    ],
    ids=["nothing", "short", "not http", "no status", "cut chunks", "503"],
)
def test_failures_are_counted_by_kind(answer: bytes, hang_up: bool, error: str) -> None:
    summary = summarise(loaded(Server(answer, hang_up=hang_up), count=3))
    assert (summary.requests, summary.failures, summary.errors) == (3, 3, {error: 3})
    assert summary.p50_ms is None


def test_silence_is_a_timeout_and_a_closed_port_an_error() -> None:
    assert {r.error for r in loaded(Server(b""), timeout=0.1)} == {"timeout"}

    async def nobody() -> list[Record]:
        async with serving(Server(OK)) as server:
            url = server.url
        return await run(Plan(url, rate=100, count=2))

    assert {r.error for r in asyncio.run(nobody())} == {"ConnectionRefusedError"}


def test_arrivals_do_not_wait_for_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = loaded(Server(OK, delay=0.3), count=20)
    assert slow[-1].start < slow[0].start + slow[0].duration, "the last began before the first was answered"
    monkeypatch.setattr(load, "MOST_IN_FLIGHT", 3)
    errors = [r.error for r in loaded(Server(OK, delay=0.3), count=6)]
    assert errors == [None] * 3 + ["too many in flight"] * 3


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
        asyncio.run(run(Plan(url, rate=1, count=1)))


def test_target_keeps_path_and_query() -> None:
    assert Target.parse("http://127.3.2.1:81/a/?b=c") == Target("127.3.2.1", 81, "/a?b=c")
    assert Target.parse("http://127.0.0.1") == Target("127.0.0.1", 80, "")


@pytest.mark.parametrize(
    ("option", "value"),
    [("rate", 0), ("count", 0), ("count", 200_001), ("seconds", 3601), ("timeout", -1)],
)
def test_plans_are_bounded(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{option}: should be above 0"):
        Plan(**{"url": "http://127.0.0.1", "rate": 1, option: value})  # type: ignore[arg-type]


def test_poisson_arrivals_are_repeatable_and_have_the_rate() -> None:
    plan = Plan("http://127.0.0.1", rate=50, seconds=200, seed=3)
    due = list(due_times(plan))
    assert due == list(due_times(plan))
    assert len(due) == pytest.approx(200 * 50, rel=0.05)
    gaps = [b - a for a, b in itertools.pairwise(due)]
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.05), "as spread as an exponential"
    fixed = Plan("http://127.0.0.1", rate=4, seconds=1, arrivals="fixed")
    assert list(due_times(fixed)) == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 2), (0.51, 3), (0.75, 3), (0.95, 4), (1, 4)])
def test_percentile(share: float, expected: float) -> None:
    assert percentile([1, 2, 3, 4], share) == expected


def test_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs values"):
        percentile([], 0.5)


def test_summary_leaves_failures_out_of_the_percentiles() -> None:
    records = [Record(n, n / 10, n / 10 + 0.002, (n + 1) / 1000, 200, None, {}) for n in range(10)]
    records.append(Record(10, 1.0, 1.0, 30.0, None, "timeout", {}))
    summary = summarise(records)
    assert (summary.requests, summary.failures, summary.rate_per_second) == (11, 1, 11.0)
    assert summary.statuses == {"200": 10, "None": 1}
    assert (summary.p50_ms, summary.p95_ms, summary.max_ms) == (5, 10, 10)
    assert summary.worst_lag_ms == pytest.approx(2)
    assert summarise([]).rate_per_second == 0


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    async def loaded_by_command(server: Server, *more: str) -> int:
        async with serving(server):
            arguments = [server.url, "--rate", "100", "--count", "3", *more]
            return await asyncio.to_thread(load.main, arguments)

    server = Server(OK)
    assert asyncio.run(loaded_by_command(server, "--json", "{}", "--header", "X-A: b")) == 0
    assert json.loads(capsys.readouterr().out)["requests"] == 3
    assert server.requests[0].startswith(b"POST ")
    assert b"\r\nX-A: b\r\n" in server.requests[0]
    assert asyncio.run(loaded_by_command(Server(b"", hang_up=True))) == 1
    assert load.main(["http://10.0.0.1/", "--rate", "1"]) == 2
    assert "this machine only" in capsys.readouterr().err
