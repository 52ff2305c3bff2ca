"""How long a gateway is waited for: thinking is life, a late answer still counts, and nobody is left open."""

import asyncio
from typing import Any

import pytest

from friday.llm import Caller, LlmRouter, Path, constants, errors
from friday.llm.breaker import CircuitBreaker, State
from friday.llm.patience import leave
from tests.unit.friday.given import HI, config
from tests.unit.friday.upstream import Exchange, Script, Upstream, delta, good_answer, good_events, hang, plain, stream

pytestmark = pytest.mark.anyio
SOON = 0.03
"""A share of the time that is over after 0.6 s of a call of 20 s."""
CALLER = Caller(timeout=20)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The direct path is asked soon, unless the gateway's model thinks."""
    monkeypatch.setattr(constants, "GATEWAY_SHARE", SOON)
    monkeypatch.setattr(constants, "THINKING_SHARE", 1.0)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The direct path is asked only when the gateway has failed."""
    monkeypatch.setattr(constants, "GATEWAY_SHARE", 1.0)


def thought(name: str = "reasoning", value: Any = "hm") -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "delta": {"content": "", name: value}, "finish_reason": None}]}


def thinks(pieces: int, *after: object, of: dict[str, Any] | None = None) -> Script:
    """Thoughts for a tenth of a second each, then other events."""
    events: list[object] = []
    for _ in range(pieces):
        events += [of or thought(), 0.1]
    return stream(*events, *after)


async def asked(router: LlmRouter) -> tuple[Path, str | None, str]:
    async with await router.stream(HI, CALLER) as answer:
        return answer.route.path, answer.route.reason, "".join([text async for text in answer])


@pytest.mark.parametrize(
    "of",
    [
        thought(),
        thought("reasoning_content"),
        thought("reasoning_details", [{"type": "reasoning.encrypted", "data": "x"}]),
    ],
    ids=["text", "litellm", "details"],
)
async def test_thinking_is_life_and_no_text(
    of: dict[str, Any], gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    gateway.scripts = [thinks(12, *good_events("m"), of=of)]
    assert await asked(router) == (Path.LITELLM, None, "One two three")
    assert direct.requests == []


async def test_comments_are_no_life(gateway: Upstream, direct: Upstream, router: LlmRouter) -> None:
    gateway.scripts = [stream(*[b": OPENROUTER PROCESSING\n\n", 0.05] * 400)]
    assert (await asked(router))[:2] == (Path.FALLBACK, "timeout")
    await gateway.requests[0].left()


async def test_thoughts_that_stop_are_no_life(
    gateway: Upstream, direct: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "THOUGHT_SILENCE_SECONDS", 0.2)
    breaker = CircuitBreaker(failures=1)
    router = LlmRouter(config(gateway, direct, rollout_percentage=100), breaker=breaker)
    gateway.scripts = [thinks(2, 30.0)]
    assert (await asked(router))[:2] == (Path.FALLBACK, "timeout")
    await gateway.requests[0].left()
    assert breaker.state is not State.CLOSED
    await router.aclose()


async def test_a_model_that_thinks_for_too_long_gets_company_and_does_not_count_as_dead(
    gateway: Upstream, direct: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "THINKING_SHARE", 2 * SOON)
    breaker = CircuitBreaker(failures=1)
    router = LlmRouter(config(gateway, direct, rollout_percentage=100), breaker=breaker)
    gateway.scripts = [thinks(200)]
    assert (await asked(router))[:2] == (Path.FALLBACK, "timeout")
    await gateway.requests[0].left()
    assert breaker.state is State.CLOSED
    await router.aclose()


async def test_a_gateway_whose_model_thinks_to_the_end_is_not_dead(gateway: Upstream, direct: Upstream) -> None:
    breaker = CircuitBreaker(failures=1)
    router = LlmRouter(config(gateway, direct, rollout_percentage=100), breaker=breaker)
    gateway.scripts, direct.scripts = [thinks(200)], [hang]
    with pytest.raises(errors.LlmTimeout):
        await router.stream(HI, Caller(timeout=1))
    assert breaker.state is State.CLOSED
    await router.aclose()


async def test_an_answer_that_has_begun_is_not_ended_by_the_share(
    gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    *begun, last, usage, done = good_events("m")
    gateway.scripts = [stream(*begun, 1, last, usage, done)]
    assert await asked(router) == (Path.LITELLM, None, "One two three")
    assert direct.requests == []


def once(other: Upstream, script: Script) -> Script:
    """Answer when another server has been asked."""

    async def waits(exchange: Exchange) -> bool:
        await other.asked()
        return await script(exchange)

    return waits


@pytest.mark.parametrize("fails", [hang, plain(b"x", 401)], ids=["hangs", "fails"])
async def test_a_late_plain_answer_counts_when_the_direct_path_has_none(
    fails: Script, gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    direct.scripts, gateway.scripts = [fails], [once(direct, plain(good_answer("late")))]
    result = await router.invoke(HI, CALLER)
    assert result.model == "late"
    assert result.route is not None
    assert (result.route.path, result.route.reason) == (Path.LITELLM, None)
    if fails is hang:
        await direct.requests[0].left()


async def test_the_direct_answer_counts_when_it_is_first(
    gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    gateway.scripts = [hang]
    result = await router.invoke(HI, CALLER)
    assert result.route is not None
    assert (result.route.path, result.route.reason) == (Path.FALLBACK, "timeout")
    await gateway.requests[0].left()


async def test_a_late_failure_of_the_gateway_is_the_cause(
    gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    direct.scripts, gateway.scripts = [plain(b"x", 401)], [once(direct, plain(b"x", 500))]
    with pytest.raises(errors.AuthenticationFailed) as caught:
        await router.invoke(HI, CALLER)
    assert caught.value.path == "fallback"
    assert isinstance(caught.value.__cause__, errors.Unavailable)


async def test_who_cancels_leaves_both_paths(gateway: Upstream, direct: Upstream, router: LlmRouter) -> None:
    gateway.scripts, direct.scripts = [hang], [hang]
    asking = asyncio.create_task(router.invoke(HI, CALLER))
    await direct.asked()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await gateway.requests[0].left()
    await direct.requests[0].left()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    "end",
    [{"finish_reason": "error"}, {"finish_reason": "stop", "native_finish_reason": "error"}],
    ids=["error", "native"],
)
async def test_an_end_with_an_error_is_no_answer(
    end: dict[str, Any], streamed: bool, gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    if streamed:
        gateway.scripts = [stream(delta("") | {"choices": [{"index": 0, "delta": {}, **end}]}, "[DONE]")]
        assert (await asked(router))[:2] == (Path.FALLBACK, "bad_response")
    else:
        gateway.scripts = [plain(good_answer("m", "Half", **end))]
        result = await router.invoke(HI, CALLER)
        assert result.route is not None
        assert (result.route.path, result.route.reason) == (Path.FALLBACK, "bad_response")


@pytest.mark.usefixtures("patient")
async def test_thoughts_without_a_word_are_no_answer(gateway: Upstream, direct: Upstream, router: LlmRouter) -> None:
    gateway.scripts = [thinks(2, delta("", "length"), "[DONE]")]
    assert (await asked(router))[:2] == (Path.FALLBACK, "empty_answer")


async def test_an_answer_that_nobody_wants_any_more_is_closed() -> None:
    class Answer:
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    async def came() -> Answer:
        return answer

    answer = Answer()
    task = asyncio.create_task(came())
    await task
    await leave(task, None)
    assert answer.closed
