"""An upstream whose answers a test gives; httpx' own transport plays it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import httpx

from gateway.answers import Event
from gateway.request_context import CURRENT, RequestContext
from gateway.rests import Rests
from gateway.upstream import Answered, Counters, Upstream

URL = "http://openrouter:8080/api/v1"
FREE = {"max_price": {"prompt": 0, "completion": 0, "request": 0, "image": 0}}
CHAT = {"model": "one:free", "messages": [], "provider": FREE}
WHOLE = {"choices": [{"finish_reason": "stop", "message": {"content": "hello"}}], "usage": {"cost": 0}}
Answer = Callable[[httpx.Request], Any]


def event(text: str, finish: str | None = None, **more: Any) -> bytes:
    document = {
        **more,
        "id": "1",
        "created": 1,
        "model": "m",
        "choices": [{"delta": {"content": text}, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(document).encode() + b"\r\n\r\n"


class Given:
    """An upstream whose answers a test gives, and what was counted."""

    def __init__(self, *answers: Answer, data_policy: Sequence[str] = ()) -> None:
        self.received: list[httpx.Request] = []
        self.refused: list[str] = []
        self.rests: list[tuple[str, str, float]] = []
        self.used: list[Mapping[str, object]] = []
        self.data_policy = data_policy
        self.events: list[Event] = []
        self.answered = False
        self._answers = iter(answers)

    async def _inner(self, request: httpx.Request) -> httpx.Response:
        self.received.append(request)
        answer = next(self._answers)(request)
        found: httpx.Response = await answer if asyncio.iscoroutine(answer) else answer
        return found

    def client(self) -> httpx.AsyncClient:
        upstream = Upstream(
            httpx.MockTransport(self._inner),
            base_url=URL,
            models=frozenset({"one:free", "two:free"}),
            first_token_seconds=0.1,
            rests=Rests(60, 1),
            counters=Counters(self.refused.append, lambda *rest: self.rests.append(rest), self.used.append),
            data_policy=self.data_policy,
        )
        return httpx.AsyncClient(transport=upstream)

    def ask(
        self, *models: str, context: RequestContext | None = None, seconds: float | None = None, **changed: Any
    ) -> list[httpx.Response]:
        """Ask one model after the other in one request with `seconds` to its deadline, until one has `answered`.

        Returns what LiteLLM is told of those that have not.
        """

        async def run() -> list[httpx.Response]:
            if context is not None and seconds is not None:
                context.deadline = asyncio.get_running_loop().time() + seconds
            answers = []
            async with self.client() as client:
                for model in models or ("one:free",):
                    url = changed.pop("url", f"{URL}/chat/completions")
                    try:
                        answers.append(await client.post(url, json={**CHAT, "model": model, **changed}))
                    except Answered:
                        self.answered = True
                        break
            if context is not None and context.stream is not None:
                try:
                    self.events = [each async for each in context.stream]
                finally:
                    await context.close()
            return answers

        token = CURRENT.set(context or RequestContext())
        try:
            return asyncio.run(run())
        finally:
            CURRENT.reset(token)


def says(status: int, message: str = "", **headers: str) -> Answer:
    body = {"error": {"code": status, "message": message}}
    return lambda _: httpx.Response(status, json=body, headers=headers)


def well(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=WHOLE, headers={"x-account": "secret"})


def streams(*parts: bytes, pause: float = 0) -> Answer:
    async def body() -> AsyncIterator[bytes]:
        for part in parts:
            await asyncio.sleep(pause)
            yield part

    return lambda _: httpx.Response(200, content=body())


def fails(error: Exception) -> Answer:
    def answer(request: httpx.Request) -> Any:
        raise error

    return answer


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]
