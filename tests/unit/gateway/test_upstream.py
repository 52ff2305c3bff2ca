"""What leaves for the upstream, what comes back for it, and what is noted; httpx' own transport plays the upstream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest

from gateway.answers import Event, FailedError
from gateway.errors import told
from gateway.leaving import NotSentError
from gateway.request_context import CURRENT, RequestContext
from gateway.rests import Rests
from gateway.upstream import Counters, Upstream

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
        """Ask one model after the other in one request with `seconds` to its deadline; return the answers, read."""

        async def run() -> list[httpx.Response]:
            if context is not None and seconds is not None:
                context.deadline = asyncio.get_running_loop().time() + seconds
            answers = []
            async with self.client() as client:
                for model in models or ("one:free",):
                    url = changed.pop("url", f"{URL}/chat/completions")
                    answers.append(await client.post(url, json={**CHAT, "model": model, **changed}))
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


def test_a_whole_answer_is_in_the_context_and_litellm_gets_a_receipt() -> None:
    given, context = Given(well), RequestContext()
    (receipt,) = given.ask(context=context)
    assert (receipt.status_code, context.plain) == (200, WHOLE)
    assert "hello" not in receipt.text
    assert receipt.json()["choices"][0]["finish_reason"] == "stop"
    assert "x-account" not in receipt.headers
    assert context.upstream_seconds > 0
    assert given.used == [WHOLE["usage"]]


@pytest.mark.parametrize("stream", [False, True])
def test_a_rehearsed_call_is_answered_and_does_not_leave(stream: bool) -> None:
    given, context = Given(), RequestContext(rehearsal=True)
    (receipt,) = given.ask(context=context, stream=stream)
    assert (receipt.status_code, given.received) == (200, [])
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


def test_a_refused_account_is_noted_with_what_to_change(caplog: pytest.LogCaptureFixture) -> None:
    given, context = Given(says(404, "No endpoints found matching your data policy")), RequestContext()
    given.ask(context=context)
    assert context.account is not None
    assert context.over() == "OpenRouter refuses the account"
    assert (given.refused, given.rests) == (["data_policy"], [])
    assert "openrouter.ai/settings/privacy" in caplog.text


@pytest.mark.parametrize(
    ("message", "headers", "least", "most"),
    [
        ("free-models-per-day", {}, 1, 86_400),
        ("limit_source free_tier_per_minute", {}, 60, 60),
        ("free_tier_per_minute", {"retry-after": "12"}, 12, 12),
    ],
)
def test_a_spent_account_says_for_how_long(message: str, headers: dict[str, str], least: int, most: int) -> None:
    given, context = Given(says(429, message, **headers)), RequestContext()
    given.ask(context=context)
    assert least <= context.quota_wait <= most
    assert given.rests == []


def test_a_model_that_asks_for_credits_rests_when_another_one_answers() -> None:
    given, context = Given(says(402), well), RequestContext()
    given.ask("one:free", "two:free", context=context)
    assert context.over() is None
    assert (given.rests, given.refused) == ([("one:free", "balance", 60.0)], [])


def test_two_models_that_ask_for_credits_are_the_account() -> None:
    given, context = Given(says(402), says(402)), RequestContext()
    given.ask("one:free", "two:free", context=context)
    assert context.account is not None
    assert (given.rests, given.refused) == ([], ["balance"])


def test_a_request_that_no_model_takes_is_asked_twice_at_most() -> None:
    given, context = Given(says(400), says(500), says(400)), RequestContext()
    given.ask("one:free", "two:free", context=context)
    assert context.over() is None
    given.ask("one:free", context=context)
    assert context.over() == "it is the request's fault"


def test_a_stream_passes_from_its_first_token_on() -> None:
    given = Given(streams(b": PROCESSING\n\n", event(""), event("a"), event("b", "stop", usage={"cost": 0})))
    context = RequestContext()
    (receipt,) = given.ask(context=context, stream=True)
    assert receipt.headers["content-type"] == "text/event-stream"
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


NO_PROVIDER = "No endpoints found matching your data policy (Free model training)."


def test_a_model_that_the_stacks_own_data_policy_closes_rests_and_the_next_is_asked() -> None:
    given, context = Given(says(404, NO_PROVIDER), well, data_policy=["dataPolicy.zdr: true"]), RequestContext()
    closed, answered = given.ask("one:free", "two:free", context=context)
    assert (closed.status_code, answered.status_code, context.account) == (503, 200, None)
    assert (given.refused, [rest[:2] for rest in given.rests]) == ([], [("one:free", "closed_by_data_policy")])


def test_when_it_closes_all_of_them_the_error_names_it() -> None:
    given = Given(*[says(404, NO_PROVIDER)] * 2, data_policy=["dataPolicy.zdr: true"])
    context = RequestContext()
    given.ask("one:free", "two:free", context=context)
    said = told(context, 503)
    assert (said.status, said.code) == (502, "account_data_policy")
    assert "the stack's dataPolicy" in said.message
