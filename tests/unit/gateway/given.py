"""A gateway's settings, and an application in place of LiteLLM."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from gateway.environment import Gateway
from gateway.policy import Keys
from gateway.quota import Quota
from gateway.request_filter import RequestFilter
from gateway.rests import Rest
from gateway.state import Metrics
from serving.drain import Message, Receive, Scope, Send

GATEWAY_KEY = "gateway-key-0123456789"
EDGE_KEY = "edge-key-0123456789"
OPS_KEY = "ops-key-0123456789abcd"
MODELS = ("gemma-4-31b", "openrouter/google/gemma-4-31b-it:free")
DEPLOYMENTS = {"dep-one": "openrouter/google/gemma-4-31b-it:free", "dep-two": "openrouter/other/two:free"}
CHAT = {"model": "gemma-4-31b", "messages": [{"role": "user", "content": "Hi"}]}
Answer = Callable[["Inner", Send], Awaitable[None]]


def gateway(**changed: Any) -> Gateway:
    values: dict[str, Any] = {
        "config": Path("config.yaml"),
        "keys": Keys(GATEWAY_KEY, EDGE_KEY, OPS_KEY),
        "openrouter_key": "sk-or-0123456789",
        "upstream": "http://openrouter:8080/api/v1",
        "models": MODELS,
        "deployments": DEPLOYMENTS,
        "requests_per_minute": 100,
        "replicas": 1,
        "redis": None,
        "deadline_seconds": 5.0,
        "stream_deadline_seconds": 5.0,
        "caches": False,
        "first_token_seconds": 2.0,
        "cooldown_seconds": 60.0,
        "allowed_fails": 1,
        "host": "127.0.0.1",
        "port": 4000,
        "drain_seconds": 0.0,
        "grace_seconds": 0.0,
    }
    return Gateway(**{**values, **changed})


async def hello(inner: Inner, send: Send) -> None:
    await respond(send, 200, b'{"choices":[]}', {"x-litellm-model-api-base": "http://inside"})


async def respond(
    send: Send, status: int, body: bytes, headers: dict[str, str] | None = None, kind: str = "application/json"
) -> None:
    sent = [(b"content-type", kind.encode())]
    sent += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class Inner:
    """In place of LiteLLM: keeps what it receives and gives the wanted answer."""

    def __init__(self, answer: Answer = hello) -> None:
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.scopes.append(scope)
        if scope["method"] == "POST":
            message: Message = await receive()
            self.bodies.append(message["body"])
        await self._answer(self, send)

    @property
    def chat(self) -> Any:
        return json.loads(self.bodies[-1])


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
        self.filter = RequestFilter(self.inner, gateway(**changed), limit, Metrics(100, self.registry), self._at_rest)

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
        return self.registry.get_sample_value("gateway_refused_requests_total", {"reason": reason}) or 0.0


LEAK = b'{"error":{"message":"litellm.APIError: secret words. Fallbacks=[up-x] user_SECRET","code":"500"}}'


async def never(inner: Inner, send: Send) -> None:
    await asyncio.sleep(60)
