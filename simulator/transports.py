"""A request's TCP connection, for the faults that break it or keep it without an answer."""

import asyncio
import socket
import struct

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

_TRANSPORT = "transport"
_LINGER_ZERO = struct.pack("ii", 1, 0)
"""With this on, closing sends a reset instead of an orderly end."""
_SETTLE_SECONDS = 0.01


class ConnectionProtocol(H11Protocol):
    """uvicorn's protocol; each request's `state` also holds the connection's transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where the application can find it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


async def drop(request: Request, *, reset: bool = False) -> None:
    """Close the request's connection now; later writes are discarded.

    Raises `RuntimeError` when the server does not run `ConnectionProtocol`.
    """
    transport = request.scope.get("state", {}).get(_TRANSPORT)
    if transport is None:
        raise RuntimeError("connection faults need uvicorn with http=ConnectionProtocol")
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()
    else:
        transport.close()
    # The server has to notice it before the handler returns; else it would try to finish the answer.
    await asyncio.sleep(_SETTLE_SECONDS)


async def wait_for_disconnect(request: Request, released: asyncio.Event) -> None:
    """Return when the caller has left, or the faults were changed."""

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    waits = [asyncio.ensure_future(left()), asyncio.ensure_future(released.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
