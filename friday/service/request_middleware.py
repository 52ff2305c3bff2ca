"""The outer layer of every request: its id, its size limit and the count by path. Plain ASGI, for speed."""

import re
from collections.abc import Iterable
from uuid import uuid4

from prometheus_client import CollectorRegistry, Counter
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Above the largest body that the models' limits allow, even with every character escaped (12 bytes).
MAX_REQUEST_BYTES = 1280 * 1024
# What a rating needs, several times over.
MAX_SMALL_BYTES = 1024
# Up to this size a body that is too large is still read, so that its sender receives the answer.
MAX_DISCARDED_BYTES = 8 * 1024 * 1024
MAX_AT_ONCE = 400
"""Requests that a replica works on at once: two replicas take the planned peak, 2,000 a minute, while each answer lasts
24 of its 30 seconds. What came on top would make all too late. Each has two connections, of 1,024 descriptors."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")


class RequestMiddleware:
    """Gives each request an id (its own X-Request-Id if that is valid).

    Refuses large bodies with 413, and what comes while MAX_AT_ONCE requests are worked on with 503.
    """

    def __init__(
        self, app: ASGIApp, *, registry: CollectorRegistry, paths: Iterable[str], small: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._paths = frozenset(paths)
        self._small = frozenset(small)
        self._running = 0
        self._requests = Counter(
            "friday_http_requests", "HTTP requests by path and status", ["path", "status"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is not HTTP."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id", b""))
        scope.setdefault("state", {})["request_id"] = request_id
        path = scope["path"] if scope["path"] in self._paths else "other"

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode("ascii"))]
                self._requests.labels(path, message["status"]).inc()
            await send(message)

        if scope["method"] not in ("POST", "PUT", "PATCH"):
            await self._app(scope, receive, send_marked)
            return
        limit = MAX_SMALL_BYTES if path in self._small else MAX_REQUEST_BYTES
        body = await _read(headers, receive, limit)
        if body is None:
            await _too_large(request_id, limit)(scope, receive, send_marked)
        elif self._running >= MAX_AT_ONCE:
            await _overloaded(request_id)(scope, receive, send_marked)
        else:
            self._running += 1
            try:
                await self._app(scope, _replay(body, receive), send_marked)
            finally:
                self._running -= 1


def _request_id(given: bytes) -> str:
    text = given.decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else uuid4().hex


async def _read(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None when it has more bytes than the limit.

    A body up to MAX_DISCARDED_BYTES is read to its end all the same: a connection that is closed while its
    caller still sends is reset, and the answer is lost.
    """
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > MAX_DISCARDED_BYTES:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        over = message["type"] == "http.disconnect" or not message.get("more_body", False)
        if over or size > MAX_DISCARDED_BYTES:
            return b"".join(parts) if size <= limit else None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a Receive that gives the body once, then what the connection brings (a disconnect, in the end)."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay


def _overloaded(request_id: str) -> JSONResponse:
    error = {
        "kind": "overloaded",
        "message": f"this replica works on {MAX_AT_ONCE} requests already",
        "advice": "Try again in a second.",
        "request_id": request_id,
        "retry_after": 1,
    }
    return JSONResponse({"error": error}, 503, {"retry-after": "1"})


def _too_large(request_id: str, limit: int) -> JSONResponse:
    error = {
        "kind": "too_large",
        "message": f"body: more than {limit} bytes",
        "advice": "Send a shorter text.",
        "request_id": request_id,
        "field": "body",
    }
    return JSONResponse({"error": error}, 413, {"connection": "close"})
