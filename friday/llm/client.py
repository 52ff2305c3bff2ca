"""The HTTP client of one path: connection reuse, deadlines, retries where repeating is safe."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from httpx_sse import SSEError

from friday.llm import constants, errors
from friday.llm.body import read_events, read_whole
from friday.llm.constants import Path
from friday.llm.deadline import Deadline
from friday.llm.errors import LlmError
from friday.llm.requests import encode_body, gateway_model
from friday.llm.responses import error_for_status, parse_result
from friday.llm.streaming import Assembler
from friday.llm.types import InvokeParams, InvokeResult

T = TypeVar("T")

_NO_ANSWER = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)
_TAIL_SECONDS = 0.1


@dataclass(frozen=True)
class Upstream:
    """The other end of a path. When `model` is set, it is always asked for, and it must be free."""

    path: Path
    base_url: str
    connect_seconds: float
    attempts: int
    key: str | None = field(default=None, repr=False)
    model: str | None = None


class ChatClient:
    """Talks to one upstream. Use one instance per event loop and `aclose` it at the end."""

    def __init__(self, upstream: Upstream, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.upstream = upstream
        headers = {"content-type": "application/json", "user-agent": "friday-llm"}
        if upstream.key:
            headers["authorization"] = f"Bearer {upstream.key}"
        self._http = httpx.AsyncClient(
            transport=transport,
            headers=headers,
            # The call's own deadline limits reads and writes, so they need no time-out of their own.
            timeout=httpx.Timeout(None, connect=upstream.connect_seconds),
            limits=httpx.Limits(
                max_connections=constants.MAX_CONNECTIONS,
                max_keepalive_connections=constants.MAX_KEPT_CONNECTIONS,
                keepalive_expiry=constants.KEEPALIVE_SECONDS,
            ),
            # Plain http stays inside the network, without a proxy; https follows HTTPS_PROXY and NO_PROXY.
            trust_env=upstream.base_url.startswith("https:"),
        )
        self._url = upstream.base_url + constants.CHAT_PATH

    async def aclose(self) -> None:
        """Close idle and running connections."""
        await self._http.aclose()

    async def complete(self, params: InvokeParams, deadline: Deadline, request_id: str) -> InvokeResult:
        """Return a whole answer. Raises LlmError; cancelling ends the request."""
        request = self._build(params, request_id, stream=False)

        async def attempt() -> InvokeResult:
            async with _within(deadline):
                response = await self._send(request)
                try:
                    return parse_result(await read_whole(response), _answering_model(response))
                finally:
                    await response.aclose()

        return await self._repeat(attempt, deadline)

    async def stream(self, params: InvokeParams, deadline: Deadline, request_id: str) -> "ChatStream":
        """Return a streamed answer once its first visible text (or tool call) has arrived.

        Raises LlmError when the stream ends, breaks or stays empty before that: no text was shown yet.
        """
        request = self._build(params, request_id, stream=True)

        async def attempt() -> ChatStream:
            async with _within(deadline):
                response = await self._send(request)
            stream = ChatStream(response, deadline)
            try:
                await stream.wait_for_first()
            except BaseException:
                await stream.aclose()
                raise
            return stream

        return await self._repeat(attempt, deadline)

    def _build(self, params: InvokeParams, request_id: str, *, stream: bool) -> httpx.Request:
        model = self.upstream.model or gateway_model(params)
        if self.upstream.path is Path.DIRECT:
            self._check_direct(model)
        body = encode_body(params, model, stream=stream, direct=self.upstream.path is Path.DIRECT)
        headers = {} if self.upstream.path is Path.DIRECT else {"x-request-id": request_id}
        return self._http.build_request("POST", self._url, content=body, headers=headers)

    def _check_direct(self, model: str) -> None:
        if not model.endswith(constants.FREE_SUFFIX):
            raise errors.PaidModelRefused(f"model: {model} is not a free model", field="model")
        if not self.upstream.key:
            raise errors.ConfigurationError("OPENROUTER_API_KEY is not set", field="OPENROUTER_API_KEY")

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._http.send(request, stream=True)
        except _NO_ANSWER as error:
            # There was no answer: repeating costs at most a free request, and often the other side was
            # just closing the idle connection.
            raise errors.Unavailable(f"no connection ({type(error).__name__})", repeatable=True) from error
        if response.status_code == 200:
            return response
        try:
            body = await read_whole(response)
        finally:
            await response.aclose()
        raise error_for_status(response.status_code, body, response.headers)

    async def _repeat(self, attempt: Callable[[], Awaitable[T]], deadline: Deadline) -> T:
        """Run `attempt`; repeat it after a pause when that is safe and there is time, else raise its error."""
        for number in itertools.count(1):
            try:
                return await attempt()
            except LlmError as error:
                pause = _pause(number, error)
                if number >= self.upstream.attempts or not error.repeatable or pause >= deadline.remaining:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError  # pragma: no cover (the count has no end; tells the type checker)


class ChatStream:
    """One streamed answer after its first token. Iterate for text; `result` is set once it has ended."""

    def __init__(self, response: httpx.Response, deadline: Deadline) -> None:
        self._response = response
        self._deadline = deadline
        self._events = read_events(response)
        self._answer = Assembler()
        self._first = ""
        self.result: InvokeResult | None = None

    @property
    def model(self) -> str:
        """The model that answers."""
        return _answering_model(self._response) or self._answer.model or "unknown"

    async def wait_for_first(self) -> None:
        """Read until there is something to show."""
        while not self._answer.started and self.result is None:
            self._first = await self._advance()

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield text as it arrives. Raises StreamBroken when the answer ends before it is complete."""
        text = self._first
        while True:
            if text:
                yield text
            if self.result is not None:
                return
            try:
                text = await self._advance()
            except LlmError as error:
                broken = errors.StreamBroken(f"the answer broke off: {error}", status=error.status)
                raise broken from error

    async def _advance(self) -> str:
        """Read one event and return its text, or conclude at the end of the stream."""
        async with _within(self._deadline):
            event = await anext(self._events, None)
        text = self._answer.feed(event.data) if event and event.data else ""
        if event is None or self._answer.done:
            self.result = self._answer.result(_answering_model(self._response))
        return text

    async def aclose(self) -> None:
        """Return the connection for reuse; close it when the answer was not read to its end."""
        if self.result is not None:
            # Only a stream read to its very end leaves a connection that can be used again.
            with contextlib.suppress(TimeoutError, httpx.HTTPError, LlmError):
                async with asyncio.timeout(_TAIL_SECONDS):
                    async for _ in self._events:
                        pass
        await self._events.aclose()
        await self._response.aclose()


def _pause(number: int, error: LlmError) -> float:
    ceiling = min(constants.BACKOFF_BASE_SECONDS * 2 ** (number - 1), constants.BACKOFF_MAX_SECONDS)
    jitter = random.uniform(0, ceiling)  # noqa: S311 (spreads load, no secret)
    return jitter if error.retry_after is None else error.retry_after + jitter


def _answering_model(response: httpx.Response) -> str | None:
    """Return the model in the gateway's header; LiteLLM's body only repeats the requested name."""
    return response.headers.get("x-gateway-model") or None


@asynccontextmanager
async def _within(deadline: Deadline) -> AsyncIterator[None]:
    """Limit a block to the deadline, and turn time-outs and httpx's errors into ours."""
    try:
        async with asyncio.timeout_at(deadline.at):
            yield
    except TimeoutError:
        raise errors.LlmTimeout("no complete answer within the deadline") from None
    except SSEError as error:
        raise errors.BadResponse("the answer is not a stream of events") from error
    except httpx.DecodingError as error:
        raise errors.BadResponse("the answer's encoding is broken") from error
    except httpx.HTTPError as error:
        raise errors.Unavailable("the connection broke") from error
