"""A stream counts as whole only when it says that it is, and every event of it can be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from gateway.litellm_internals import whole

COMMENT = ": OPENROUTER PROCESSING"
DONE = "data: [DONE]"


class Failed(Exception):  # noqa: N818 (stands for LiteLLM's OpenRouterException)
    def __init__(self, message: str, status_code: int = 0, headers: object = None) -> None:
        super().__init__(message)
        self.status_code = status_code


def event(text: str, finish: str | None = None) -> str:
    return "data: " + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": finish}]})


async def given(lines: list[str]) -> AsyncIterator[str]:
    for line in lines:
        yield line


async def collect(lines: AsyncIterator[str], into: list[str]) -> None:
    async for line in lines:
        into.append(line)


@pytest.mark.parametrize(
    "lines",
    [
        [COMMENT, "", event("a"), "", event("", "stop"), "", 'data: {"choices":[],"usage":{}}', "", DONE],
        [event("a", "length")],
        [event("a"), event("", "tool_calls"), event("b")],
        ["event: message", "data:" + event("a", "stop").removeprefix("data: "), "data:"],
    ],
)
def test_a_whole_stream_passes_line_by_line(lines: list[str]) -> None:
    passed: list[str] = []
    asyncio.run(collect(whole(given(lines), Failed), passed))
    assert passed == lines


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [COMMENT],
        [event("a")],
        [event("a"), DONE],
        [event("a"), 'data: {"choices":[],"usage":{}}', DONE],
        ["<html>"],
        ["data: []", "data: null", 'data: {"choices":["x"]}'],
    ],
)
def test_a_stream_that_ends_without_a_finish_reason_fails_at_its_end(lines: list[str]) -> None:
    passed: list[str] = []
    with pytest.raises(Failed, match="without a finish reason"):
        asyncio.run(collect(whole(given(lines), Failed), passed))
    assert passed == [line for line in lines if line != DONE]


@pytest.mark.parametrize("broken", ['data: {"choices":[{"delta":{"content":', "data: \x00"])
def test_an_event_that_cannot_be_read_is_not_passed_over(broken: str) -> None:
    passed: list[str] = []
    with pytest.raises(Failed, match="not JSON"):
        asyncio.run(collect(whole(given([event("a"), broken, event("b", "stop")]), Failed), passed))
    assert passed == [event("a")]


@pytest.mark.parametrize(("code", "passes"), [(502, True), ("server_error", False), (None, False)])
def test_an_error_with_a_code_in_words_is_one_that_litellm_understands(code: object, passes: bool) -> None:
    error = "data: " + json.dumps({"error": {"code": code, "message": "gone"}, "choices": []})
    passed: list[str] = []
    with pytest.raises(Failed, match="without a finish reason" if passes else "ended with an error"):
        asyncio.run(collect(whole(given([error]), Failed), passed))
    assert passed == ([error] if passes else [])
