"""The request filter's time limits, and how it passes a stream on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway import request_filter
from gateway.request_context import CURRENT
from serving.drain import Send
from tests.unit.gateway.given import CHAT, LEAK, Client, Inner, never, respond


@pytest.fixture(autouse=True)
def _short_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_filter, "LEAVE_SECONDS", 0.05)


def test_the_deadline_ends_a_request_that_no_model_answers() -> None:
    client = Client(never, deadline_seconds=0.05)
    answer = client.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert client.refusals("deadline") == 1


def test_the_deadline_counts_from_the_requests_arrival() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.1)
        yield json.dumps(CHAT).encode()

    async def later(inner: Inner, send: Send) -> None:
        await asyncio.sleep(0.02)
        await respond(send, 200, b"{}")

    client = Client(later, deadline_seconds=0.1)
    assert client.request("POST", "/v1/chat/completions", content=slowly()).status_code == 504
    assert client.chat().status_code == 200


def test_after_the_deadline_litellm_is_told_that_its_client_is_gone() -> None:
    ended: list[str] = []

    async def ends_its_calls_then(inner: Inner, send: Send) -> None:
        message = await inner.receive()
        ended.append(message["type"])
        await respond(send, 499, b"{}")

    answer = Client(ends_its_calls_then, deadline_seconds=0.05).chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert ended == ["http.disconnect"]


def test_after_the_deadline_what_does_not_listen_is_cancelled() -> None:
    cancelled: list[bool] = []

    async def deaf(inner: Inner, send: Send) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    assert Client(deaf, deadline_seconds=0.05).chat().status_code == 504
    assert cancelled == [True]


async def stream_then_hang(inner: Inner, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b'data: {"n":1}\n\n', "more_body": True})
    await asyncio.sleep(60)


def test_a_stream_has_a_time_limit_of_its_own_and_ends_with_an_error_event() -> None:
    client = Client(stream_then_hang, deadline_seconds=0.05, stream_deadline_seconds=0.3)
    answer = client.chat(stream=True)
    first, error, rest = answer.text.split("\n\n")
    assert (answer.status_code, first, rest) == (200, 'data: {"n":1}', "")
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "upstream_timeout"


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"model": "x", "choices": choices}).encode() + b"\n\n"


FRAMES = [b": ping\n\n", chunk({"role": "assistant", "content": ""}), b'data: {"model":"x","choices":[]}\n\n']


def another_model_after(frames: list[bytes], then: bytes) -> Any:
    """A stream that begins with one model and says its first word with another."""

    async def answer(inner: Inner, send: Send) -> None:
        context = CURRENT.get()
        assert context is not None
        context.model = "google/gemma-4-31b-it:free"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for frame in frames:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        context.model = "minimax/minimax-m3:free"
        await send({"type": "http.response.body", "body": then, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return answer


@pytest.mark.parametrize(
    "then",
    [
        chunk({"content": "Hi"}),
        chunk({"content": None, "reasoning_content": "Hm"}),
        chunk({"tool_calls": [{"index": 0}]}),
        chunk({}, "stop"),
        b"data: [DONE]\n\n",
        b"",
    ],
)
def test_a_streams_head_names_the_model_that_said_the_first_word(then: bytes) -> None:
    answer = Client(another_model_after(FRAMES, then)).chat(stream=True)
    assert answer.headers["x-gateway-model"] == "minimax/minimax-m3:free"
    assert answer.content == b"".join(FRAMES) + then


def test_the_deadline_of_all_attempts_holds_until_a_streams_first_word() -> None:
    async def frames_only(inner: Inner, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for frame in FRAMES:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await asyncio.sleep(60)

    answer = Client(frames_only, deadline_seconds=0.05, stream_deadline_seconds=60).chat(stream=True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")


async def stream_with_inside(inner: Inner, send: Send) -> None:
    context = CURRENT.get()
    assert context is not None
    context.model = "minimax/minimax-m3:free"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream; x")]})
    quoted = json.dumps({"model": "up-minimax-m3", "text": '"model":"up-mine"'}, separators=(",", ":"))
    await send({"type": "http.response.body", "body": f"data: {quoted}\n\n".encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b"data: " + LEAK + b"\n\n", "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def test_a_streams_errors_and_group_names_are_replaced() -> None:
    text = Client(stream_with_inside).chat(stream=True).text
    first, error, _ = text.split("\n\n")
    assert json.loads(first.removeprefix("data: ")) == {
        "model": "minimax/minimax-m3:free",
        "text": '"model":"up-mine"',
    }
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "upstream_failed"
    assert "SECRET" not in text
