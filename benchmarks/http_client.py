"""Requests to this machine: what load is made of.

aiohttp and not httpx, which takes several times the processor time for a request and so would measure itself.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

TIMEOUT_SECONDS = 30.0
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


class TargetError(ValueError):
    """The URL is not one that may be loaded."""


@dataclass(frozen=True)
class Request:
    """One POST; `path` is added to the URL under load."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """Status, headers (names in any case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def check_target(url: str) -> None:
    """Raise TargetError for anything but `http://127.x.y.z[:port][/path]`: load goes to this machine only."""
    try:
        parts = urlsplit(url)
        address, _ = ipaddress.ip_address(parts.hostname or ""), parts.port
        if parts.scheme == "http" and parts.username is None and address in _LOOPBACK:
            return
    except ValueError:
        pass
    raise TargetError(f"should be http://127.x.y.z:port/path, this machine only (got {url!r})")


class Client:
    """Keeps connections for reuse, as many as there are requests at once. No repeats, no redirects.

    Made and used in one event loop, with `async with`. Raises TargetError.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        check_target(url)
        self._url = url
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=timeout)
        )

    async def send(self, request: Request) -> Response:
        """Send and read to the end. Raises TimeoutError and aiohttp.ClientError."""
        async with self._http.post(
            self._url + request.path, data=request.body, headers=request.headers, allow_redirects=False
        ) as response:
            return Response(response.status, response.headers, await response.read())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()
