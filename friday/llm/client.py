"""The HTTP client of one path: connection reuse, deadlines, one repetition where that is safe.

A deadline is a point on the event loop's clock, in seconds; every try and every read of a call shares it.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar
from urllib.request import getproxies

import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError

from friday.llm import constants, errors
from friday.llm.config import LlmConfig
from friday.llm.constants import Path
from friday.llm.errors import LlmError
from friday.llm.failures import error_for_status
from friday.llm.patience import Life
from friday.llm.requests import encode_body, gateway_model
from friday.llm.responses import Assembler, parse_result
from friday.llm.transport import Connections
from friday.llm.types import Caller, InvokeParams, InvokeResult

T = TypeVar("T")

_NO_ANSWER = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_TAIL_SECONDS = 0.1


class ChatClient:
    """Talks to the upstream of `path`. Use one instance per event loop and `aclose` it at the end.

    The direct path always asks for OPENROUTER_MODEL, which must be free, and only it sends the key.
    """

    def __init__(self, path: Path, config: LlmConfig, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._direct = path is Path.DIRECT
        self._direct_model = config.openrouter_model
        self._demands = config.demands
        self._key = config.openrouter_api_key.get_secret_value() if self._direct else ""
        base_url = config.openrouter_base_url if self._direct else config.litellm_base_url
        connect = constants.DIRECT_CONNECT_SECONDS if self._direct else constants.GATEWAY_CONNECT_SECONDS
        headers = {"content-type": "application/json", "user-agent": "friday-llm"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        limits = httpx.Limits(
            max_connections=constants.MAX_CONNECTIONS,
            max_keepalive_connections=constants.MAX_KEPT_CONNECTIONS,
            keepalive_expiry=constants.KEEPALIVE_SECONDS,
        )
        # Plain http stays inside the network, without a proxy; https follows HTTPS_PROXY and NO_PROXY.
        by_proxy = base_url.startswith("https:") and bool(getproxies())
        self._http = httpx.AsyncClient(
            transport=transport or (None if by_proxy else Connections(limits)),
            headers=headers,
            # The call's own deadline limits reads and writes, so they need no time-out of their own.
            timeout=httpx.Timeout(None, connect=connect),
            limits=limits,
            trust_env=by_proxy,
        )
        self._url = base_url + constants.CHAT_PATH

    async def aclose(self) -> None:
        """Close idle and running connections."""
        await self._http.aclose()

    async def complete(self, params: InvokeParams, deadline: float, caller: Caller, _: Life) -> InvokeResult:
        """Return a whole answer. Raises LlmError; cancelling ends the request. It shows no life before its end."""
        request = self._build(params, caller, stream=False)

        async def attempt() -> InvokeResult:
            async with _within(deadline), aclosing(await self._send(request)) as response:
                return parse_result(await read_whole(response), _answering_model(response))

        return await self._repeat(attempt, deadline)

    async def stream(self, params: InvokeParams, deadline: float, caller: Caller, life: Life) -> "ChatStream":
        """Return a streamed answer once its first visible text (or tool call) has arrived; thoughts show `life`.

        Raises LlmError when the stream ends, breaks or stays empty before that: no text was shown yet.
        """
        request = self._build(params, caller, stream=True)

        async def attempt() -> ChatStream:
            async with _within(deadline):
                stream = ChatStream(await self._send(request), deadline, life)
            try:
                await stream.wait_for_first()
            except BaseException:
                await stream.aclose()
                raise
            return stream

        return await self._repeat(attempt, deadline)

    def _build(self, params: InvokeParams, caller: Caller, *, stream: bool) -> httpx.Request:
        model = self._direct_model if self._direct else gateway_model(params)
        if self._direct and not model.endswith(constants.FREE_SUFFIX):
            raise errors.PaidModelRefused(f"model: {model} is not a free model", field="model")
        if self._direct and not self._key:
            raise errors.ConfigurationError("OPENROUTER_API_KEY is not set", field="OPENROUTER_API_KEY")
        body = encode_body(params, model, stream=stream, direct=self._direct, demands=self._demands)
        # The feature is for the gateway's cache: a stack names the features whose answers it keeps.
        own = {"x-request-id": caller.request_id, "x-friday-feature": str(caller.feature)}
        headers = {} if self._direct else own
        return self._http.build_request("POST", self._url, content=body, headers=headers)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._http.send(request, stream=True)
        except _NO_ANSWER as error:
            # There was no answer: repeating costs at most a free request, and often the other side was
            # just closing the idle connection.
            raise errors.Unavailable(f"no connection ({type(error).__name__})", repeatable=True) from error
        if response.status_code == 200:
            return response
        async with aclosing(response):
            raise error_for_status(response.status_code, await read_whole(response), response.headers)

    async def _repeat(self, attempt: Callable[[], Awaitable[T]], deadline: float) -> T:
        """Run `attempt`. On the direct path run it once more after a pause, when that is safe and there is time.

        Once, because failed tries also count against the free quota. The gateway makes its own.
        """
        try:
            return await attempt()
        except LlmError as error:
            pause = (error.retry_after or 0) + random.uniform(0, constants.PAUSE_SECONDS)  # noqa: S311 (no secret)
            left = deadline - asyncio.get_running_loop().time()
            if not self._direct or not error.repeatable or pause >= left:
                raise
        await asyncio.sleep(pause)
        return await attempt()


class ChatStream:
    """One streamed answer after its first token. Iterate for text; `result` is set once it has ended."""

    def __init__(self, response: httpx.Response, deadline: float, life: Life) -> None:
        self._response = response
        self._deadline = deadline
        self._life = life
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
        if self._answer.thinking:
            self._life.seen()
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


def _answering_model(response: httpx.Response) -> str | None:
    """Return the model in the gateway's header; LiteLLM's body only repeats the requested name."""
    return response.headers.get("x-gateway-model") or None


@asynccontextmanager
async def _within(deadline: float) -> AsyncIterator[None]:
    """Limit a block to the deadline, and turn time-outs and httpx's errors into ours."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise errors.LlmTimeout("no complete answer within the deadline") from None
    except SSEError as error:
        raise errors.BadResponse("the answer is not a stream of events") from error
    except httpx.DecodingError as error:
        raise errors.BadResponse("the answer's encoding is broken") from error
    except httpx.HTTPError as error:
        raise errors.Unavailable("the connection broke") from error


async def read_whole(response: httpx.Response) -> bytes:
    """Return the whole body, decompressed. Raises BadResponse when it is too large, and httpx's errors."""
    return b"".join([part async for part in _limited(response)])


def read_events(response: httpx.Response) -> AsyncGenerator[ServerSentEvent, None]:
    """Yield the events of a stream. Raises SSEError for another content type, else like `read_whole`.

    Neither httpx nor httpx-sse limits how long a line or an event may become, so httpx-sse reads a limited body.
    """
    headers = {"content-type": response.headers.get("content-type", "")}
    return EventSource(httpx.Response(response.status_code, headers=headers, content=_limited(response))).aiter_sse()


async def _limited(response: httpx.Response) -> AsyncIterator[bytes]:
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > constants.MAX_BODY_BYTES:
            raise errors.BadResponse("the answer is too large")
        yield part
