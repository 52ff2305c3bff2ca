"""Server-sent events: any split of the bytes gives the same answer; broken ones a typed error."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from friday.llm import constants, errors
from friday.llm.client import read_events, read_whole
from friday.llm.errors import LlmError
from friday.llm.responses import Assembler
from tests.unit.friday.upstream import delta, good_events


def wire(*events: object) -> bytes:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return b": PROCESSING\n\nevent: x\n" + b"".join(f"data: {line}\n\n".encode() for line in lines)


GOOD = wire(*good_events("m/x:free"))


def response(*parts: bytes) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body())


def data(*parts: bytes) -> list[str]:
    """The data of the events in a stream that arrives in these parts."""

    async def read() -> list[str]:
        return [event.data async for event in read_events(response(*parts))]

    return asyncio.run(read())


def assemble(*events: object) -> tuple[list[str], Assembler]:
    answer = Assembler()
    shown = [answer.feed(each) for each in data(wire(*events))]
    return [text for text in shown if text], answer


@given(st.lists(st.integers(0, len(GOOD)), max_size=8))
def test_chunks_may_end_anywhere(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(GOOD)]
    assert data(*(GOOD[start:end] for start, end in itertools.pairwise(places))) == data(GOOD)


def test_a_good_stream() -> None:
    shown, answer = assemble(*good_events("m/x:free"))
    assert shown == ["One ", "two ", "three"]
    assert answer.done
    result = answer.result()
    assert (result.text, result.model, result.id) == ("One two three", "m/x:free", "gen-2")
    assert result.usage is not None
    assert result.usage.total_tokens == 6


def test_only_line_ends_end_a_line() -> None:
    assert data(b"data: one\r\n\r\n", "data: t\u2028w\x85o\n\n".encode()) == ["one", "t\u2028w\x85o"]


def test_an_event_that_was_cut_off_is_none() -> None:
    assert data(b"data: one\n\ndata: tw") == ["one"]


@pytest.mark.parametrize("part", [b": PROCESSING\n\n", b"data: x\n", b"x"], ids=["comments", "one event", "one line"])
def test_a_body_without_end_is_cut_off(part: bytes) -> None:
    endless = [part * 10_000] * (constants.MAX_BODY_BYTES // len(part) // 10_000 + 1)
    with pytest.raises(errors.BadResponse, match="too large"):
        data(*endless)
    with pytest.raises(errors.BadResponse, match="too large"):
        asyncio.run(read_whole(response(*endless)))


def test_blank_text_is_held_until_something_is_said() -> None:
    answer = Assembler()
    assert answer.feed(json.dumps(delta(" \n"))) == ""
    assert not answer.started
    assert answer.feed(json.dumps(delta("Hi"))) == " \nHi"
    assert answer.started
    assert answer.feed(json.dumps(delta(" "))) == " "


pieces = st.lists(
    st.tuples(st.sampled_from(["content", "reasoning", "reasoning_content", "reasoning_details"]), st.text(max_size=5))
)


@given(pieces)
def test_thoughts_are_seen_and_never_shown(said: list[tuple[str, str]]) -> None:
    assembler, shown = Assembler(), ""
    for name, text in said:
        value = [{"type": "reasoning.text", "text": text}] if name == "reasoning_details" else text
        shown += assembler.feed(json.dumps({"choices": [{"index": 0, "delta": {name: value}}]}))
        assert assembler.thinking is (name != "content" and bool(value))
    whole = "".join(text for name, text in said if name == "content")
    assert shown == (whole if whole.strip() else "")


def test_tool_calls_grow() -> None:
    first = {"index": 0, "id": "c1", "function": {"name": "look_up", "arguments": '{"a":'}}
    second = {"index": 0, "function": {"arguments": "1}"}}
    _, answer = assemble(
        delta(delta={"tool_calls": [first]}), delta(delta={"tool_calls": [second]}), delta(finish="tool_calls")
    )
    assert answer.started
    calls = answer.result().choices[0].message.tool_calls
    assert calls is not None
    assert (calls[0].id, calls[0].function.name, calls[0].function.arguments) == ("c1", "look_up", '{"a":1}')


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([delta("text")], errors.BadResponse),
        ([delta("", "stop"), "[DONE]"], errors.EmptyAnswer),
        ([delta("  "), delta(finish="stop")], errors.EmptyAnswer),
        (["[DONE]"], errors.BadResponse),
        ([], errors.BadResponse),
        (["{broken"], errors.BadResponse),
        (["7"], errors.BadResponse),
        (["[" * 100_000], errors.BadResponse),
        ([{"error": {"code": 503}}], errors.Unavailable),
        ([delta("x", error={"code": 429})], errors.RateLimited),
        ([delta("x", "error")], errors.BadResponse),
        ([{"choices": [7]}], errors.BadResponse),
        ([delta(delta={"tool_calls": [7]})], errors.BadResponse),
        ([delta(delta={"tool_calls": [{"index": "a"}]})], errors.BadResponse),
    ],
)
def test_a_stream_that_is_no_answer(events: list[Any], error: type[LlmError]) -> None:
    with pytest.raises(LlmError) as caught:
        assemble(*events)[1].result()
    assert type(caught.value) is error


@pytest.mark.parametrize("choice", [{"delta": None}, {"delta": {"content": 7}}, {"delta": {"tool_calls": "x"}}])
def test_events_without_text_show_nothing(choice: dict[str, Any]) -> None:
    shown, answer = assemble({"choices": [choice]}, {"choices": "none"})
    assert shown == []
    assert not answer.started
