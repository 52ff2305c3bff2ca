"""The cache in front of the models: who gets whose answer, and which requests share one call."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import policy
from gateway.answers import FailedError
from gateway.cached import Cached, Counters, Rules, text_of
from gateway.cached_flight import Answer
from gateway.cached_store import Memory, Store
from gateway.policy import RefusedError
from gateway.request_context import RequestContext
from serving.causes import BROKEN
from tests.unit.gateway.test_cached_answer import assembled, plain, streamed

NAME = "gemma-4-31b"
MODEL = "google/gemma-4-31b-it:free"
BODY: dict[str, Any] = {"model": NAME, "messages": [{"role": "user", "content": "Hi"}], "temperature": 0}
Asked = Callable[["Models", dict[str, Any]], Awaitable[Answer]]


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
        return Cached(self.ask, Rules(60, frozenset({"email_labels"})), store, counters, version, models)

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
        body = policy.clean_chat(copy.deepcopy(given), {NAME})
        context = RequestContext(cache=cached.key_of(body, given, feature))
        answer = await cached.answer(body, context)
        found = answer if isinstance(answer, dict) else [event async for event in answer]
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


def test_the_same_request_gets_the_same_answer_and_costs_one_call() -> None:
    async def work(models: Models) -> None:
        first, one = await models.asked()
        second, two = await models.asked()
        assert first == second == said(1)
        assert (one.cached, two.cached, two.model) == ("", "hit", MODEL)

    models = run(work)
    assert models.calls == 1
    assert models.counts == {"miss": 1, "hit": 1, "stored": 1}


@pytest.mark.parametrize("streams", [True, False])
def test_streams_and_plain_answers_serve_each_other(streams: bool) -> None:
    async def work(models: Models) -> None:
        first = await models.chat(stream=streams)
        other = await models.chat(stream=not streams)
        again = await models.chat(stream=streams)
        assert text(first) == text(other) == text(again) == "answer 1"

    assert run(work).calls == 1


@pytest.mark.parametrize("asks_first", [True, False])
def test_a_stream_has_the_usage_when_its_client_asks_for_it_whoever_made_the_call(asks_first: bool) -> None:
    async def work(models: Models) -> None:
        usage: dict[str, Any] = {"stream_options": {"include_usage": True}}
        first = await models.chat(stream=True, **(usage if asks_first else {}))
        second = await models.chat(stream=True, **({} if asks_first else usage))
        assert [any("usage" in event for event in each) for each in (first, second)] == [asks_first, not asks_first]
        assert "usage" in await models.chat()

    assert run(work).calls == 1


@pytest.mark.parametrize(
    ("fields", "feature", "cacheable"),
    [
        ({}, None, True),
        ({"temperature": 0.0}, None, True),
        ({"temperature": 0.1}, None, False),
        ({"temperature": None}, None, False),
        ({"temperature": None}, "email_labels", True),
        ({"temperature": 1}, "email_labels", True),
        ({"temperature": 1}, "chat", False),
    ],
)
def test_only_what_the_settings_call_cacheable_is_cached(
    fields: dict[str, Any], feature: str | None, cacheable: bool
) -> None:
    async def work(models: Models) -> None:
        for _ in range(2):
            await models.chat(feature=feature, **fields)

    models = run(work)
    assert models.calls == (1 if cacheable else 2)
    assert models.counts["skipped not_cacheable"] == (0 if cacheable else 2)


def test_a_request_that_is_not_cacheable_gets_no_answer_of_one_that_is() -> None:
    async def work(models: Models) -> None:
        features = ("email_labels", None, "email_labels")
        answers = [await models.chat(feature=feature, temperature=1) for feature in features]
        assert [text(answer) for answer in answers] == ["answer 1", "answer 2", "answer 1"]

    run(work)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ignored = st.sampled_from(["user", "metadata", "min_p", "top_a", "repetition_penalty", "safety_identifier", "x"])


@given(ignored, values, values)
def test_two_users_whom_a_field_tells_apart_never_share_an_answer_though_no_model_gets_it(
    name: str, one: Any, other: Any
) -> None:
    def key(value: Any) -> bytes:
        asked = {**BODY, name: value}
        return text_of("v", policy.clean_chat(copy.deepcopy(asked), {NAME}), asked)

    same = (repr(one) == repr(other)) or one == other
    assert (key(one) == key(other)) == (same and _kinds(one) == _kinds(other))


def _kinds(value: Any) -> Any:
    """Return a value with its kinds: to Python, true is 1."""
    if isinstance(value, dict):
        return {name: _kinds(each) for name, each in value.items()}
    return [_kinds(each) for each in value] if isinstance(value, list) else (type(value).__name__, value)


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": 1},
        {"max_tokens": 5},
        {"temperature": 0, "top_p": 0.5},
        {"messages": [{"role": "user", "content": "Hi "}]},
        {"messages": [{"role": "user", "content": "Hi", "cache_control": {"type": "x"}}]},
        {"reasoning": {"exclude": True}},
        {"include_reasoning": False},
        {"user": "bob"},
        {"metadata": {"session": 1}},
    ],
)
def test_a_request_that_differs_in_anything_is_another_one(fields: dict[str, Any]) -> None:
    async def work(models: Models) -> None:
        await models.chat()
        await models.chat(**fields)

    assert run(work).calls == 2


def test_the_order_of_fields_counts_where_a_model_sees_it() -> None:
    def key(asked: Mapping[str, Any]) -> bytes:
        return text_of("v", policy.clean_chat(copy.deepcopy(dict(asked)), {NAME}), asked)

    def shaped(*names: str) -> dict[str, Any]:
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
        return {**BODY, "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}}

    assert key(BODY) == key(dict(reversed(BODY.items())))
    assert key(shaped("a", "b")) == key(dict(reversed(shaped("a", "b").items())))
    assert key(shaped("a", "b")) != key(shaped("b", "a"))


def test_another_config_or_another_list_of_models_gets_no_old_answer() -> None:
    async def work(models: Models) -> None:
        await models.chat()
        assert text(await models.chat(models.cache(version="another config"))) == "answer 2"
        assert text(await models.chat(models.cache(models=("other/model:free",)))) == "answer 3"
        assert text(await models.chat()) == "answer 3", "it was replaced by the newest"

    run(work)


@pytest.mark.parametrize("finish", ["length", "content_filter", "error", None])
@pytest.mark.parametrize("streams", [True, False])
def test_what_is_not_whole_is_not_kept(finish: str | None, streams: bool) -> None:
    async def unfinished(models: Models, body: dict[str, Any]) -> Answer:
        async def events() -> AsyncIterator[dict[str, Any]]:
            for event in streamed({"content": "Hel"}, finish=finish):
                yield event

        return events() if streams else plain(finish=finish or "")

    async def work(models: Models) -> None:
        for _ in range(2):
            await models.chat(stream=streams)

    models = run(work, unfinished)
    assert (models.calls, models.counts["stored"]) == (2, 0)


def test_a_damaged_value_is_asked_for_again_and_replaced() -> None:
    async def work(models: Models) -> None:
        _, context = await models.asked()
        value = await models.memory.get(context.cache)
        assert value is not None
        await models.memory.set(context.cache, value[:-3], 60)
        assert [text(await models.chat()) for _ in range(2)] == ["answer 2", "answer 2"]

    assert run(work).counts == {"miss": 1, "damaged": 1, "hit": 1, "stored": 2}


@pytest.mark.parametrize("streams", [(False, False), (True, True), (True, False), (False, True)])
def test_identical_requests_at_the_same_time_share_one_call(streams: tuple[bool, bool]) -> None:
    async def work(models: Models) -> None:
        models.gate.clear()
        leader = asyncio.ensure_future(models.asked(stream=streams[0]))
        await turns()
        followers = [asyncio.ensure_future(models.asked(stream=streams[1])) for _ in range(3)]
        await turns()
        models.gate.set()
        found = [await each for each in (leader, *followers)]
        assert {text(answer) for answer, _ in found} == {"answer 1"}
        assert [context.cached for _, context in found] == ["", "shared", "shared", "shared"]
        assert {context.model for _, context in found} == {MODEL}

    models = run(work)
    assert models.calls == 1
    assert models.counts == {"miss": 1, "shared": 3, "stored": 1}


def test_who_joins_a_stream_late_gets_all_of_it() -> None:
    async def slowly(models: Models, body: dict[str, Any]) -> Answer:
        async def events() -> AsyncIterator[dict[str, Any]]:
            for number, event in enumerate(streamed({"role": "assistant", "content": "ans"}, {"content": "wer 1"})):
                if number == 1:
                    models.gate.clear()
                    await models.gate.wait()
                yield event

        return events()

    async def work(models: Models) -> None:
        leader = asyncio.ensure_future(models.chat(stream=True))
        await turns()
        late = [asyncio.ensure_future(models.chat(stream=streams)) for streams in (True, False)]
        await turns()
        assert not late[0].done()
        models.gate.set()
        assert [text(await each) for each in (leader, *late)] == ["answer 1"] * 3

    assert run(work, slowly).calls == 1


@pytest.mark.parametrize("streams", [True, False])
def test_a_leader_that_leaves_does_not_take_the_followers_along(streams: bool) -> None:
    async def work(models: Models) -> None:
        models.gate.clear()
        leader = asyncio.ensure_future(models.chat(stream=streams))
        await turns()
        follower = asyncio.ensure_future(models.chat(stream=streams))
        await turns()
        leader.cancel()
        await turns()
        models.gate.set()
        assert text(await follower) == "answer 1"
        assert leader.cancelled()

    models = run(work)
    assert (models.calls, models.cancelled) == (1, 0)


def test_when_all_have_left_the_call_ends_and_the_next_one_makes_its_own() -> None:
    async def work(models: Models) -> None:
        models.gate.clear()
        both = [asyncio.ensure_future(models.chat()) for _ in range(2)]
        await turns()
        for each in both:
            each.cancel()
        await turns()
        assert models.cancelled == 1
        models.gate.set()
        assert text(await models.chat()) == "answer 2"

    models = run(work)
    assert models.counts["skipped left"] == 1


def test_a_stream_that_its_client_leaves_ends_and_is_not_kept() -> None:
    async def work(models: Models) -> None:
        cached = models.cached
        context = RequestContext(cache=cached.key_of({**BODY, "stream": True}, BODY, None))
        answer: Any = await cached.answer({**BODY, "stream": True}, context)
        assert (await anext(answer))["choices"][0]["delta"]["content"] == "answer "
        await answer.aclose()
        assert [event async for event in answer] == []
        await turns()
        assert text(await models.chat()) == "answer 2"

    models = run(work)
    assert models.cancelled == 1
    assert models.counts["skipped left"] == 1


@pytest.mark.parametrize(("status", "calls"), [(502, 2), (504, 2), (429, 1), (400, 1)])
def test_when_the_call_fails_those_who_waited_try_once_more_where_that_may_help(status: int, calls: int) -> None:
    async def refused(models: Models, body: dict[str, Any]) -> Answer:
        raise RefusedError(status, "code", "words", retry_after=7)

    async def work(models: Models) -> None:
        models.gate.clear()
        tasks = [asyncio.ensure_future(models.chat(stream=number % 2 == 1)) for number in range(4)]
        await turns()
        models.gate.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each.status for each in found if isinstance(each, RefusedError)] == [status] * 4
        assert {each.retry_after for each in found if isinstance(each, RefusedError)} == {7}

    models = run(work, refused)
    assert (models.calls, models.counts["stored"]) == (calls, 0)


def test_after_a_failure_the_next_request_asks_again() -> None:
    async def first_fails(models: Models, body: dict[str, Any]) -> Answer:
        if models.calls == 1:
            raise RefusedError(502, "code", "words")
        return await whole(models, body)

    async def work(models: Models) -> None:
        models.gate.clear()
        leader, *others = [asyncio.ensure_future(models.chat()) for _ in range(3)]
        await turns()
        models.gate.set()
        with pytest.raises(RefusedError):
            await leader
        assert [text(await other) for other in others] == ["answer 2", "answer 2"]

    assert run(work, first_fails).calls == 2


async def breaking(models: Models, body: dict[str, Any]) -> Answer:
    """Answer a stream that breaks when the gate is opened for the second time."""

    async def events() -> AsyncIterator[dict[str, Any]]:
        models.gate.clear()
        yield streamed({"content": "Hel"})[0]
        await models.gate.wait()
        raise FailedError(BROKEN)

    return events() if body.get("stream") else said(models.calls)


def test_a_stream_that_breaks_is_an_error_for_all_who_saw_it_and_is_not_kept() -> None:
    async def work(models: Models) -> None:
        both = [asyncio.ensure_future(models.chat(stream=True)) for _ in range(2)]
        await turns()
        models.gate.set()
        for each in both:
            with pytest.raises(FailedError):
                await each

    models = run(work, breaking)
    assert (models.calls, models.counts["stored"], models.counts["skipped failed"]) == (1, 0, 1)


def test_a_plain_request_that_waited_for_a_stream_which_broke_makes_its_own_call() -> None:
    async def work(models: Models) -> None:
        leader = asyncio.ensure_future(models.chat(stream=True))
        await turns()
        follower = asyncio.ensure_future(models.chat())
        await turns()
        models.gate.set()
        with pytest.raises(FailedError):
            await leader
        assert text(await follower) == "answer 2"

    run(work, breaking)


def test_a_stream_that_cannot_be_told_again_is_passed_on_and_shared_with_nobody() -> None:
    async def odd(models: Models, body: dict[str, Any]) -> Answer:
        async def events() -> AsyncIterator[dict[str, Any]]:
            models.gate.clear()
            yield streamed({"sound": "la"})[0]
            await models.gate.wait()
            yield streamed({"content": "la"})[0]

        return events() if body.get("stream") else said(models.calls)

    async def work(models: Models) -> None:
        early = [asyncio.ensure_future(models.chat(stream=streams)) for streams in (True, False)]
        await turns()
        late = asyncio.ensure_future(models.chat(stream=True))
        await turns()
        assert models.calls == 2, "the late one makes its own call"
        models.gate.set()
        await turns()
        models.gate.set()
        for stream in (early[0], late):
            assert [list(event["choices"][0]["delta"]) for event in await stream] == [["sound"], ["content"]]
        assert text(await early[1]) == "answer 3"

    models = run(work, odd)
    assert models.counts["skipped odd"] == 1


def test_a_call_has_a_context_of_its_own_and_its_request_learns_from_it() -> None:
    async def work(models: Models) -> None:
        context = RequestContext(deadline=5.0, unable=frozenset({"dep-two"}))
        context.cache = models.cached.key_of(BODY, BODY, None)
        await models.cached.answer(BODY, context)
        (call,) = models.contexts
        assert call is not context
        assert (call.deadline, call.unable, call.cache) == (5.0, frozenset({"dep-two"}), "")
        assert (context.model, context.deadline) == (MODEL, 5.0)

    run(work)
