"""Paths, fallbacks and limits of plain calls, against real servers."""

import asyncio
import json
import time
from typing import Any

import pytest

from friday.llm import Caller, Feature, LlmRouter, Path, constants, errors
from friday.llm.breaker import CircuitBreaker, State
from tests.unit.friday.given import DIRECT_MODEL, HI, KEY, config
from tests.unit.friday.upstream import Exchange, Script, Upstream, close, good_answer, hang, plain

pytestmark = pytest.mark.anyio
GATEWAY_MODEL = "openrouter/z-ai/glm-4.5-air:free"


async def made(gateway: Upstream, direct: Upstream, **changes: Any) -> LlmRouter:
    return LlmRouter(config(gateway, direct, **changes))


async def test_both_paths_give_the_same_kind_of_result(gateway: Upstream, direct: Upstream) -> None:
    router = await made(gateway, direct, rollout_percentage=50)
    on = await router.invoke(HI, Caller(user_id=7))
    off = await router.invoke(HI, Caller(user_id=77))
    await router.aclose()
    assert on.route is not None
    assert off.route is not None
    assert (on.route.path, off.route.path) == (Path.LITELLM, Path.DIRECT)
    same = {"model", "route"}
    assert on.model_dump(exclude=same) == off.model_dump(exclude=same)
    assert (len(gateway.requests), len(direct.requests)) == (1, 1)


async def test_the_gateway_gets_no_authorization_and_the_direct_path_its_key(
    gateway: Upstream, direct: Upstream
) -> None:
    router = await made(gateway, direct, rollout_percentage=50)
    await router.invoke(HI, Caller(user_id=7, request_id="r-1", feature=Feature.EMAIL_LABELS))
    await router.invoke(HI | {"model": "kimi-k2-free"}, Caller(user_id=77, request_id="r-2"))
    await router.aclose()
    there, here = gateway.requests[0], direct.requests[0]
    assert "authorization" not in there.headers
    assert there.headers["x-request-id"] == "r-1"
    assert there.path == here.path == "/api/v1/chat/completions"
    assert there.json["model"] == GATEWAY_MODEL
    assert here.headers["authorization"] == f"Bearer {KEY}"
    assert here.json["model"] == DIRECT_MODEL, "the direct path has one model, and it is free"
    assert there.headers["x-friday-feature"] == "email_labels"
    assert not {"x-request-id", "x-friday-feature"} & set(here.headers)


async def test_the_deployment_that_answered_is_named(gateway: Upstream, router: LlmRouter) -> None:
    gateway.scripts = [plain(good_answer("asked"), x_gateway_model="openrouter/x/y:free")]
    assert (await router.invoke(HI)).model == "openrouter/x/y:free"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (plain(b"busy", 429), "rate_limited"),
        (plain({"error": {"message": "free-models-per-day"}}, 429, retry_after="60"), "quota_spent"),
        (plain(b"<html>503 Service Unavailable</html>", 503), "unavailable"),
        (plain(b"x", 500), "unavailable"),
        (plain(b"x", 502), "unavailable"),
        (plain(b"x", 504), "timeout"),
        (plain(b"x", 401), "authentication"),
        (plain(b"x", 400), "refused"),
        (plain(b"x", 404), "model_not_found"),
        (plain(b"x", 302, location="http://127.0.0.1:1/"), "bad_response"),
        (plain(b"{"), "bad_response"),
        (plain(b""), "bad_response"),
        (plain(b"\x1f\x8bxx", content_encoding="gzip"), "bad_response"),
        (plain(b" " * (constants.MAX_BODY_BYTES + 1)), "bad_response"),
        (plain(good_answer("m", "")), "empty_answer"),
        (plain(good_answer("m") | {"choices": []}), "empty_answer"),
        (plain({"error": {"code": 502}}), "unavailable"),
        (close, "unavailable"),
    ],
)
async def test_any_failure_of_the_gateway_is_made_good(
    fault: Script, reason: str, gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    gateway.scripts = [fault]
    result = await router.invoke(HI, Caller(user_id=7, request_id="r"))
    assert result.route is not None
    assert result.route.model_dump() == {"path": "fallback", "request_id": "r", "reason": reason}
    assert result.model == DIRECT_MODEL
    assert (len(gateway.requests), len(direct.requests)) == (1, 1), "the gateway is asked once"


async def test_a_dead_gateway_is_left_alone_after_a_while_and_found_again(gateway: Upstream, direct: Upstream) -> None:
    breaker = CircuitBreaker(failures=3, open_seconds=0.2)
    router = LlmRouter(config(gateway, direct, rollout_percentage=100), breaker=breaker)
    gateway.always = plain(b"closed", 503)
    reasons = [await _reason(router) for _ in range(5)]
    assert reasons == ["unavailable"] * 3 + ["breaker_open"] * 2
    assert len(gateway.requests) == 3
    gateway.always = None
    await asyncio.sleep(0.25)
    assert await _reason(router) is None
    assert breaker.state is State.CLOSED
    await router.aclose()


async def test_a_gateway_that_refuses_is_not_dead(gateway: Upstream, router: LlmRouter) -> None:
    gateway.always = plain(b"busy", 429)
    assert [await _reason(router) for _ in range(7)] == ["rate_limited"] * 7
    assert router.breaker.state is State.CLOSED


async def _reason(router: LlmRouter) -> str | None:
    route = (await router.invoke(HI)).route
    assert route is not None
    return route.reason


async def test_nobody_listens(gateway: Upstream, router: LlmRouter) -> None:
    await gateway.stop()
    assert await _reason(router) == "unavailable"


async def test_a_hanging_gateway_leaves_time_for_the_fallback(
    gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    gateway.scripts = [hang]
    started = time.monotonic()
    result = await router.invoke(HI, Caller(timeout=1))
    assert result.route is not None
    assert result.route.reason == "timeout"
    assert time.monotonic() - started > 0.5
    await gateway.requests[0].left()


async def test_one_deadline_covers_both_paths_and_dripping_answers(
    gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    async def drip(exchange: Any) -> bool:
        await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(1000):
            await exchange.send(b" ")
            await asyncio.sleep(0.02)
        return False

    gateway.scripts, direct.scripts = [drip], [drip]
    started = time.monotonic()
    with pytest.raises(errors.LlmTimeout) as caught:
        await router.invoke(HI, Caller(timeout=0.5))
    assert 0.45 < time.monotonic() - started < 5, "an answer takes 20 s"
    assert caught.value.path == "fallback"
    assert isinstance(caught.value.__cause__, errors.LlmTimeout)


async def test_when_both_paths_fail_the_direct_error_counts(
    gateway: Upstream, direct: Upstream, router: LlmRouter
) -> None:
    gateway.scripts, direct.scripts = [plain(b"x", 500)], [plain(b"x", 401)]
    with pytest.raises(errors.AuthenticationFailed) as caught:
        await router.invoke(HI)
    assert isinstance(caught.value.__cause__, errors.Unavailable)


async def test_a_paid_model_reaches_no_server(gateway: Upstream, direct: Upstream, router: LlmRouter) -> None:
    for model in ("openai/gpt-4o", "openrouter/anthropic/claude-opus-4"):
        with pytest.raises(errors.PaidModelRefused):
            await router.invoke(HI | {"model": model})
    assert gateway.requests == direct.requests == []


async def test_a_paid_default_of_the_direct_path_reaches_no_server(gateway: Upstream, direct: Upstream) -> None:
    unchecked = config(gateway, direct).model_copy(update={"openrouter_model": "openai/gpt-4o"})
    router = LlmRouter(unchecked)
    with pytest.raises(errors.PaidModelRefused):
        await router.invoke(HI)
    assert direct.requests == []
    await router.aclose()


async def test_without_a_key_the_direct_path_names_the_variable(gateway: Upstream, direct: Upstream) -> None:
    router = await made(gateway, direct, openrouter_api_key="")
    with pytest.raises(errors.ConfigurationError) as caught:
        await router.invoke(HI)
    assert caught.value.field == "OPENROUTER_API_KEY"
    assert direct.requests == []
    await router.aclose()


async def test_a_closed_gateway_is_used_again_as_soon_as_it_is_open(gateway: Upstream, direct: Upstream) -> None:
    breaker = CircuitBreaker(failures=1, open_seconds=60)
    router = LlmRouter(config(gateway, direct, rollout_percentage=100), breaker=breaker)
    closed = plain(b'{"error": {"type": "gateway_closed"}}', 503)
    gateway.scripts = [closed, closed]
    assert [await _reason(router), await _reason(router)] == ["gateway_closed"] * 2
    assert breaker.state is State.CLOSED
    assert await _reason(router) is None
    await router.aclose()


async def test_cancelling_ends_the_request_and_frees_the_probe(gateway: Upstream, direct: Upstream) -> None:
    breaker = CircuitBreaker(failures=1, open_seconds=0.01)
    router = LlmRouter(config(gateway, direct, rollout_percentage=100), breaker=breaker)
    gateway.scripts = [plain(b"x", 503), hang]
    await router.invoke(HI)
    await asyncio.sleep(0.02)
    probe = asyncio.create_task(router.invoke(HI))
    while len(gateway.requests) < 2:
        await asyncio.sleep(0.01)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    await gateway.requests[1].left()
    assert await _reason(router) is None, "the next call may probe"
    await router.aclose()


async def test_connections_are_used_again(gateway: Upstream, router: LlmRouter) -> None:
    for _ in range(10):
        await router.invoke(HI)
    assert gateway.connections == 1


async def test_a_hundred_at_once(gateway: Upstream, direct: Upstream, router: LlmRouter) -> None:
    everybody = asyncio.Event()

    async def with_the_others(exchange: Exchange) -> bool:
        if len(gateway.requests) == 100:
            everybody.set()
        await everybody.wait()  # a call that waited for another one would never be answered
        return await plain(good_answer("m"))(exchange)

    gateway.always = with_the_others
    results = await asyncio.gather(*(router.invoke(HI, Caller(user_id=user)) for user in range(100)))
    assert {result.route.path for result in results if result.route} == {Path.LITELLM}
    assert direct.requests == []


async def test_users_without_an_id_are_drawn(gateway: Upstream, direct: Upstream) -> None:
    draws = iter([0.49, 0.5])
    router = LlmRouter(config(gateway, direct, rollout_percentage=50), draw=lambda: next(draws))
    paths = [(await router.invoke(HI)).route for _ in range(2)]
    assert [route.path for route in paths if route] == [Path.LITELLM, Path.DIRECT]
    await router.aclose()


async def test_the_flag_switches_everything_off(gateway: Upstream, direct: Upstream) -> None:
    router = await made(gateway, direct, enable_litellm=False, rollout_percentage=100)
    assert router.percentage == 0
    await router.invoke(HI, Caller(user_id=1))
    assert gateway.requests == []
    assert json.loads(direct.requests[0].body)["model"] == DIRECT_MODEL
    await router.aclose()
