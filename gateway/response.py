"""One response of the gateway: a whole JSON body, or a stream of events."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from gateway import errors
from gateway.answers import FailedError
from gateway.policy import RefusedError
from gateway.request_context import RequestContext
from serving.drain import Send

_BROKEN = 502

_Headers = list[tuple[bytes, bytes]]


class Response:
    """Sends one response, with the request's id and the model that answered in its head.

    `status` is the one that was sent, 0 before; of a stream that broke off, the one that its error names. `finished` is
    true when all was sent.
    """

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self._streaming = False
        self.finished = False
        self.status = 0
        self.context: RequestContext | None = None

    async def answer(
        self,
        status: int,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]] = (),
        meanwhile: Awaitable[None] | None = None,
        kind: bytes = b"application/json",
    ) -> None:
        """Send a whole response. The connection stays open for `meanwhile` although the client has all of it."""
        length = (b"content-length", str(len(body)).encode())
        await self._start(status, [(b"content-type", kind), length, *headers])
        if meanwhile is not None:
            await self._body(body, more=True)
            await meanwhile
            body = b""
        await self._body(body, more=False)

    async def error(self, error: RefusedError, headers: _Headers, meanwhile: Awaitable[None] | None = None) -> None:
        """Send an error, with its own Retry-After if it has one, and these headers besides; see `answer`."""
        if error.retry_after is not None:
            headers = [(b"retry-after", str(error.retry_after).encode()), *headers]
        await self.answer(error.status, errors.body_of(error, self._request_id), headers, meanwhile)

    async def options(self, methods: Sequence[str]) -> None:
        """Answer which methods a path has."""
        await self._start(204, [(b"allow", ", ".join(methods).encode())])
        await self._body(b"", more=False)

    async def whole(self, document: Mapping[str, Any]) -> None:
        """Send a model's answer."""
        await self.answer(200, encoded(document))

    async def stream(self, chunks: AsyncIterator[Mapping[str, Any]], begun: Callable[[], None]) -> None:
        """Send the chunks of an answer as events as they come; `begun` is called with the first one.

        One that breaks off ends with an error event, because its status cannot change any more.
        """
        try:
            async for chunk in chunks:
                if not self._streaming:
                    self._streaming = True
                    begun()
                    kind = (b"content-type", b"text/event-stream; charset=utf-8")
                    await self._start(200, [kind, (b"cache-control", b"no-cache")])
                await self._body(b"data: %s\n\n" % encoded(chunk), more=True)
        except FailedError:
            await self._break_off(_BROKEN)
        else:
            await self._body(b"data: [DONE]\n\n", more=False)

    async def too_late(self) -> None:
        """End a response after its deadline: with 504 if nothing was sent yet, else with an error event."""
        if self.finished:
            return
        if self._streaming:
            await self._break_off(504)
        else:
            await self.error(errors.told(None, 504), [])

    async def _break_off(self, status: int) -> None:
        self.status = status
        await self._body(errors.stream_error(status, self._request_id), more=False)

    async def _start(self, status: int, headers: _Headers) -> None:
        self.status = status
        own = [(b"x-request-id", self._request_id.encode())]
        if self.context is not None and self.context.model is not None:
            own.append((b"x-gateway-model", self.context.model.encode()))
        if self.context is not None and self.context.cached:
            own.append((b"x-gateway-cache", self.context.cached.encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *own]})

    async def _body(self, body: bytes, *, more: bool) -> None:
        self.finished = not more
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return a document as compact JSON. Half a surrogate pair in an answer becomes U+FFFD."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
