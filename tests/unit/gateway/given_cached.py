"""Answers in a model's form, and models behind a cache."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from gateway import policy
from gateway.cached import Cached, Counters, Rules
from gateway.cached_answer import Assembly
from gateway.cached_flight import Answer
from gateway.cached_store import Memory, Store
from gateway.request_context import RequestContext

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0}
CALL = {"id": "call-1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}


def plain(message: dict[str, Any] | None = None, finish: str = "stop", **choice: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "Hello"} if message is None else message
    return {
        "id": "gen-1",
        "created": 7,
        "model": "openrouter/a/b:free",
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": finish, "logprobs": None, **choice, "message": said}],
        "usage": USAGE,
    }


def streamed(*deltas: dict[str, Any], finish: str | None = "stop") -> list[dict[str, Any]]:
    head = {"id": "gen-1", "created": 7, "model": "openrouter/a/b:free", "object": "chat.completion.chunk"}
    made = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    made.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return [*made, {**head, "choices": [], "usage": USAGE}]


def assembled(events: list[dict[str, Any]]) -> dict[str, Any]:
    assembly = Assembly()
    for event in events:
        assembly.add(event)
    return assembly.document()


NAME, OTHER_NAME = "gemma-4-31b", "openrouter/google/gemma-4-31b-it:free"
MODEL = "google/gemma-4-31b-it:free"
BODY: dict[str, Any] = {"model": NAME, "messages": [{"role": "user", "content": "Hi"}], "temperature": 0}
Asked = Callable[["Models", dict[str, Any]], Awaitable[Answer]]


def clean(asked: Mapping[str, Any]) -> dict[str, Any]:
    return policy.clean_chat(copy.deepcopy(dict(asked)), {NAME, OTHER_NAME})


async def whole(models: Models, body: dict[str, Any]) -> Answer:
    """Answer each call with its number, so that a repeated answer is seen."""
    number = models.calls
    return models.stream(number) if body.get("stream") else said(number)


def said(number: int) -> dict[str, Any]:
    return plain({"role": "assistant", "content": f"answer {number}"})


class Models:
    """In place of the router. `gate` holds every answer back until it is set."""

    def __init__(self, answer: Asked = whole) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.contexts: list[RequestContext] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.cancelled = 0
        self._answer = answer
        self.counts: Counter[str] = Counter()
        self.memory = Memory()
        self.cached = self.cache()

    @property
    def calls(self) -> int:
        return len(self.bodies)

    def cache(self, version: str = "config", models: tuple[str, ...] = (MODEL,)) -> Cached:
        def count(*words: str) -> None:
            self.counts[" ".join(words)] += 1

        counters = Counters(count, lambda: count("stored"), lambda why: count("skipped", why))
        store = Store(self.memory, secret=b"secret", seconds=60)
        names = {NAME: NAME, OTHER_NAME: NAME}
        return Cached(self.ask, Rules(frozenset({"email_labels"})), store, counters, version, names, models)

    async def ask(self, body: dict[str, Any], context: RequestContext) -> Answer:
        self.bodies.append(body)
        self.contexts.append(context)
        context.model = MODEL
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await self._answer(self, body)

    async def stream(self, number: int) -> AsyncIterator[dict[str, Any]]:
        try:
            for event in streamed({"role": "assistant", "content": "answer "}, {"content": str(number)}):
                await asyncio.sleep(0)
                yield event
        except BaseException:
            self.cancelled += 1
            raise

    async def chat(self, cached: Cached | None = None, feature: str | None = None, **fields: Any) -> Any:
        return (await self.asked(cached, feature, **fields))[0]

    async def asked(
        self, cached: Cached | None = None, feature: str | None = None, **fields: Any
    ) -> tuple[Any, RequestContext]:
        cached = cached or self.cached
        given = {**BODY, **fields}
        context = RequestContext(asked=given, feature=feature)
        try:
            answer = await cached.answer(clean(given), context)
            found = answer if isinstance(answer, dict) else [event async for event in answer]
        finally:
            await context.close()
        if self.gate.is_set():
            await turns()
        return found, context


def run(work: Callable[[Models], Awaitable[None]], answer: Asked = whole) -> Models:
    async def limited() -> Models:
        models = Models(answer)
        async with asyncio.timeout(20):
            await work(models)
            await turns()  # what is kept is kept after the answer
        return models

    return asyncio.run(limited())


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def text(answer: Any) -> str:
    document = answer if isinstance(answer, dict) else assembled(answer)
    return str(document["choices"][0]["message"]["content"])
