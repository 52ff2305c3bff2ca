"""Decides the path of each call once, falls back from the gateway to the direct path, and counts."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx
from prometheus_client import CollectorRegistry

from friday.llm import constants, errors
from friday.llm.breaker import Admission, CircuitBreaker
from friday.llm.client import ChatClient, ChatStream
from friday.llm.config import LlmConfig
from friday.llm.constants import Path
from friday.llm.decision import decide
from friday.llm.errors import LlmError
from friday.llm.monitoring.logger import UserHasher
from friday.llm.monitoring.metrics import LlmMetrics
from friday.llm.monitoring.observer import CallRecord
from friday.llm.requests import gateway_model, parse_params
from friday.llm.types import Caller, InvokeParams, InvokeResult, Route

T = TypeVar("T")
Params = InvokeParams | Mapping[str, Any]
Attempt = Callable[[ChatClient, InvokeParams, float, str], Awaitable[T]]
"""A method of ChatClient: takes its client, the parameters, the deadline on the loop's clock and the request id."""


class LlmRouter:
    """One per process and event loop; `aclose` it at the end.

    `draw` decides for calls without a user id, `transport` replaces the network; both exist for tests.
    """

    def __init__(
        self,
        config: LlmConfig,
        *,
        registry: CollectorRegistry | None = None,
        hash_user: UserHasher | None = None,
        breaker: CircuitBreaker | None = None,
        draw: Callable[[], float] = random.random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.config = config
        self.breaker = breaker or CircuitBreaker()
        self._draw = draw
        self._gateway = ChatClient(Path.LITELLM, config, transport)
        self._direct = ChatClient(Path.DIRECT, config, transport)
        self._hash_user = hash_user or UserHasher(uuid4().bytes)
        self._metrics = LlmMetrics(registry or CollectorRegistry(), [config.openrouter_model])
        self._metrics.watch(self.breaker, self.percentage)

    async def aclose(self) -> None:
        """Close the connections of both paths."""
        await self._gateway.aclose()
        await self._direct.aclose()

    @property
    def percentage(self) -> int:
        """The percentage in force: 0 while LiteLLM is switched off."""
        return self.config.rollout_percentage if self.config.enable_litellm else 0

    def assign(self, user_id: int | None) -> Path:
        """Return the path that a user is on; see `decide`."""
        return decide(
            user_id, enabled=self.config.enable_litellm, percentage=self.config.rollout_percentage, draw=self._draw
        )

    async def invoke(self, params: Params, caller: Caller | None = None) -> InvokeResult:
        """Return a whole answer. Raises LlmError; see `friday.llm.invoke_llm`."""
        result, call = await self._run(params, caller or Caller(), ChatClient.complete)
        result.route = call.route
        call.succeed(result)
        return result

    async def stream(self, params: Params, caller: Caller | None = None) -> "AnswerStream":
        """Return a streamed answer. Raises LlmError; see `friday.llm.stream_llm`."""
        source, call = await self._run(params, caller or Caller(), ChatClient.stream)
        call.first_token(source.model)
        return AnswerStream(source, call)

    async def _run(self, params: Params, caller: Caller, attempt: Attempt[T]) -> tuple[T, CallRecord]:
        """Check the arguments, answer on one path or the other, and record a failure."""
        if not caller.request_id:
            caller = replace(caller, request_id=uuid4().hex)
        call = CallRecord(caller, self.assign(caller.user_id), self._metrics, self._hash_user)
        try:
            return await self._answer(call, parse_params(params), attempt), call
        except BaseException as error:
            if isinstance(error, LlmError):
                error.path = call.path
            call.fail(error)
            raise

    async def _answer(self, call: CallRecord, request: InvokeParams, attempt: Attempt[T]) -> T:
        now, request_id = asyncio.get_running_loop().time(), call.caller.request_id
        seconds = call.caller.timeout or self.config.deadline_seconds
        cause: LlmError | None = None
        if call.path is Path.LITELLM:
            call.model = gateway_model(request)
            admission = self.breaker.admit()
            if admission is Admission.REFUSED:
                call.fell_back("breaker_open")
            else:
                share = now + seconds * constants.GATEWAY_SHARE
                try:
                    return await self._judged(admission, attempt(self._gateway, request, share, request_id))
                except LlmError as error:
                    cause = error
                    call.attempt_failed(Path.LITELLM, error)
                    call.fell_back(error.kind, error)
        call.model = self.config.openrouter_model
        try:
            return await attempt(self._direct, request, now + seconds, request_id)
        except LlmError as error:
            call.attempt_failed(call.path, error)
            raise error from cause

    async def _judged(self, admission: Admission, answering: Awaitable[T]) -> T:
        """Return the gateway's answer, and let the breaker know what the outcome shows about the gateway."""
        try:
            result = await answering
        except (errors.Unavailable, errors.LlmTimeout) as error:
            if isinstance(error, errors.GatewayClosed):
                self.breaker.release(admission)  # once it is opened again, it should be used at once
            else:
                self.breaker.failure(admission)
            raise
        except LlmError:
            self.breaker.success(admission)  # it answers, even if it refuses
            raise
        except BaseException:
            self.breaker.release(admission)
            raise
        self.breaker.success(admission)
        return result


class AnswerStream:
    """Iterate for text; `result` holds the whole answer afterwards. Close it, or use `async with`.

    `route` and `model` are known from the start, because the first text has already arrived.
    Iterating raises StreamBroken when the answer ends early; the text so far is then not the answer,
    and no other path continues it.
    """

    def __init__(self, source: ChatStream, call: CallRecord) -> None:
        self.route: Route = call.route
        self.model = source.model
        self.result: InvokeResult | None = None
        self._source = source
        self._call = call

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the text piece by piece."""
        try:
            async for text in self._source:
                yield text
        except LlmError as error:
            error.path = self.route.path
            self._call.attempt_failed(self.route.path, error)
            self._call.fail(error)
            raise
        self.result = self._source.result
        if self.result is not None:
            self.result.route = self.route
            self._call.succeed(self.result)

    async def aclose(self) -> None:
        """End the stream; it counts as cancelled when it was not read to its end."""
        self._call.fail(asyncio.CancelledError())
        await self._source.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
