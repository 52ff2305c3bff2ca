"""A scripted HTTP server on a free port of 127.0.0.1. It speaks raw HTTP, so that it can also misbehave."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

Script = Callable[["Exchange"], Awaitable[bool]]


@dataclass
class Exchange:
    """One request, and the way to answer it."""

    path: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    async def left(self) -> None:
        """Wait until the caller has gone; AssertionError when it stays."""
        try:
            await asyncio.wait_for(self.gone.wait(), 15)
        except TimeoutError:
            raise AssertionError(f"the caller of {self.path} stayed") from None

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


class Upstream:
    """Answers each request with the next script, or with a good answer when there is none."""

    def __init__(self, *, model: str) -> None:
        self.model = model
        self.requests: list[Exchange] = []
        self.scripts: list[Script] = []
        self.always: Script | None = None
        self.connections = 0
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/api/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def asked(self) -> None:
        """Wait for the first request; AssertionError when none comes."""
        try:
            async with asyncio.timeout(15):
                while not self.requests:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"nothing was asked of {self.url}") from None

    async def stop(self) -> None:
        """Refuse connections from now on, and drop those that there are."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        exchange = Exchange(head[0].split(" ")[1], headers, body, writer)
        self.requests.append(exchange)
        script = self.scripts.pop(0) if self.scripts else self.always
        if script is None:
            wants_stream = exchange.json.get("stream")
            script = stream(*good_events(self.model)) if wants_stream else plain(good_answer(self.model))
        running = asyncio.ensure_future(script(exchange))
        left = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({running, left}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                exchange.gone.set()
                return False
            # A pipelined byte cannot come: the client waits for the answer first.
            return running.result() and not left.done()
        finally:
            running.cancel()
            left.cancel()
            await asyncio.gather(running, left, return_exceptions=True)


def good_answer(model: str, text: str = "Hello", **more: Any) -> dict[str, Any]:
    return {
        "id": "gen-1",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | more],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0},
    }


def delta(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}
    return {"id": "gen-2", "created": 2, "model": "streamed:free", "choices": [choice | more]}


def good_events(model: str) -> Sequence[dict[str, Any] | str]:
    usage = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
    pieces = [
        delta(""),
        delta("One "),
        delta("two "),
        delta("three", "stop"),
        {"choices": [], "usage": usage},
    ]
    return [piece | {"model": model} for piece in pieces] + ["[DONE]"]


def plain(body: object, status: int = 200, **headers: str) -> Script:
    """A whole answer; `body` is JSON, or bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())

    async def script(exchange: Exchange) -> bool:
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(data)}\r\n{extra}\r\n"
        await exchange.send(head.encode() + data)
        return True

    return script


def stream(*events: object, cut: bool = False) -> Script:
    """Server-sent events: dicts as JSON, strings as data, bytes raw, numbers as pauses in seconds,
    asyncio events as pauses until they are set.

    `cut` breaks the connection instead of ending the answer.
    """

    async def script(exchange: Exchange) -> bool:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        await exchange.send(head)
        for event in events:
            if isinstance(event, asyncio.Event):
                await event.wait()
                continue
            if isinstance(event, int | float):
                await asyncio.sleep(event)
                continue
            raw = event if isinstance(event, bytes) else None
            text = event if isinstance(event, str) else json.dumps(event) if raw is None else ""
            data = raw if raw is not None else f"data: {text}\n\n".encode()
            await exchange.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        if not cut:
            await exchange.send(b"0\r\n\r\n")
        return not cut

    return script


async def hang(exchange: Exchange) -> bool:
    """Never answer; ends when the client leaves."""
    await asyncio.sleep(60)
    return False


async def close(exchange: Exchange) -> bool:
    """Close the connection without a byte."""
    return False


def after(seconds: float, script: Script) -> Script:
    async def delayed(exchange: Exchange) -> bool:
        await asyncio.sleep(seconds)
        return await script(exchange)

    return delayed
