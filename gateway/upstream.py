"""Every call to OpenRouter leaves here: an httpx transport that LiteLLM is given as the client of each call.

It stands behind LiteLLM's router, so what passes here is what OpenRouter receives: it is checked here, and counted by
`leaving` just before it leaves. And it reads the whole answer, or a stream up to its first token, before LiteLLM sees
any of it: what is no whole answer becomes an error of ours, with its cause (`serving.causes`), and LiteLLM asks the
next model. What is one goes into the request's context, and `Answered` ends LiteLLM's work there: it has nothing to
change in an answer, and what it does after one (models of it, costs, logs) takes longer than all that it does before.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from gateway import policy
from gateway.answers import Event, FailedError, check_plain, events
from gateway.completions import usage_of
from gateway.leaving import NotSentError
from gateway.policy import RefusedError
from gateway.quota import spent_for
from gateway.request_context import CURRENT, RequestContext
from gateway.rests import Rests
from serving.causes import BROKEN, TIMEOUT, UNREACHABLE, Cause, Fault, classify

logger = logging.getLogger("gateway.upstream")

_STATUS: Mapping[str, int] = {"busy": 429, "quota": 429, "timeout": 408, "gone": 404}
"""The status that LiteLLM is told. What clients are told is decided by the cause."""

_WORD = {"role": "assistant", "content": "-"}
_REHEARSED = {"id": "-", "created": 0, "model": "-"}
_PLAIN = json.dumps(
    {**_REHEARSED, "object": "chat.completion", "choices": [{"index": 0, "message": _WORD, "finish_reason": "stop"}]}
).encode()
_CHUNK = json.dumps(
    {
        **_REHEARSED,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": _WORD, "finish_reason": "stop"}],
    }
).encode()
"""What a model says in a rehearsal."""

CLOSED_BY_POLICY = "closed_by_data_policy"


class Answered(BaseException):
    """A model has answered, and the answer is in the request's context: nothing is left to do for LiteLLM.

    It passes through LiteLLM as the end of a task does, which every library has to let pass (`asyncio.CancelledError`
    is no `Exception` either). Whoever had the models asked catches it (`chat`).
    """


@dataclass(frozen=True)
class Counters:
    """What is counted: refusals of the account by reason, seconds of rest by model and reason, an answer's usage."""

    account_refused: Callable[[str], None]
    rest: Callable[[str, str, float], None]
    used: Callable[[Mapping[str, object]], None]


class Upstream(httpx.AsyncBaseTransport):
    """Sends the calls that may be sent, one by one: nothing is asked twice."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        base_url: str,
        models: frozenset[str],
        first_token_seconds: float,
        rests: Rests,
        counters: Counters,
        data_policy: Sequence[str] = (),
    ) -> None:
        """Take what counts and sends (`inner`, see `leaving`), and the models that may be asked.

        `data_policy` are the stack's settings that each call demands of a model's providers.
        """
        self._inner = inner
        self._base_url = base_url
        self._models = models
        self._first_token_seconds = first_token_seconds
        self._rests = rests
        self._counters = counters
        self._demands = " and ".join(data_policy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a call and return its error as one of ours; no exception of httpx leaves. Raises `Answered`."""
        context = CURRENT.get() or RequestContext()
        loop = asyncio.get_running_loop()
        try:
            sent = policy.check_sent(
                request.method, str(request.url), await request.aread(), self._base_url, self._models
            )
        except RefusedError as error:
            return _error(error.status, error.message)
        response: httpx.Response | None = None
        begun = loop.time()
        try:
            async with asyncio.timeout(None if sent.stream else self._whole_seconds(context)):
                response = _rehearsed(sent) if context.rehearsal else await self._inner.handle_async_request(request)
                await self._read(response, sent, context)
        except NotSentError as error:
            return _error(429 if context.quota_wait else 403, str(error))
        except (FailedError, httpx.RequestError, TimeoutError) as error:
            if response is not None:
                await response.aclose()
            failure = _Failure(error, response)
            await self._failed(sent.model, failure, context)
            return _error(failure.told, failure.cause.reason)
        except BaseException:  # the client went away
            if response is not None:
                await response.aclose()
            raise
        finally:
            context.upstream_seconds += loop.time() - begun
        await self._answered(context)
        raise Answered

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()

    def _whole_seconds(self, context: RequestContext) -> float | None:
        """Return the seconds for a whole plain answer: they leave another model enough for its first token."""
        if context.deadline is None:
            return None
        left = context.deadline - asyncio.get_running_loop().time()
        return max(self._first_token_seconds, left - self._first_token_seconds)

    async def _read(self, response: httpx.Response, sent: policy.Sent, context: RequestContext) -> None:
        streams = "event-stream" in response.headers.get("content-type", "event-stream")
        if response.status_code != 200 or not sent.stream or not streams:
            body = await response.aread()
            await response.aclose()
            if response.status_code != 200:
                raise FailedError(classify(response.status_code, body), body)
            plain = check_plain(body)
            if sent.stream:
                raise FailedError(BROKEN)
            context.plain, context.shown = plain, True
            self._counters.used(usage_of(plain) or {})
            return
        source = events(_lines(response), self._first_token_seconds)
        held: list[Event] = []
        async for event in source:
            held.append(event)
            if event.shows:
                break
        context.shown = True

        async def broken(error: Exception) -> None:
            await self._failed(sent.model, _Failure(error, None), context)

        context.stream = Stream(held, source, response, broken, self._counters.used)

    async def _answered(self, context: RequestContext) -> None:
        """Leave out a model whose failure could have been the account's: another model answered."""
        if context.doubt is not None:
            model, cause = context.doubt
            context.doubt = None
            await self._rest(model, Cause(Fault.MODEL, cause.reason), context, None)

    async def _failed(self, model: str, failure: "_Failure", context: RequestContext) -> None:
        """Note a failure: in the request's context, the logs and the metrics. An answer's own text is not logged."""
        cause = failure.cause
        if cause.reason == "data_policy" and self._demands:
            # The call itself demands it of this model's providers: another model may have one that keeps to it.
            cause = Cause(Fault.MODEL, CLOSED_BY_POLICY)
            logger.warning("%s has no provider that %s allows", model, self._demands)
        logger.warning("%s failed: %s (%s, status %s)", model, cause.reason, cause.fault.value, failure.status)
        context.failures.append(cause)
        if cause.fault is not Fault.ACCOUNT:
            await self._rest(model, cause, context, failure.retry_after)
        elif not cause.certain and context.doubt is None:
            context.doubt = model, cause
        else:
            context.account = cause
            context.doubt = None
            if cause.reason == "quota":
                context.quota_wait = failure.quota_wait()
            self._counters.account_refused(cause.reason)
            if cause.fix:
                logger.error("OpenRouter refuses the account: %s. Change %s", cause.reason, cause.fix)

    async def _rest(self, model: str, cause: Cause, context: RequestContext, retry_after: float | None) -> None:
        seconds = await self._rests.failed(model, cause, retry_after)
        if seconds:
            context.new_rests.append(seconds)
            self._counters.rest(model, cause.reason, seconds)
            logger.warning("%s is left out for %.0f s: %s", model, seconds, cause.reason)


class Stream:
    """A stream whose first token is there: its events, once. Its end may be a `FailedError`."""

    def __init__(
        self,
        held: list[Event],
        source: AsyncIterator[Event],
        response: httpx.Response,
        broken: Callable[[Exception], Awaitable[None]],
        used: Callable[[Mapping[str, object]], None],
    ) -> None:
        self._held = held
        self._source = source
        self._response = response
        self._broken = broken
        self._used = used
        self._usage: Mapping[str, object] = {}

    async def __aiter__(self) -> AsyncIterator[Event]:
        try:
            for event in self._held:
                yield self._noted(event)
            async for event in self._source:
                yield self._noted(event)
        except (FailedError, httpx.RequestError) as error:
            await self._broken(error)
            raise FailedError(BROKEN) from None

    def _noted(self, event: Event) -> Event:
        self._usage = usage_of(event.said) or self._usage
        return event

    async def aclose(self) -> None:
        """Close the call, and count what it used."""
        usage, self._usage = self._usage, {}
        self._used(usage)
        await self._response.aclose()


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of a stream. `aiter_lines` would also cut at characters that a text may hold, such as U+2028."""
    rest = ""
    async for text in response.aiter_text():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line.removesuffix("\r")
    if rest:
        yield rest


class _Failure:
    """An error of a call, and what its answer says about the time after it."""

    def __init__(self, error: Exception, response: httpx.Response | None) -> None:
        self.cause = _cause(error)
        self.status = None if response is None else response.status_code
        retry_after = "" if response is None else response.headers.get("retry-after", "").strip()
        self.retry_after = float(retry_after) if retry_after.isdecimal() and int(retry_after) else None
        self._said = error.body.decode(errors="replace") if isinstance(error, FailedError) else ""

    @property
    def told(self) -> int:
        """Return the status for LiteLLM."""
        return _STATUS.get(self.cause.reason, 400 if self.cause.fault is Fault.REQUEST else 503)

    def quota_wait(self) -> int:
        """Return the seconds until the account has free calls again."""
        return spent_for(self._said, time.time()) or int(self.retry_after or 60)


def _cause(error: Exception) -> Cause:
    if isinstance(error, FailedError):
        return error.cause
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return UNREACHABLE
    return TIMEOUT if isinstance(error, (httpx.TimeoutException, TimeoutError)) else BROKEN


def _error(status: int, message: str) -> httpx.Response:
    return _json(status, json.dumps({"error": {"code": status, "message": message}}).encode())


def _json(status: int, body: bytes) -> httpx.Response:
    return httpx.Response(status, content=body, headers={"content-type": "application/json"})


def _rehearsed(sent: policy.Sent) -> httpx.Response:
    """Return what a model would answer: the call of a rehearsal does not leave."""
    if sent.stream:
        events = b"data: %s\n\ndata: [DONE]\n\n" % _CHUNK
        return httpx.Response(200, content=events, headers={"content-type": "text/event-stream"})
    return _json(200, _PLAIN)
