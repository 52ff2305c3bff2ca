"""Access to the TCP connection under a request, for the faults that break it."""

from __future__ import annotations

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
        """Remember the transport where the application can find it."""
        super().connection_made(transport)
        # asyncio does this only for sockets that name their protocol. Without it the second write of an
        # answer waits for the caller's delayed acknowledgement of the first: 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


async def drop(request: Request, *, reset: bool = False) -> None:
    """Close the request's connection now; what is sent afterwards goes nowhere.

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
    # The server must have noticed before the handler returns, or it would try to finish the answer.
    await asyncio.sleep(_SETTLE_SECONDS)
