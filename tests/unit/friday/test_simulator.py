"""Every fault of the simulator, on both paths, plain and streamed: answered all the same, or a typed error."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args

import httpx
import pytest
from pydantic import SecretStr

from benchmarks.upstream import simulator_process
from friday.llm import Caller, LlmConfig, LlmRouter, Path
from friday.llm.errors import LlmError
from simulator.faults import Body, Fault

pytestmark = pytest.mark.anyio
GATEWAY_KEY, DIRECT_KEY = "gateway-key-0123456789", "direct-key-0123456789"
ASKED, DIRECT_MODEL = "google/gemma-4-26b-a4b-it:free", "google/gemma-4-31b-it:free"
"""The gateway is asked for one model, the direct path uses the other: a fault meets one path only."""
CALL = {"model": ASKED, "messages": [{"role": "user", "content": "What is a lease?"}]}

PLAIN: list[tuple[dict[str, Any], str]] = [
    ({"kind": "status", "status": 400}, "refused"),
    ({"kind": "status", "status": 401}, "authentication"),
    ({"kind": "status", "status": 402}, "payment_required"),
    ({"kind": "status", "status": 404}, "model_not_found"),
    ({"kind": "status", "status": 429, "retry_after": 60}, "rate_limited"),
    ({"kind": "status", "status": 500}, "unavailable"),
    ({"kind": "status", "status": 502, "html": True}, "unavailable"),
    ({"kind": "latency", "distribution": {"kind": "fixed", "ms": 60_000}}, "timeout"),
    ({"kind": "close"}, "unavailable"),
    ({"kind": "close", "reset": True}, "unavailable"),
    ({"kind": "hang"}, "timeout"),
    ({"kind": "slow_first_token", "ms": 60_000}, "timeout"),
    ({"kind": "slow_first_token", "ms": 60_000, "comments": False}, "timeout"),
    ({"kind": "drip", "interval_ms": 20}, "timeout"),
    ({"kind": "body", "body": "malformed_json"}, "bad_response"),
    ({"kind": "body", "body": "empty"}, "bad_response"),
    ({"kind": "body", "body": "html"}, "bad_response"),
    ({"kind": "body", "body": "empty_choices"}, "empty_answer"),
    ({"kind": "body", "body": "empty_content"}, "empty_answer"),
    ({"kind": "body", "body": "null_content"}, "empty_answer"),
    ({"kind": "body", "body": "choice_error"}, "unavailable"),
    ({"kind": "body", "body": "error"}, "unavailable"),
    ({"kind": "finish_error", "after_tokens": 0}, "bad_response"),
    ({"kind": "finish_error", "after_tokens": 0, "reason": "stop"}, "bad_response"),
    ({"kind": "thinking", "ms": 60_000, "interval_ms": 20}, "timeout"),
    ({"kind": "refusal", "refusal": "retired"}, "model_not_found"),
    ({"kind": "refusal", "refusal": "data_policy"}, "data_policy"),
    ({"kind": "refusal", "refusal": "key_limit"}, "key_limit"),
    ({"kind": "refusal", "refusal": "tools"}, "refused"),
    ({"kind": "stream_error", "after_tokens": 0}, "unavailable"),
    ({"kind": "cut", "after_tokens": 0}, "unavailable"),
    ({"kind": "cut", "after_tokens": 0, "clean": True}, "bad_response"),
]
OTHERWISE_STREAMED = {"empty_choices": "bad_response"}
"""A stream without choices has no finish reason either, and that is what shows first."""
FAULTS = [
    *((fault, False, kind) for fault, kind in PLAIN),
    *((fault, True, OTHERWISE_STREAMED.get(fault.get("body", ""), kind)) for fault, kind in PLAIN),
]
BROKEN_LATER = [
    {"kind": "cut", "after_tokens": 2},
    {"kind": "cut", "after_tokens": 2, "clean": True},
    {"kind": "stream_error", "after_tokens": 2},
    {"kind": "finish_error", "after_tokens": 2},
    {"kind": "broken_sse", "after_tokens": 2},
    {"kind": "drip", "mode": "tokens", "interval_ms": 400},
]


class Edge(httpx.AsyncHTTPTransport):
    """Adds the gateway's credential to what comes without one, as the edge does."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers.setdefault("authorization", f"Bearer {GATEWAY_KEY}")
        return await super().handle_async_request(request)


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    settings = {
        "SIMULATOR_API_KEYS": f"{GATEWAY_KEY} gateway,{DIRECT_KEY} direct",
        "SIMULATOR_RPM": "1000",
        "SIMULATOR_RPD": "100000",
        "DRAIN_SECONDS": "0",
    }
    with simulator_process(settings) as url:
        yield url


@pytest.fixture
async def router(simulator: str) -> AsyncIterator[LlmRouter]:
    httpx.post(f"{simulator}/admin/reset", trust_env=False).raise_for_status()
    api = f"{simulator}/api/v1"
    config = LlmConfig(
        enable_litellm=True,
        rollout_percentage=50,
        litellm_base_url=api,
        openrouter_base_url=api,
        openrouter_api_key=SecretStr(DIRECT_KEY),
        openrouter_model=DIRECT_MODEL,
    )
    made = LlmRouter(config, transport=Edge())
    yield made
    await made.aclose()


def switch_on(simulator: str, fault: dict[str, Any], model: str) -> None:
    answer = httpx.put(f"{simulator}/admin/faults", json=[fault | {"model": model}], trust_env=False)
    answer.raise_for_status()


async def ask(router: LlmRouter, user_id: int, *, stream: bool) -> tuple[Path, str | None, str]:
    caller = Caller(user_id=user_id, timeout=1.5)
    if not stream:
        result = await router.invoke(CALL, caller)
        assert result.route is not None
        return result.route.path, result.route.reason, result.text
    async with await router.stream(CALL, caller) as answer:
        text = "".join([piece async for piece in answer])
        return answer.route.path, answer.route.reason, text


def test_every_fault_of_the_simulator_is_here() -> None:
    union, _ = get_args(Fault)
    kinds = [model.model_fields["kind"].annotation for model in get_args(union)]
    used = [*(fault for fault, _ in PLAIN), *BROKEN_LATER]
    assert {fault["kind"] for fault in used} == {kind for literal in kinds for kind in get_args(literal)}
    bodies = {fault["body"] for fault in used if fault["kind"] == "body"}
    assert bodies == set(get_args(Body.model_fields["body"].annotation))


@pytest.mark.parametrize("stream", [False, True])
async def test_without_faults_both_paths_answer(router: LlmRouter, stream: bool) -> None:
    for user, path in ((7, Path.LITELLM), (77, Path.DIRECT)):
        found, reason, text = await ask(router, user, stream=stream)
        assert (found, reason) == (path, None)
        assert text


@pytest.mark.parametrize(("fault", "stream", "kind"), FAULTS)
async def test_a_fault_behind_the_gateway_is_made_good(
    fault: dict[str, Any], stream: bool, kind: str, simulator: str, router: LlmRouter
) -> None:
    switch_on(simulator, fault, ASKED)
    path, reason, text = await ask(router, 7, stream=stream)
    assert (path, reason) == (Path.FALLBACK, kind)
    assert text


@pytest.mark.parametrize(("fault", "stream", "kind"), FAULTS)
async def test_a_fault_on_the_direct_path_is_a_typed_error(
    fault: dict[str, Any], stream: bool, kind: str, simulator: str, router: LlmRouter
) -> None:
    switch_on(simulator, fault, DIRECT_MODEL)
    with pytest.raises(LlmError) as caught:
        await ask(router, 77, stream=stream)
    assert (caught.value.kind, caught.value.path) == (kind, "direct")


@pytest.mark.parametrize("user", [7, 77])
@pytest.mark.parametrize("fault", BROKEN_LATER)
async def test_a_stream_that_breaks_later_is_a_clear_error(
    fault: dict[str, Any], user: int, simulator: str, router: LlmRouter
) -> None:
    switch_on(simulator, fault, ASKED if user == 7 else DIRECT_MODEL)
    with pytest.raises(LlmError) as caught:
        await ask(router, user, stream=True)
    assert caught.value.kind == "stream_broken"


@pytest.mark.parametrize("used", [{"minute_used": 1000}, {"day_used": 100_000}])
async def test_a_spent_quota_has_its_own_error_and_the_direct_account_helps(
    used: dict[str, int], simulator: str, router: LlmRouter
) -> None:
    httpx.patch(f"{simulator}/admin/accounts/gateway", json=used, trust_env=False).raise_for_status()
    assert (await ask(router, 7, stream=False))[:2] == (Path.FALLBACK, "quota_spent")
    httpx.patch(f"{simulator}/admin/accounts/direct", json=used, trust_env=False).raise_for_status()
    started = time.monotonic()
    with pytest.raises(LlmError) as caught:
        await ask(router, 7, stream=False)
    assert caught.value.kind == "quota_spent"
    assert time.monotonic() - started < 1.4, "it does not wait for the deadline of 1.5 s"


async def test_nothing_was_ever_billed(simulator: str, router: LlmRouter) -> None:
    await ask(router, 7, stream=False)
    await ask(router, 77, stream=True)
    bill = httpx.get(f"{simulator}/admin/bill", trust_env=False).json()
    assert bill["total_usd"] == 0
