"""The request filter's time limits and places, and how it passes a stream on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.answers import Event, FailedError
from gateway.request_context import CURRENT
from serving.causes import BROKEN
from serving.drain import Message
from tests.unit.gateway.given import CHAT, FIRST, GATEWAY_KEY, Client, Inner, event, hello, never, streaming


def test_the_deadline_ends_a_request_that_no_model_answers() -> None:
    client = Client(never, deadline_seconds=0.05)
    answer = client.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert client.refusals("deadline") == 1
    assert client.counted("gateway_chats_total", status="504") == 1


def test_the_deadline_counts_from_the_requests_arrival() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.1)
        yield json.dumps(CHAT).encode()

    async def later(inner: Inner) -> None:
        await asyncio.sleep(0.02)
        await hello(inner)

    client = Client(later, deadline_seconds=0.1)
    assert client.request("POST", "/v1/chat/completions", content=slowly()).status_code == 504
    assert client.chat().status_code == 200


async def _left(client: Client, after: asyncio.Event) -> list[Message]:
    """Send a chat as a client that goes away; return what was sent to it."""
    sent: list[Message] = []
    body: list[Message] = [{"type": "http.request", "body": json.dumps(CHAT).encode(), "more_body": False}]

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        if body:
            return body.pop()
        await after.wait()
        return {"type": "http.disconnect"}

    headers = [(b"authorization", f"Bearer {GATEWAY_KEY}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers, "query_string": b""}
    await client.filter(scope, receive, send)
    return sent


def test_a_client_that_goes_away_ends_the_calls_made_for_it() -> None:
    ended: list[str] = []

    async def run() -> list[Message]:
        gone = asyncio.Event()

        async def waits(inner: Inner) -> None:
            gone.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("ended")

        return await _left(Client(waits), gone)

    assert asyncio.run(run()) == []
    assert ended == ["ended"]


def test_a_client_that_leaves_a_stream_closes_the_call_and_is_counted_as_gone() -> None:
    async def run() -> Client:
        gone = asyncio.Event()

        async def events() -> AsyncIterator[Event]:
            yield event({"content": "a"})
            gone.set()
            await asyncio.sleep(60)

        client = Client(streaming(events))
        assert [message["type"] for message in await _left(client, gone)] == [
            "http.response.start",
            "http.response.body",
        ]
        return client

    client = asyncio.run(run())
    assert client.inner.stream is not None
    assert client.inner.stream.closed
    assert client.counted("gateway_chats_total", status="499") == 1


async def stream_then_hang() -> AsyncIterator[Event]:
    yield event({"content": "a"})
    await asyncio.sleep(60)


def test_a_stream_has_a_time_limit_of_its_own_and_ends_with_an_error_event() -> None:
    client = Client(streaming(stream_then_hang), deadline_seconds=0.05, stream_deadline_seconds=0.3)
    answer = client.chat(stream=True)
    first, error, rest = answer.text.split("\n\n")
    assert (answer.status_code, rest) == (200, "")
    assert json.loads(first.removeprefix("data: "))["choices"][0]["delta"] == {"role": "assistant", "content": "a"}
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "upstream_timeout"
    assert client.inner.stream is not None
    assert client.inner.stream.closed


def chunks_of(answer: httpx.Response) -> list[dict[str, Any]]:
    *events, done, rest = answer.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(each.removeprefix("data: ")) for each in events]


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.25}


async def thinks_then_speaks() -> AsyncIterator[Event]:
    yield event({"role": "assistant", "content": ""})
    yield event({"role": "assistant", "content": "", "reasoning": "Hm", "reasoning_content": "Hm"})
    yield event({"role": "assistant", "content": "a\u2028\ud83d", "refusal": None})
    yield event({"role": "assistant", "content": ""}, "stop")
    yield event({"content": ""}, "stop")
    yield Event({"id": "gen-1", "created": 1, "model": "m", "choices": [], "usage": USAGE})


@pytest.mark.parametrize("wanted", [False, True])
def test_a_stream_says_its_role_and_its_end_once_and_its_usage_if_it_is_wanted(wanted: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if wanted else {}
    found = chunks_of(Client(streaming(thinks_then_speaks)).chat(stream=True, **options))
    assert {(each["id"], each["created"], each["model"]) for each in found} == {("gen-1", 1, CHAT["model"])}
    assert {each["object"] for each in found} == {"chat.completion.chunk"}
    assert [each["choices"][0] for each in found[:4]] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}},
        {"index": 0, "delta": {"content": "", "reasoning": "Hm", "reasoning_content": "Hm"}},
        {"index": 0, "delta": {"content": "a\u2028\ufffd"}},
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    ]
    assert [each["usage"] for each in found[4:]] == ([USAGE] if wanted else [])


def test_a_stream_that_breaks_off_ends_with_an_error_event_and_is_counted_as_failed() -> None:
    async def events() -> AsyncIterator[Event]:
        yield event({"content": "a"})
        raise FailedError(BROKEN, b"secret words")

    client = Client(streaming(events))
    answer = client.chat(stream=True)
    first, error, rest = answer.text.split("\n\n")
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "upstream_failed"
    assert ("secret" in answer.text, rest, answer.status_code) == (False, "", 200)
    assert client.counted("gateway_chats_total", status="502") == 1
    assert first


def test_who_finds_all_places_taken_waits_and_who_finds_the_line_full_is_refused() -> None:
    async def run() -> tuple[list[int], Client]:
        go = asyncio.Event()

        async def waits(inner: Inner) -> None:
            await go.wait()
            await hello(inner)

        client = Client(waits, max_in_flight=1, max_queued=1)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(client.filter), base_url="http://gateway") as http:

            async def ask() -> httpx.Response:
                headers = {"authorization": f"Bearer {GATEWAY_KEY}"}
                return await http.post("/v1/chat/completions", json=CHAT, headers=headers)

            first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
            while client.counted("gateway_queued") < 1:
                await asyncio.sleep(0)
            refused = await ask()
            assert (refused.json()["error"]["code"], refused.headers["retry-after"]) == ("overloaded", "1")
            assert (len(client.inner.bodies), client.counted("gateway_in_flight")) == (1, 1)
            go.set()
            return [refused.status_code, (await first).status_code, (await second).status_code], client

    statuses, client = asyncio.run(run())
    assert statuses == [503, 200, 200]
    assert client.counted("gateway_in_flight") == client.counted("gateway_queued") == 0


def test_who_gives_up_in_the_line_takes_no_place() -> None:
    async def run() -> list[int]:
        go = asyncio.Event()

        async def waits(inner: Inner) -> None:
            await go.wait()
            await hello(inner)

        client = Client(waits, max_in_flight=1, max_queued=2, deadline_seconds=0.3)
        headers = {"authorization": f"Bearer {GATEWAY_KEY}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(client.filter), base_url="http://gateway") as http:
            asked = [http.post("/v1/chat/completions", json=CHAT, headers=headers) for _ in range(3)]
            statuses = [answer.status_code for answer in await asyncio.gather(*asked)]
            go.set()
            return [*statuses, (await http.post("/v1/chat/completions", json=CHAT, headers=headers)).status_code]

    assert asyncio.run(run()) == [504, 504, 504, 200]


def test_the_context_of_one_request_is_not_left_to_the_next() -> None:
    client = Client()
    assert client.chat().headers["x-gateway-model"] == FIRST
    assert CURRENT.get() is None
