"""Requests to this machine: what load is made of.

aiohttp and not httpx, which takes several times the processor time for a request and so would measure itself.
"""

import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

TIMEOUT_SECONDS = 30.0
PATH_HEADER = "x-friday-path"
"""Who answered: litellm, direct or fallback."""
PERCENTAGE_HEADER = "x-friday-percentage"
"""The percentage that the answering replica was started with: distinguishes a new replica from an old one."""
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


class TargetError(ValueError):
    """The URL is not one that may be loaded."""


@dataclass(frozen=True)
class Request:
    """One POST of a JSON body; `path` is added to the URL under load."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def chat(user_id: int) -> Request:
    """Return a question to Friday as a user; `user_id % 100` below the percentage goes through the gateway."""
    return Request("/api/chat", {"user_id": user_id, "message": "Are you there?"})


def chat_of_number(number: int) -> Request:
    """Return the question of user `number % 100`."""
    return chat(number % 100)


def completion(path: str, key: str, model: str) -> Request:
    """Return the same question in OpenRouter's form, for the gateway or for the simulator."""
    body = {"model": model, "messages": [{"role": "user", "content": "Are you there?"}], "max_tokens": 64}
    return Request(path, body, {"Authorization": f"Bearer {key}"})


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


@dataclass(frozen=True)
class Response:
    """An answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is one from 200 to 299."""
        return 200 <= self.status < 300


Send = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def client(url: str, timeout: float = TIMEOUT_SECONDS) -> AsyncIterator[Send]:
    """Yield what sends a request to `url` and reads the answer to its end; it raises TimeoutError and ClientError.

    Connections are kept for reuse, as many as there are requests at once. No repeats, no redirects. Raises TargetError.
    """
    check_target(url)
    connector, limit = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=timeout)
    async with aiohttp.ClientSession(connector=connector, timeout=limit) as http:

        async def send(request: Request) -> Response:
            target = url + request.path
            async with http.post(target, json=request.body, headers=request.headers, allow_redirects=False) as response:
                return Response(response.status, response.headers, await response.read())

        yield send
