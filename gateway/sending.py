"""How a call goes over the network: aiohttp, behind the interface of httpx that LiteLLM's client has.

aiohttp reads HTTP in C, and LiteLLM brings it along. httpx' own transport, in Python, took a third of a chat's time.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult

from serving.names import Names

IDLE_SECONDS = 30.0
"""Connections that idle longer may have been closed by what is in between."""
LONGEST_HEADER_BYTES = 65_536


class Sending(httpx.AsyncBaseTransport):
    """Sends each request once, over connections that are kept open; `admission` limits how many there are."""

    def __init__(self, proxy: str | None = None) -> None:
        """Take the proxy for all requests. The authorities are those of SSL_CERT_FILE, else those that httpx knows."""
        self._proxy = proxy
        self._verify = httpx.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response, whose body is still to be read. Raises what httpx' own transport raises."""
        limits: dict[str, float | None] = request.extensions.get("timeout") or {}
        connect, write, read = (limits.get(name) for name in ("connect", "write", "read"))
        # aiohttp counts silence once the whole body has left, and has no limit for that.
        longest = connect + write + read if connect and write and read else None
        with _errors_of_httpx():
            async with asyncio.timeout(longest):
                response = await self._open().request(
                    request.method,
                    str(request.url),
                    data=await request.aread(),
                    headers=request.headers.multi_items(),
                    allow_redirects=False,
                    proxy=self._proxy,
                    timeout=aiohttp.ClientTimeout(connect=connect, sock_read=read),
                )
        return httpx.Response(response.status, headers=response.raw_headers, stream=_Body(response))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Return the session, which belongs to the event loop of the first request."""
        if self._session is None:
            # An address is asked for at each new connection: a stack's own upstream may be replaced meanwhile.
            connector = aiohttp.TCPConnector(
                limit=0, ssl=self._verify, keepalive_timeout=IDLE_SECONDS, use_dns_cache=False, resolver=_Resolver()
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                max_field_size=LONGEST_HEADER_BYTES,
                skip_auto_headers=["content-type"],
            )
        return self._session


class _Resolver(AbstractResolver):
    """Asks for names as aiohttp's own resolver does, and remembers them while the name server is away."""

    def __init__(self) -> None:
        self._names = Names()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name, of any family where none is asked for. Raises socket.gaierror."""
        return [
            ResolveResult(hostname=host, host=address, port=port, family=found, proto=0, flags=socket.AI_NUMERICHOST)
            for found, address in await self._names.addresses(host)
            if family in (found, socket.AF_UNSPEC)
        ]

    async def close(self) -> None:
        """Nothing is open."""


class _Body(httpx.AsyncByteStream):
    """The body of a response; its connection is used again when it was read to its end."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of_httpx():
            async for part in self._response.content.iter_any():
                yield part

    async def aclose(self) -> None:
        self._response.close()


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    """Raise aiohttp's errors as those that httpx' own transport has for them."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx.ConnectTimeout(str(error)) from error
    except TimeoutError as error:  # of its own limit of silence; the others' limits end the task, not the call
        raise httpx.ReadTimeout(str(error)) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error)) from error
    except aiohttp.ClientError as error:
        raise httpx.ReadError(str(error)) from error
