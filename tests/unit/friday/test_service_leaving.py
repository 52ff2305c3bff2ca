"""A client that leaves before its answer is there: the work for it ends too."""

import asyncio
from typing import Any

import httpx
import pytest

from friday.llm.constants import DEFAULT_GATEWAY_MODEL
from tests.unit.friday.given import DIRECT_MODEL
from tests.unit.friday.served import OFF, ON, chat, metrics_of
from tests.unit.friday.upstream import Upstream, delta, hang, stream

pytestmark = pytest.mark.anyio


async def scraped(http: httpx.AsyncClient, wanted: str) -> str:
    """The metrics, once `wanted` is among them: the service learns of a lost connection a moment later."""
    for _ in range(100):
        text = await metrics_of(http)
        if wanted in text:
            return text
        await asyncio.sleep(0.02)
    raise AssertionError(text)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chat", chat()),
        ("chat", chat(stream=True)),
        ("docs", {"title": "Plan", "notes": "x"}),
        ("email/summary", {"body": "x"}),
        ("email/labels", {"body": "x", "labels": ["Lead"]}),
    ],
    ids=["chat", "stream", "docs", "summary", "labels"],
)
@pytest.mark.parametrize("user", [ON, OFF], ids=["litellm", "direct"])
async def test_the_upstream_call_ends_and_nothing_else_begins(
    path: str, body: dict[str, Any], user: int, gateway: Upstream, direct: Upstream, http: httpx.AsyncClient
) -> None:
    gateway.always = direct.always = hang
    asked, other = (gateway, direct) if user == ON else (direct, gateway)
    way, model = ("litellm", DEFAULT_GATEWAY_MODEL) if user == ON else ("direct", DIRECT_MODEL)
    asking = asyncio.create_task(http.post(f"/api/{path}", json=body | {"user_id": user}))
    await asked.asked()
    asking.cancel()
    await asked.requests[0].left()
    metrics = await scraped(http, f'friday_http_requests_total{{path="/api/{path}",status="499"}} 1.0')
    feature = path.replace("/", "_")
    labels = f'feature="{feature}",model="{model}",outcome="cancelled",path="{way}"'
    assert f"friday_llm_requests_total{{{labels}}} 1.0" in metrics
    assert "friday_llm_in_flight 0.0" in metrics
    assert "friday_llm_errors_total{" not in metrics, "leaving is nobody's failure"
    assert (len(asked.requests), other.requests) == (1, []), "no fallback, no second try"


async def test_a_reader_who_leaves_a_stream_ends_the_request(gateway: Upstream, http: httpx.AsyncClient) -> None:
    gateway.scripts = [stream(*[delta("x"), 0.02] * 500)]
    async with http.stream("POST", "/api/chat", json=chat(ON, stream=True)) as response:
        async for _ in response.aiter_bytes():
            break
    await gateway.requests[0].left()
    metrics = await scraped(http, 'outcome="cancelled",path="litellm"} 1.0')
    assert "friday_llm_in_flight 0.0" in metrics
