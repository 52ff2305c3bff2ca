"""A gateway's settings, and a router in place of LiteLLM's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from gateway.abilities import Abilities
from gateway.answers import Event
from gateway.chat import Chats
from gateway.environment import Gateway
from gateway.metrics import Metrics
from gateway.policy import Keys
from gateway.quota import Quota
from gateway.request_context import CURRENT, RequestContext
from gateway.request_filter import Life, RequestFilter
from gateway.rests import Rest
from gateway.upstream import Answered

GATEWAY_KEY = "gateway-key-0123456789"
EDGE_KEY = "edge-key-0123456789"
OPS_KEY = "ops-key-0123456789abcd"
MODELS = ("gemma-4-31b", "openrouter/google/gemma-4-31b-it:free")
FIRST = "google/gemma-4-31b-it:free"
DEPLOYMENTS = {"dep-one": f"openrouter/{FIRST}", "dep-two": "openrouter/other/two:free"}
CHAT = {"model": "gemma-4-31b", "messages": [{"role": "user", "content": "Hi"}]}
Answer = Callable[["Inner"], Awaitable[None]]


def gateway(**changed: Any) -> Gateway:
    values: dict[str, Any] = {
        "rendered": {"router_settings": {"model_group_alias": dict.fromkeys(MODELS, "up-one")}},
        "keys": Keys(GATEWAY_KEY, EDGE_KEY, OPS_KEY),
        "openrouter_key": "sk-or-0123456789",
        "upstream": "http://openrouter:8080/api/v1",
        "models": MODELS,
        "deployments": DEPLOYMENTS,
        "abilities": Abilities({}, {}),
        "requests_per_minute": 100,
        "replicas": 1,
        "redis": None,
        "deadline_seconds": 5.0,
        "stream_deadline_seconds": 5.0,
        "data_policy": (),
        "cache_seconds": 0,
        "cache_features": frozenset(),
        "first_token_seconds": 2.0,
        "cooldown_seconds": 60.0,
        "allowed_fails": 1,
        "first_models": dict.fromkeys(MODELS, FIRST),
        "max_in_flight": 10,
        "max_queued": 10,
        "latency_buckets": (),
        "host": "127.0.0.1",
        "port": 4000,
        "drain_seconds": 0.0,
        "grace_seconds": 0.0,
    }
    return Gateway(**{**values, **changed})


WHOLE = {"id": "gen-1", "created": 1, "choices": [{"finish_reason": "stop", "message": {"content": "Hello"}}]}


class CallError(Exception):
    """What LiteLLM raises when no model answered: its text is full of what nobody should see."""

    def __init__(self, status: int) -> None:
        super().__init__("litellm.APIError: secret words. Fallbacks=[up-x] user_SECRET")
        self.status_code = status


def at_work() -> RequestContext:
    """Return the context of the request that is being answered."""
    context = CURRENT.get()
    assert context is not None
    return context


async def hello(inner: Inner) -> None:
    context = at_work()
    context.model, context.plain = FIRST, WHOLE


def calling(quota: Quota) -> Answer:
    """Return an answer that costs a call to the upstream, counted as `gateway.leaving` does."""

    async def call(inner: Inner) -> None:
        context = at_work()
        context.quota_wait = await quota.take()
        if context.quota_wait:
            raise CallError(400)
        await hello(inner)

    return call


def streaming(events: Callable[[], AsyncIterator[Event]], model: str = FIRST) -> Answer:
    """Return an answer that is a stream of these events."""

    async def answer(inner: Inner) -> None:
        context = at_work()
        inner.stream = PlayedStream(events())
        context.model, context.stream = model, inner.stream

    return answer


class PlayedStream:
    """A stream without a call behind it."""

    def __init__(self, events: AsyncIterator[Event]) -> None:
        self._events = events
        self.closed = False

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def aclose(self) -> None:
        self.closed = True


def event(delta: dict[str, Any], finish: str | None = None) -> Event:
    said = {"id": "gen-1", "created": 1, "model": "m", "choices": [{"delta": delta, "finish_reason": finish}]}
    return Event(said, delta, finish, shows=True)


class Inner:
    """In place of LiteLLM's router: keeps what it is asked and gives the wanted answer."""

    def __init__(self, answer: Answer = hello) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.stream: PlayedStream | None = None
        self._answer = answer

    async def acompletion(self, **body: Any) -> None:
        self.bodies.append(body)
        await self._answer(self)
        context = at_work()
        if context.plain is not None or context.stream is not None:
            raise Answered  # as `gateway.upstream` does inside LiteLLM's router

    @property
    def chat(self) -> dict[str, Any]:
        return self.bodies[-1]


class Client:
    """Sends requests to the request filter, as a client with the gateway key by default."""

    def __init__(
        self,
        answer: Answer = hello,
        quota: Quota | None = None,
        resting: Mapping[str, Rest] | None = None,
        **changed: Any,
    ) -> None:
        self.inner = Inner(answer)
        self._resting = resting or {}
        self.registry = CollectorRegistry()
        limit = quota or Quota(100)
        self.metrics = Metrics(self.registry)
        made = gateway(**changed)
        chats = Chats(self.inner, made, limit, self.metrics)
        self.started: list[str] = []
        self.filter = RequestFilter(
            chats.answer, chats.check, made, limit, self.metrics, self._at_rest, Life(self._start, self._end)
        )

    async def _start(self) -> None:
        self.started.append("started")

    async def _end(self) -> None:
        self.started.append("ended")

    async def _at_rest(self, asked: Collection[str]) -> Mapping[str, Rest]:
        return {name: rest for name, rest in self._resting.items() if name in asked}

    def request(self, method: str, path: str, *, key: str | None = GATEWAY_KEY, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.filter)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                headers = {**({"authorization": f"Bearer {key}"} if key else {}), **options.pop("headers", {})}
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(send())

    def chat(self, body: Any = None, **fields: Any) -> httpx.Response:
        return self.request("POST", "/v1/chat/completions", json={**CHAT, **fields} if body is None else body)

    def refusals(self, reason: str) -> float:
        return self.counted("gateway_refused_requests_total", reason=reason)

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


async def never(inner: Inner) -> None:
    await asyncio.sleep(60)


def failing(status: int) -> Any:
    """Return how the models behind the filter fail: all alike."""

    async def answer(inner: Inner) -> None:
        raise CallError(status)

    return answer
