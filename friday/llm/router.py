"""Decides the path of each call once, falls back from the gateway to the direct path, and counts."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx
from prometheus_client import CollectorRegistry

from friday.llm import errors
from friday.llm.breaker import Admission, CircuitBreaker
from friday.llm.client import ChatClient, ChatStream
from friday.llm.config import LlmConfig
from friday.llm.constants import Path
from friday.llm.decision import decide
from friday.llm.errors import LlmError
from friday.llm.monitoring.logger import UserHasher
from friday.llm.monitoring.metrics import LlmMetrics
from friday.llm.monitoring.observer import CallRecord
from friday.llm.patience import Life, Span, error_of, first_answer, leave, wait_for_gateway
from friday.llm.requests import gateway_model, parse_params
from friday.llm.types import Caller, InvokeParams, InvokeResult, Route

T = TypeVar("T")
Params = InvokeParams | Mapping[str, Any]
Attempt = Callable[[ChatClient, InvokeParams, float, Caller, Life], Coroutine[Any, Any, T]]
"""A method of ChatClient: takes its client, the parameters, the deadline on the loop's clock, the caller, and where to
show life."""


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
            user_id,
            enabled=self.config.enable_litellm,
            percentage=self.config.rollout_percentage,
            testers=self.config.testers,
            compare=self.config.compare_testers,
            draw=self._draw,
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
            request = parse_params(params)
            if self.config.compare_testers and caller.user_id in self.config.testers:
                call.compared = request
            return await self._answer(call, request, attempt), call
        except BaseException as error:
            if isinstance(error, LlmError):
                error.path = call.path
            call.fail(error)
            raise

    async def _answer(self, call: CallRecord, request: InvokeParams, attempt: Attempt[T]) -> T:
        seconds = call.caller.timeout or self.config.deadline_seconds
        span = Span(asyncio.get_running_loop().time(), seconds)
        if call.path is Path.LITELLM:
            call.model = gateway_model(request)
            admission = self.breaker.admit()
            if admission is not Admission.REFUSED:
                return await self._both(call, request, attempt, span, admission)
            call.fell_back("breaker_open")
        call.model = self.config.openrouter_model
        try:
            return await attempt(self._direct, request, span.end, call.caller, Life())
        except LlmError as error:
            call.attempt_failed(call.path, error)
            raise

    async def _both(
        self, call: CallRecord, request: InvokeParams, attempt: Attempt[T], span: Span, admission: Admission
    ) -> T:
        """Ask the gateway, and the direct path too once the gateway has failed or is late: the first answer counts.

        A late gateway is left only when the direct path has an answer: it may be about to give its own, and a plain
        call shows no life meanwhile.
        """
        life, caller = Life(), call.caller
        gateway = asyncio.create_task(attempt(self._gateway, request, span.end, caller, life))
        direct: asyncio.Task[T] | None = None
        winner: asyncio.Task[T] | None = None
        try:
            await wait_for_gateway(gateway, life, span)
            known = error_of(gateway)
            if gateway.done() and known is None:
                winner = gateway
                return gateway.result()
            if known is not None:
                self._give_up(call, known)
            direct = asyncio.create_task(attempt(self._direct, request, span.end, caller, Life()))
            winner = await first_answer(gateway, direct)
            if winner is not gateway and known is None:
                known = error_of(gateway) or errors.LlmTimeout("no answer within the gateway's share of the deadline")
                self._give_up(call, known)
            if (lost := error_of(direct)) is not None:
                call.attempt_failed(Path.FALLBACK, lost)
                if winner is None:
                    raise lost from known
            return (winner or direct).result()
        finally:
            self._judge(admission, gateway, life, late=direct is not None)
            await leave(*(task for task in (gateway, direct) if task is not winner))

    def _give_up(self, call: CallRecord, error: LlmError) -> None:
        """Record that the direct path's answer will count."""
        call.attempt_failed(Path.LITELLM, error)
        call.fell_back(error.kind, error)
        call.model = self.config.openrouter_model

    def _judge(self, admission: Admission, gateway: asyncio.Task[T], life: Life, *, late: bool) -> None:
        """Let the breaker know what a try shows about the gateway: one that answers is healthy, even if it refuses."""
        error = error_of(gateway)
        silent = late and not gateway.done()
        if isinstance(error, errors.GatewayClosed):
            self.breaker.release(admission)  # once it is opened again, it should be used at once
        elif isinstance(error, errors.Unavailable):
            self.breaker.failure(admission)
        elif life.lasts:
            self.breaker.success(admission)
        elif silent or isinstance(error, errors.LlmTimeout):
            self.breaker.failure(admission)
        elif error is not None or (gateway.done() and not gateway.cancelled() and gateway.exception() is None):
            self.breaker.success(admission)
        else:
            self.breaker.release(admission)


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
