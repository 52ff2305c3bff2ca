"""Identical requests at the same time share one call, whoever leaves and whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.answers import FailedError
from gateway.cached_flight import Answer
from gateway.policy import RefusedError
from gateway.request_context import RequestContext
from serving.causes import BROKEN
from tests.unit.gateway.given_cached import (
    BODY,
    MODEL,
    Models,
    run,
    said,
    streamed,
    text,
    turns,
    whole,
)


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
        context = RequestContext(asked=BODY)
        answer: Any = await models.cached.answer({**BODY, "stream": True}, context)
        assert (await anext(answer))["choices"][0]["delta"]["content"] == "answer "
        await context.close()
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
        context = RequestContext(deadline=5.0, unable=frozenset({"dep-two"}), asked=BODY)
        await models.cached.answer(BODY, context)
        (call,) = models.contexts
        assert call is not context
        assert (call.deadline, call.unable) == (5.0, frozenset({"dep-two"}))
        assert (context.model, context.deadline) == (MODEL, 5.0)

    run(work)
