"""Web sockets that are held open while something is changed: their clients come back when one is closed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from benchmarks.http_client import check_target
from benchmarks.load import Enough

_AGAIN_SECONDS = 0.2


@dataclass
class Held:
    """What the clients met: how often one was closed, how often it was not let in again at once, and for how long.

    `away` is the longest time in seconds that a client was without its web socket.
    """

    closed: int = 0
    refused: int = 0
    away: float = 0.0


async def hold(url: str, count: int, headers: Mapping[str, str], enough: Enough) -> Held:
    """Hold so many web sockets open at a ws:// address until `enough()`; TargetError for another machine's."""
    check_target(url.replace("ws://", "http://", 1))
    held = Held()
    async with aiohttp.ClientSession(headers=headers) as http:
        clients = [asyncio.create_task(_client(http, url, held)) for _ in range(count)]
        while not enough():
            await asyncio.sleep(_AGAIN_SECONDS)
        for each in clients:
            each.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
    return held


async def _client(http: aiohttp.ClientSession, url: str, held: Held) -> None:
    loop, lost = asyncio.get_running_loop(), None
    while True:
        try:
            async with http.ws_connect(url) as socket:
                if lost is not None:
                    held.away = max(held.away, loop.time() - lost)
                await socket.receive()  # nothing is sent: this is its end
            held.closed += 1
            lost = loop.time()
        except aiohttp.ClientError:
            held.refused += 1
            lost = loop.time() if lost is None else lost
            await asyncio.sleep(_AGAIN_SECONDS)
