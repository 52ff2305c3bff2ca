"""What leaves for the upstream, what comes back for it, and what is noted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.answers import FailedError
from gateway.leaving import NotSentError
from gateway.request_context import RequestContext
from tests.unit.gateway.given_upstream import (
    CHAT,
    URL,
    WHOLE,
    Answer,
    Given,
    error_of,
    event,
    fails,
    says,
    streams,
    well,
)


def test_a_whole_answer_is_in_the_context_and_ends_what_litellm_does() -> None:
    given, context = Given(well), RequestContext()
    assert given.ask("one:free", "two:free", context=context) == []
    assert (given.answered, context.plain) == (True, WHOLE)
    assert context.over() == "an answer has begun"  # should LiteLLM go on all the same, it may ask nobody
    assert context.upstream_seconds > 0
    assert given.used == [WHOLE["usage"]]


@pytest.mark.parametrize("stream", [False, True])
def test_a_rehearsed_call_is_answered_and_does_not_leave(stream: bool) -> None:
    given, context = Given(), RequestContext(rehearsal=True)
    assert given.ask(context=context, stream=stream) == []
    assert (given.answered, given.received) == (True, [])
    assert (len(given.events) == 1) is stream
    assert (context.plain is None) is stream
    assert given.ask(context=context, model="openai/gpt-4o")[0].status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "http://elsewhere/api/v1/chat/completions"},
        {"url": f"{URL}/embeddings"},
        {"model": "openai/gpt-4o"},
        {"model": "unknown:free"},
        {"provider": {}},
        {"provider": {"max_price": {"prompt": 1, "completion": 0}}},
        {"provider": {"max_price": {"prompt": 0}}},
        {"provider": {"max_price": 0}},
        {"user_config": {}},
        {"tools": [{"type": "openrouter:web_search"}]},
        {"tools": [{}]},
        {"tools": ["x"]},
    ],
)
def test_nothing_else_leaves(changed: dict[str, Any]) -> None:
    given = Given(well)
    (answer,) = given.ask(**changed)
    assert answer.status_code == 403
    assert given.received == []


def test_a_call_that_the_quota_refuses_is_no_failure() -> None:
    given, context = Given(fails(NotSentError("the account's quota is spent"))), RequestContext(quota_wait=9)
    (answer,) = given.ask(context=context)
    assert (answer.status_code, context.failures) == (429, [])


@pytest.mark.parametrize(
    ("answer", "told", "reason", "rests"),
    [
        (says(429, "busy", **{"retry-after": "7"}), 429, "busy", 7.0),
        (says(429, "busy", **{"retry-after": "tomorrow"}), 429, "busy", 60.0),
        (says(404, "No endpoints found for one:free"), 404, "gone", 60.0),
        (says(400, "bad"), 400, "invalid", None),
        (says(500), 503, "broken", None),
        (lambda _: httpx.Response(302, headers={"location": "http://elsewhere"}), 503, "broken", None),
        (fails(httpx.ConnectError("refused")), 503, "unreachable", None),
        (fails(httpx.ConnectTimeout("slow")), 503, "unreachable", None),
        (fails(httpx.ReadTimeout("silent")), 408, "timeout", 60.0),
        (fails(httpx.RemoteProtocolError("reset")), 503, "broken", None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_is_an_answer_of_ours(
    answer: Answer, told: int, reason: str, rests: float | None, stream: bool
) -> None:
    given, context = Given(answer), RequestContext()
    (found,) = given.ask(context=context, stream=stream)
    assert error_of(found) == (told, reason)
    assert [cause.reason for cause in context.failures] == [reason]
    assert given.rests == ([("one:free", reason, rests)] if rests else [])
    assert len(given.received) == 1


@pytest.mark.parametrize(("page", "reason"), [(b"<html>", "broken"), (b'{"choices":[]}', "empty")])
def test_a_page_is_no_answer(page: bytes, reason: str) -> None:
    (found,) = Given(lambda _: httpx.Response(200, content=page)).ask()
    assert error_of(found) == (503, reason)


@pytest.mark.parametrize(
    ("document", "reason"), [({"error": {"code": 429, "message": "busy"}}, "busy"), (WHOLE, "broken")]
)
def test_a_page_in_place_of_a_stream_is_read_as_what_it_is(document: dict[str, Any], reason: str) -> None:
    (found,) = Given(lambda _: httpx.Response(200, json=document)).ask(stream=True)
    assert error_of(found)[1] == reason


def test_a_request_that_no_model_takes_is_asked_twice_at_most() -> None:
    given, context = Given(says(400), says(500), says(400)), RequestContext()
    given.ask("one:free", "two:free", context=context)
    assert context.over() is None
    given.ask("one:free", context=context)
    assert context.over() == "it is the request's fault"


def test_a_stream_passes_from_its_first_token_on() -> None:
    given = Given(streams(b": PROCESSING\n\n", event(""), event("a"), event("b", "stop", usage={"cost": 0})))
    context = RequestContext()
    assert given.ask(context=context, stream=True) == []
    assert given.answered
    assert [each.delta["content"] for each in given.events] == ["", "a", "b"]
    assert given.used == [{"cost": 0}]
    assert context.over() == "an answer has begun"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (streams(event("", "error")), "broken"),
        (streams(event("", "stop")), "empty"),
        (streams(b"data: half"), "broken"),
        (streams(*[b": PROCESSING\n\n"] * 100, pause=0.01), "timeout"),
    ],
)
def test_a_stream_that_fails_before_its_first_token_is_an_error(answer: Answer, reason: str) -> None:
    context = RequestContext()
    (found,) = Given(answer).ask(context=context, stream=True)
    assert error_of(found)[1] == reason
    assert context.over() is None  # the next model may be asked


def test_a_stream_that_fails_later_breaks_off_and_is_noted() -> None:
    given, context = Given(streams(event("a"), event("", "error"))), RequestContext()
    with pytest.raises(FailedError, match="broken"):
        given.ask(context=context, stream=True)
    assert [cause.reason for cause in context.failures] == ["broken"]


def test_a_plain_answer_leaves_the_next_model_its_time() -> None:
    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return well(request)

    (found,) = Given(slow).ask(context=RequestContext(), seconds=0.3)
    assert error_of(found) == (408, "timeout")


def test_a_client_that_leaves_cancels_the_call() -> None:
    closed: list[bool] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            await asyncio.sleep(60)
            yield b""
        finally:
            closed.append(True)

    given = Given(lambda _: httpx.Response(200, content=body()))

    async def run() -> None:
        async with given.client() as client:
            call = asyncio.create_task(client.post(f"{URL}/chat/completions", json=CHAT))
            await asyncio.sleep(0.05)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(run())
    assert closed == [True]
