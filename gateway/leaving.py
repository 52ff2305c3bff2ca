"""The way of a call out of the gateway: counted just before it leaves, whoever asks for it and however often.

It is behind `upstream`, the transport that LiteLLM gets for each call. So an answer from the cache is no call, and what
a client library sends a second time is counted a second time.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from prometheus_client import Counter

from gateway.quota import Quota, below
from gateway.request_context import CURRENT

logger = logging.getLogger("gateway.quota")

_MINUTE_SIGNS = ("free-models-per-min", "free_tier_per_minute")
"""How a 429 for the account's free calls of a minute is known: in its message, in its `limit_source`."""
_MINUTE_MS = 61_000
_OF_THE_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class NotSentError(Exception):
    """A call that was not sent; no model is left out because of it."""


class Leaving(httpx.AsyncBaseTransport):
    """Sends the calls of one process to the upstream over `inner`, each within the quota."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        upstream: str,
        key: str,
        quota: Callable[[], Quota],
        attempts: Counter,
    ) -> None:
        self._inner = inner
        self._upstream = httpx.URL(upstream)
        self._authorization = f"Bearer {key}"
        self._quota = quota
        self._attempts = attempts

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Count one call and send it. Raises `NotSentError`, and what `inner` raises."""
        context = CURRENT.get()
        if context is None or _origin(request.url) != _origin(self._upstream):
            raise NotSentError(f"a call that did not pass the guard: {request.url.host}")
        if request.headers.get("authorization") != self._authorization:
            raise NotSentError("a call with another key than the stack's")
        context.quota_wait = await self._quota().take()
        if context.quota_wait:
            raise NotSentError("the account's quota is spent")
        context.attempts += 1
        self._attempts.labels(context.model or "unknown").inc()
        response = await self._inner.handle_async_request(request)
        if response.status_code == 429:
            response = await _read(response, request)
        limit = minute_limit(response.status_code, response.headers, _text(response), time.time())
        if limit is not None and await self._quota().learn(limit):
            text = "OpenRouter allows this account %d free requests a minute; the gateway makes at most %d"
            logger.warning(text, limit, below(limit))
        return response

    async def aclose(self) -> None:
        """Keep the connections: clients that use them come and go (LiteLLM's close theirs)."""


def minute_limit(status: int, headers: Mapping[str, str], body: str, now: float) -> int | None:
    """Return the account's free requests a minute if an answer names them; `now` in epoch seconds.

    OpenRouter sends X-RateLimit-Limit, -Remaining and -Reset (in epoch milliseconds) when a limit of its own is
    reached, as headers and in the error's metadata. The limit of a day and that of one model have the same headers. So
    a 429 counts if it says that it is about the account's minute; another answer, if its window ends within a minute.
    """
    if status == 429:
        if not any(sign in body for sign in _MINUTE_SIGNS):
            return None
        return _whole(headers.get("x-ratelimit-limit")) or _whole(_in_metadata(body).get("X-RateLimit-Limit"))
    reset = _whole(headers.get("x-ratelimit-reset")) or 0
    return _whole(headers.get("x-ratelimit-limit")) if 0 < reset - now * 1000 < _MINUTE_MS else None


def _in_metadata(body: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)["error"]["metadata"]["headers"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _whole(text: object) -> int | None:
    value = str(text).strip()
    return int(value) or None if value.isascii() and value.isdecimal() and len(value) < 16 else None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _read(response: httpx.Response, request: httpx.Request) -> httpx.Response:
    """Return the same response with its body read and unpacked."""
    body = await response.aread()
    await response.aclose()
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_BODY]
    return httpx.Response(response.status_code, headers=headers, content=body, request=request)


def _text(response: httpx.Response) -> str:
    return response.text if response.status_code == 429 else ""
