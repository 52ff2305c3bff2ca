"""Clients that hold web sockets, against a real server: what they count when theirs are closed, and come back."""

import asyncio

import pytest
from aiohttp import web

from benchmarks.http_client import TargetError
from benchmarks.web_sockets import Held, hold


class Server:
    """Closes the first web sockets at once and refuses the next clients; all others it keeps."""

    def __init__(self, closing: int, refusing: int) -> None:
        self._closing, self._refusing = closing, refusing
        self.kept = 0
        self.origins: set[str | None] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.origins.add(request.headers.get("Origin"))
        if not self._closing and self._refusing:
            self._refusing -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self._closing:
            self._closing -= 1
            await socket.close()
        else:
            self.kept += 1
            await socket.receive()
        return socket


def held(server: Server, count: int) -> Held:
    async def serve() -> Held:
        app = web.Application()
        app.router.add_get("/ws", server.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"ws://127.0.0.1:{runner.addresses[0][1]}/ws"
        try:
            return await hold(url, count, {"Origin": "https://friday.example"}, lambda: server.kept >= count)
        finally:
            await runner.cleanup()

    return asyncio.run(serve())


def test_clients_come_back_and_what_they_met_is_counted() -> None:
    server = Server(closing=2, refusing=1)
    found = held(server, 3)
    assert (found.closed, found.refused) == (2, 1)
    assert found.away > 0
    assert server.origins == {"https://friday.example"}


def test_undisturbed_clients_met_nothing() -> None:
    assert held(Server(closing=0, refusing=0), 3) == Held()


def test_another_machine_gets_no_load() -> None:
    with pytest.raises(TargetError):
        asyncio.run(hold("ws://192.0.2.1/ws", 1, {}, lambda: True))
