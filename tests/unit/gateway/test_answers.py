"""An answer counts as whole only when it says that it is, has words, and every part of it can be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.answers import Event, FailedError, check_plain, events

COMMENT = ": OPENROUTER PROCESSING"
DONE = "data: [DONE]"
HEAD = {"id": "gen-1", "created": 1, "model": "m"}


def event(delta: dict[str, Any] | str, finish: str | None = None) -> str:
    inner = {"content": delta} if isinstance(delta, str) else delta
    return "data: " + json.dumps({**HEAD, "choices": [{"delta": inner, "finish_reason": finish}]})


USAGE = "data: " + json.dumps({**HEAD, "choices": [], "usage": {"cost": 0}})


def read(lines: list[str], silence: float = 5, pause: float = 0) -> tuple[list[Event], str]:
    """Return the events of a stream, and the reason of its failure. `pause` seconds go by before each line."""
    seen: list[Event] = []

    async def given() -> AsyncIterator[str]:
        for line in lines:
            await asyncio.sleep(pause)
            yield line

    async def collect() -> str:
        try:
            async for each in events(given(), silence):
                seen.append(each)
        except FailedError as error:
            return error.cause.reason
        return ""

    return seen, asyncio.run(collect())


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([COMMENT, "", event("a"), "", event("", "stop"), "", USAGE, "", DONE], [2, 4, 6]),
        ([event("a", "length")], [0]),
        ([event({"tool_calls": [{"index": 0}]}), event("", "tool_calls")], [0, 1]),
        ([event({"refusal": "no"}), event("", "stop")], [0, 1]),
        ([event({"reasoning": "Hm"}), event("a"), event("", "stop")], [0, 1, 2]),
        ([event({"reasoning": "Hm"}), event("", "length")], [0, 1]),
        (["event: message", event("a", "stop").replace("data: ", "data:"), "data:"], [1]),
    ],
)
def test_a_whole_stream_passes_as_it_comes(lines: list[str], kept: list[int]) -> None:
    seen, failure = read(lines)
    assert not failure
    assert [each.said for each in seen] == [json.loads(lines[number].removeprefix("data:")) for number in kept]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "empty"),
        ([COMMENT], "empty"),
        ([event("a")], "broken"),
        ([event("a"), DONE], "broken"),
        ([event("a"), USAGE, DONE], "broken"),
        ([event(""), event("", "stop"), DONE], "empty"),
        ([event(" \n"), event("", "stop"), DONE], "empty"),
        ([event({"reasoning": "Hm"}), event("", "stop"), DONE], "empty"),
        (["<html>"], "empty"),
        (["data: []"], "broken"),
        ([event("a"), 'data: {"choices":[{"delta":{"content":'], "broken"),
        (["data: " + json.dumps({**HEAD, "choices": ["x"]})], "broken"),
        (["data: " + json.dumps({**HEAD, "choices": None})], "broken"),
        (['data: {"choices":[{"delta":{"content":"a"}}]}'], "broken"),
        ([event("a"), event("", "error"), DONE], "broken"),
        ([event({"content": 7})], "broken"),
        ([event({"content": "a", "tool_calls": [7]})], "broken"),
        (["data: " + json.dumps({"error": {"code": 429, "message": "busy"}})], "busy"),
        (["data: " + json.dumps({"error": {"code": "server_error", "message": "gone"}})], "broken"),
        (["data: " + json.dumps({**HEAD, "choices": [{"delta": {}, "error": {"code": 408}}]})], "timeout"),
    ],
)
def test_a_stream_that_is_none_fails_with_its_cause(lines: list[str], reason: str) -> None:
    assert read(lines)[1] == reason


def test_thoughts_are_shown_and_an_empty_delta_is_not() -> None:
    seen, _ = read(
        [event({"role": "assistant", "content": ""}), event({"reasoning_details": [{}]}), event("a", "stop")]
    )
    assert [each.shows for each in seen] == [False, True, True]


@pytest.mark.parametrize(
    ("delta", "thought"),
    [
        ({"reasoning": "Hm"}, "Hm"),
        ({"reasoning_content": "Hm", "content": ""}, "Hm"),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "H"}, {"summary": "m"}, "?"]}, "Hm"),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}, None),
        ({"reasoning": None, "reasoning_details": []}, None),
    ],
)
def test_a_thought_is_passed_on_under_both_names(delta: dict[str, Any], thought: str | None) -> None:
    seen, failure = read([event(delta), event("a", "stop")])
    passed = seen[0].delta
    assert (failure, passed.get("reasoning"), passed.get("reasoning_content")) == ("", thought, thought)
    assert seen[0].shows == bool(thought or delta["reasoning_details"])


def test_comments_are_no_life_and_thoughts_are() -> None:
    assert read([COMMENT] * 50, silence=0.1, pause=0.01)[1] == "timeout"
    thinking = [event({"reasoning": "Hm"})] * 50
    assert read([*thinking, event("a", "stop")], silence=0.3, pause=0.01)[1] == ""


def test_a_connection_that_stays_open_after_the_end_is_no_failure() -> None:
    seen, failure = read([event("a", "stop"), *[COMMENT] * 100], silence=0.1, pause=0.01)
    assert (failure, seen[-1].finish) == ("", "stop")


def test_a_stream_is_read_to_its_end_so_that_its_connection_can_be_used_again() -> None:
    left = [event("a", "stop"), DONE, "", ""]

    async def given() -> AsyncIterator[str]:
        while left:
            yield left.pop(0)

    async def collect() -> None:
        async for _ in events(given(), 5):
            """Read to its end, as `response` does."""

    asyncio.run(collect())
    assert left == []


def message(finish: Any = "stop", **fields: Any) -> dict[str, Any]:
    return {"choices": [{"finish_reason": finish, "message": fields}]}


@pytest.mark.parametrize(
    "document",
    [
        message(content="a"),
        message(content=None, tool_calls=[{}], finish="tool_calls"),
        message(content="", finish="length"),
        message(content="", finish="content_filter"),
        message(content="a", finish=None),
    ],
)
def test_a_whole_answer_passes(document: dict[str, Any]) -> None:
    assert check_plain(json.dumps(document).encode()) == document


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("half", "broken"),
        ([], "broken"),
        ({}, "empty"),
        ({"choices": []}, "empty"),
        ({"choices": ["x"]}, "broken"),
        ({"choices": [{"finish_reason": "stop"}]}, "broken"),
        (message(content=" "), "empty"),
        (message(content=None, reasoning="Hm"), "empty"),
        (message(content="Step one is to", finish="error"), "broken"),
        (message(content="a", finish={"is": "stop"}), "broken"),
        (message(content=["a"]), "broken"),
        (message(content="a", tool_calls={}), "broken"),
        (message(content="a", tool_calls=["f"]), "broken"),
        ({"choices": [{"error": {"code": 502, "message": "words"}, "message": {"content": "a"}}]}, "broken"),
        ({"error": {"code": 429, "message": "free-models-per-day"}}, "quota"),
        ({"error": "words"}, "broken"),
    ],
)
def test_a_plain_answer_that_is_none_fails_with_its_cause(document: Any, reason: str) -> None:
    with pytest.raises(FailedError) as caught:
        check_plain(json.dumps(document).encode() if document != "half" else b'{"choices":[')
    assert caught.value.cause.reason == reason
