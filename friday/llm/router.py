"""Decides the path of each call once, falls back from the gateway to the direct path, and counts."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from prometheus_client import CollectorRegistry

from friday.llm import constants, errors
from friday.llm.answer import AnswerStream
from friday.llm.breaker import Admission, CircuitBreaker
from friday.llm.caller import Caller
from friday.llm.client import ChatClient, ChatStream, Upstream
from friday.llm.config import LlmConfig
from friday.llm.constants import Path
from friday.llm.deadline import Deadline
from friday.llm.decision import decide
from friday.llm.errors import LlmError
from friday.llm.monitoring.logger import UserHasher
from friday.llm.monitoring.metrics import LlmMetrics
from friday.llm.monitoring.observer import CallRecord
from friday.llm.requests import gateway_model, parse_params
from friday.llm.types import InvokeParams, InvokeResult

T = TypeVar("T")
Params = InvokeParams | Mapping[str, Any]
Attempt = Callable[[ChatClient, InvokeParams, Deadline], Awaitable[T]]
BREAKER_OPEN = "breaker_open"


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
        self._gateway = ChatClient(_gateway(config), transport)
        self._direct = ChatClient(_direct(config), transport)
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
            draw=self._draw,
        )

    async def invoke(self, params: Params, caller: Caller | None = None) -> InvokeResult:
        """Return a whole answer. Raises LlmError; see `friday.llm.invoke_llm`."""
        caller = _with_id(caller)

        async def attempt(client: ChatClient, request: InvokeParams, deadline: Deadline) -> InvokeResult:
            return await client.complete(request, deadline, caller.request_id)

        result, call = await self._run(params, caller, attempt)
        result.route = call.route
        call.succeed(result)
        return result

    async def stream(self, params: Params, caller: Caller | None = None) -> AnswerStream:
        """Return a streamed answer. Raises LlmError; see `friday.llm.stream_llm`."""
        caller = _with_id(caller)

        async def attempt(client: ChatClient, request: InvokeParams, deadline: Deadline) -> ChatStream:
            return await client.stream(request, deadline, caller.request_id)

        source, call = await self._run(params, caller, attempt)
        call.first_token(source.model)
        return AnswerStream(source, call)

    async def _run(self, params: Params, caller: Caller, attempt: Attempt[T]) -> tuple[T, CallRecord]:
        """Check the arguments, answer on one path or the other, and record a failure."""
        call = CallRecord(caller, self.assign(caller.user_id), self._metrics, self._hash_user)
        try:
            request = parse_params(params)
            deadline = Deadline.after(caller.timeout or self.config.deadline_seconds)
            return await self._answer(call, request, deadline, attempt), call
        except BaseException as error:
            if isinstance(error, LlmError):
                error.path = call.path
            call.fail(error)
            raise

    async def _answer(self, call: CallRecord, request: InvokeParams, deadline: Deadline, attempt: Attempt[T]) -> T:
        cause: LlmError | None = None
        if call.path is Path.LITELLM:
            call.model = gateway_model(request)
            admission = self.breaker.admit()
            if admission is Admission.REFUSED:
                call.fell_back(BREAKER_OPEN)
            else:
                try:
                    return await self._through_gateway(
                        admission, attempt, request, deadline.share(constants.GATEWAY_SHARE)
                    )
                except LlmError as error:
                    cause = error
                    call.attempt_failed(Path.LITELLM, error)
                    call.fell_back(error.kind, error)
        call.model = self.config.openrouter_model
        try:
            return await attempt(self._direct, request, deadline)
        except LlmError as error:
            call.attempt_failed(call.path, error)
            raise error from cause

    async def _through_gateway(
        self, admission: Admission, attempt: Attempt[T], request: InvokeParams, deadline: Deadline
    ) -> T:
        try:
            result = await attempt(self._gateway, request, deadline)
        except errors.GatewayClosed:
            self.breaker.release(admission)  # once it is opened again, it should be used at once
            raise
        except (errors.Unavailable, errors.LlmTimeout):
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


def _with_id(caller: Caller | None) -> Caller:
    caller = caller or Caller()
    return caller if caller.request_id else replace(caller, request_id=uuid4().hex)


def _gateway(config: LlmConfig) -> Upstream:
    return Upstream(Path.LITELLM, config.litellm_base_url, constants.GATEWAY_CONNECT_SECONDS, attempts=1)


def _direct(config: LlmConfig) -> Upstream:
    return Upstream(
        Path.DIRECT,
        config.openrouter_base_url,
        constants.DIRECT_CONNECT_SECONDS,
        attempts=constants.DIRECT_ATTEMPTS,
        key=config.openrouter_api_key.get_secret_value() or None,
        model=config.openrouter_model,
    )
