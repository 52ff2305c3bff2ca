"""Connections that stay cheap under load.

httpcore's pool looks at every connection (with system calls, and in part once for every other one) each
time a request starts or ends: measured at 100 concurrent calls, that is most of the client's CPU. Several
small pools do the same work with a few connections each.
"""

import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from friday.llm import constants


class SpreadTransport(httpx.AsyncBaseTransport):
    """Sends each request through the least busy of several small pools; idle callers share the first.

    Plain http is the network's inside: no proxy. https follows HTTPS_PROXY and NO_PROXY.
    """

    def __init__(self, base_url: str, *, pools: int = constants.POOLS) -> None:
        secure = base_url.startswith("https:")
        context = httpx.create_ssl_context(verify=secure)  # once: reading the CAs takes 30 ms
        self._pools = [_Pool(context, _proxy(base_url) if secure else None) for _ in range(pools)]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; its pool counts as busy until the response is closed."""
        pool = min(self._pools, key=lambda candidate: candidate.running)
        pool.running += 1
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException:
            pool.running -= 1
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 (httpx's own contract)
        response.stream = _Counted(response.stream, pool)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._pools:
            await pool.transport.aclose()


class _Pool:
    def __init__(self, context: ssl.SSLContext, proxy: str | None) -> None:
        self.running = 0
        limits = httpx.Limits(
            max_connections=constants.MAX_CONNECTIONS // constants.POOLS,
            max_keepalive_connections=None,
            keepalive_expiry=constants.KEEPALIVE_SECONDS,
        )
        self.transport = httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy, trust_env=False)


class _Counted(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, pool: _Pool) -> None:
        self._stream = stream
        self._pool: _Pool | None = pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if self._pool is not None:
            self._pool.running -= 1
            self._pool = None
        await self._stream.aclose()


def _proxy(url: str) -> str | None:
    host = urlsplit(url).hostname or ""
    return None if proxy_bypass(host) else getproxies().get("https")
