"""A replica for the edge's tests that keeps web sockets: it says its own name before whatever it is sent.

It runs in the gateway's image, for that has the library; of the project it imports nothing.
"""

import os
import sys

from aiohttp import WSCloseCode, web

NAME = os.environ["REPLICA"]
OPEN: set[web.WebSocketResponse] = set()


async def talk(request: web.Request) -> web.WebSocketResponse:
    """Answer until the other side has enough."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    OPEN.add(socket)
    async for message in socket:
        await socket.send_str(f"{NAME} {message.data}")
    OPEN.discard(socket)
    return socket


async def healthy(_: web.Request) -> web.Response:
    """Answer the edge's check."""
    return web.Response()


async def who(request: web.Request) -> web.Response:
    """Answer with the headers that came."""
    return web.json_response(dict(request.headers))


async def leave(_: web.Application) -> None:
    """Close what is open, as RFC 6455 wants it of a server that goes."""
    for socket in set(OPEN):
        await socket.close(code=WSCloseCode.GOING_AWAY)


if __name__ == "__main__":
    app = web.Application()
    app.add_routes([web.get("/healthz", healthy), web.get("/socket", talk), web.get("/who", who)])
    app.on_shutdown.append(leave)
    web.run_app(app, port=int(sys.argv[1]), print=None)
