"""LiteLLM's response without its internal details."""

from collections.abc import Awaitable, Callable, Sequence

from gateway import errors
from gateway.policy import RefusedError
from gateway.request_context import RequestContext
from serving.drain import Message, Send

PASSED_HEADERS = frozenset({b"content-type", b"content-length", b"content-encoding", b"cache-control", b"retry-after"})
"""All other headers are dropped: LiteLLM's name hosts and deployments, the upstream's may name an account."""

_Headers = list[tuple[bytes, bytes]]


class ResponseFilter:
    """Sends one response. `on_stream` is called at the first content of an event stream.

    Until then nothing of a stream is sent: LiteLLM may still try another model, and the headers name the model.
    """

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self._status = 0
        self._streaming = False
        self._finished = False
        self._held: list[bytes] = []
        self._head: _Headers | None = None
        self._retry_after: _Headers = []
        self.context: RequestContext | None = None
        self.on_stream: Callable[[], None] = lambda: None

    async def answer(
        self,
        status: int,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]] = (),
        meanwhile: Awaitable[None] | None = None,
    ) -> None:
        """Send a whole JSON response. The connection stays open for `meanwhile` although the client has all of it."""
        length = (b"content-length", str(len(body)).encode())
        await self._start(status, [(b"content-type", b"application/json"), length, *headers])
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

    async def plain(self, message: Message) -> None:
        """Pass on a message of a response that holds no secrets (health, metrics for the operator)."""
        if message["type"] == "http.response.start":
            await self._start(message["status"], _passed(message))
        else:
            await self._send(message)

    async def guarded(self, message: Message) -> None:
        """Pass on a message of LiteLLM; the body of an error is replaced."""
        if self._finished:
            return  # the deadline has answered
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._status >= 400:
            await self._replace_error(message)
        elif self._streaming or self._head is not None:
            await self._stream(message)
        else:
            await self._body(message.get("body", b""), more=message.get("more_body", False))

    async def too_late(self) -> None:
        """End a response after its deadline: with 504 if nothing was sent yet, else with an error event."""
        if self._finished:
            return
        if self._streaming:
            await self._body(errors.stream_error(504, self._request_id), more=False)
        else:
            await self.error(errors.told(None, 504), [])

    async def _begin(self, message: Message) -> None:
        self._status = message["status"]
        headers = _passed(message)
        if self._status >= 400:
            self._retry_after = [header for header in headers if header[0] == b"retry-after"]
            return
        kinds = [value.split(b";")[0] for name, value in headers if name == b"content-type"]
        if b"text/event-stream" in kinds:
            self._head = headers
        else:
            await self._start(self._status, headers)

    async def _stream(self, message: Message) -> None:
        model = self.context.name if self.context else None
        body = errors.clean_event(message.get("body", b""), model, self._request_id)
        more = message.get("more_body", False)
        if self._head is not None:
            self._held.append(body)
            if more and not errors.has_content(body):
                return
            head, self._head, body = self._head, None, b"".join(self._held)
            self._streaming = True
            self.on_stream()
            await self._start(self._status, head)
        await self._body(body, more=more)

    async def _replace_error(self, message: Message) -> None:
        if message.get("more_body", False):
            return
        found = errors.told(self.context, self._status)
        await self.error(found, self._retry_after if found.retry_after is None else [])

    async def _start(self, status: int, headers: _Headers) -> None:
        own = [(b"x-request-id", self._request_id.encode())]
        if self.context is not None and self.context.model is not None:
            own.append((b"x-gateway-model", self.context.model.encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *own]})

    async def _body(self, body: bytes, *, more: bool) -> None:
        self._finished = not more
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _passed(message: Message) -> _Headers:
    return [(name, value) for name, value in message.get("headers", []) if name.lower() in PASSED_HEADERS]
