"""Streamed calls against real servers: a fallback before the first token, never after it."""

import asyncio
import time
from typing import Any

import pytest

from friday.llm import Caller, LlmRouter, Path, errors
from friday.llm.errors import LlmError
from tests.unit.friday.given import DIRECT_MODEL, HI, config
from tests.unit.friday.upstream import Script, Upstream, close, delta, good_events, hang, plain, stream

pytestmark = pytest.mark.anyio


async def read(router: LlmRouter, caller: Caller | None = None, **more: Any) -> tuple[Path, str]:
    async with await router.stream(HI | more, caller) as answer:
        return answer.route.path, "".join([text async for text in answer])


async def test_text_arrives_piece_by_piece(gateway: Upstream, router: LlmRouter) -> None:
    seen = {"a": asyncio.Event(), "b": asyncio.Event()}
    gateway.scripts = [stream(delta("a"), seen["a"], delta("b"), seen["b"], delta("c", "stop"), "[DONE]")]
    shown = []
    async with await router.stream(HI) as answer:
        async for text in answer:
            shown.append(text)
            if text in seen:
                seen[text].set()  # only now the next piece is sent
    assert shown == ["a", "b", "c"]


async def test_the_result_is_the_whole_answer(gateway: Upstream, router: LlmRouter) -> None:
    answer = await router.stream(HI, Caller(request_id="r"))
    assert answer.result is None
    assert answer.model == "openrouter/z-ai/glm-4.5-air:free"
    assert "".join([text async for text in answer]) == "One two three"
    await answer.aclose()
    assert answer.result is not None
    assert answer.result.text == "One two three"
    assert answer.result.route == answer.route
    assert answer.result.usage is not None
    assert gateway.requests[0].json["stream"] is True


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (plain(b"x", 503), "unavailable"),
        (plain(b"x", 429), "rate_limited"),
        (close, "unavailable"),
        (stream(cut=True), "unavailable"),
        (stream(b": PROCESSING\n\n", cut=True), "unavailable"),
        (stream(), "bad_response"),
        (stream("[DONE]"), "bad_response"),
        (stream(delta("", "stop"), "[DONE]"), "empty_answer"),
        (stream(delta("  \n"), delta(None, "stop"), "[DONE]"), "empty_answer"),
        (stream({"error": {"code": 429}}), "rate_limited"),
        (stream("{broken"), "bad_response"),
        (plain(b"<html>", content_type="text/html"), "bad_response"),
    ],
)
async def test_before_the_first_token_it_falls_back(
    fault: Script, reason: str, gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    gateway.scripts = [fault]
    async with await router.stream(HI) as answer:
        assert "".join([text async for text in answer]) == "One two three"
    assert (answer.route.path, answer.route.reason) == (Path.FALLBACK, reason)
    assert answer.model == DIRECT_MODEL
    assert len(direct.requests) == 1


@pytest.mark.parametrize(
    ("events", "cut"),
    [
        ([], True),
        ([], False),
        (["[DONE]"], False),
        ([{"error": {"code": 502, "message": "gone"}}], False),
        (["{broken"], False),
        ([delta("x", "error")], False),
    ],
)
async def test_after_it_the_caller_gets_a_clear_error_and_no_mixed_answer(
    events: list[object], cut: bool, gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    gateway.scripts = [stream(delta("Half an "), 0.05, *events, cut=cut)]
    shown = []
    with pytest.raises(errors.StreamBroken) as caught:
        async with await router.stream(HI) as answer:
            async for text in answer:
                shown.append(text)
    assert "".join(shown) == "Half an "
    assert answer.result is None
    assert caught.value.path == "litellm"
    assert isinstance(caught.value.__cause__, LlmError)
    assert direct.requests == []


@pytest.mark.parametrize(
    "endless",
    [
        stream(*[b": PROCESSING\n\n", 0.02] * 500),
        stream(*[delta(" "), 0.02] * 500),
        hang,
    ],
)
async def test_a_stream_that_never_says_anything_falls_back_in_time(
    endless: Script, gateway: Upstream, router: LlmRouter
) -> None:
    gateway.scripts = [endless]
    assert await read(router, Caller(timeout=2)) == (Path.FALLBACK, "One two three")
    await gateway.requests[0].left()


async def test_a_stream_that_drips_past_the_deadline_ends(gateway: Upstream, router: LlmRouter) -> None:
    gateway.scripts = [stream(*[delta("x"), 0.02] * 500)]
    started = time.monotonic()
    with pytest.raises(errors.StreamBroken) as caught:
        await read(router, Caller(timeout=0.5))
    assert isinstance(caught.value.__cause__, errors.LlmTimeout)
    assert time.monotonic() - started < 5, "the stream takes 10 s"


async def test_leaving_early_ends_the_request(gateway: Upstream, router: LlmRouter) -> None:
    gateway.scripts = [stream(*[delta("x"), 0.02] * 500)]
    async with await router.stream(HI) as answer:
        async for _ in answer:
            break
    await gateway.requests[0].left()


async def test_connections_are_used_again(gateway: Upstream, router: LlmRouter) -> None:
    for _ in range(5):
        await read(router)
    assert gateway.connections == 1


async def test_the_direct_path_streams_too(gateway: Upstream, direct: Upstream) -> None:
    router = LlmRouter(config(gateway, direct))
    direct.scripts = [plain(b"x", 503), stream(*good_events("m"))]
    assert await read(router) == (Path.DIRECT, "One two three")
    assert direct.requests[0].json["usage"] == {"include": True}
    await router.aclose()


async def test_a_tool_call_is_an_answer(gateway: Upstream, router: LlmRouter) -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}
    gateway.scripts = [stream(delta(delta={"tool_calls": [call]}), delta(finish="tool_calls"), "[DONE]")]
    async with await router.stream(HI) as answer:
        assert [text async for text in answer] == []
    assert answer.result is not None
    assert answer.result.choices[0].message.tool_calls is not None
