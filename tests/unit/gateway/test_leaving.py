"""Just before a call leaves: what is counted, what is not sent, and the account's limit in the answer."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from gateway.leaving import Leaving, NotSentError, minute_limit
from gateway.metrics import Metrics
from gateway.quota import Quota
from gateway.request_context import CURRENT, RequestContext

KEY = "sk-or-0123456789"
UPSTREAM = "https://openrouter.ai/api/v1"
CHAT = f"{UPSTREAM}/chat/completions"
NOW = 1_900_000_000.0
MINUTE = "Rate limit exceeded: free-models-per-min. "


def answered(status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(status, content=body, headers=headers))


class Way:
    """The transport, with what it counts."""

    def __init__(self, inner: httpx.AsyncBaseTransport, quota: Quota | None = None) -> None:
        self.registry = CollectorRegistry()
        self.quota = quota or Quota(100)
        metrics = Metrics(self.registry)
        self.transport = Leaving(inner, upstream=UPSTREAM, key=KEY, quota=lambda: self.quota, attempts=metrics.attempts)

    def send(self, url: str = CHAT, key: str = KEY) -> httpx.Response:
        async def run() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport) as client:
                return await client.post(url, json={}, headers={"authorization": f"Bearer {key}"})

        return asyncio.run(run())

    @property
    def attempts(self) -> float:
        found = self.registry.get_sample_value("gateway_upstream_attempts_total", {"model": "one/two:free"})
        return found or 0.0


@pytest.fixture
def context() -> Iterator[RequestContext]:
    made = RequestContext(model="one/two:free")
    token = CURRENT.set(made)
    yield made
    CURRENT.reset(token)


def test_each_call_is_counted_also_one_that_fails(context: RequestContext) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    way = Way(httpx.MockTransport(broken))
    for _ in range(2):
        with pytest.raises(httpx.ReadError):
            way.send()
    assert (way.attempts, way.quota.used, context.attempts) == (2, 2, 2)


def test_a_call_with_another_key_is_not_sent(context: RequestContext) -> None:
    way = Way(answered())
    with pytest.raises(NotSentError, match="another key"):
        way.send(key="a-strangers-key")
    assert (context.attempts, way.quota.used) == (0, 0)


def test_over_the_quota_nothing_is_sent(context: RequestContext) -> None:
    def sent(request: httpx.Request) -> httpx.Response:
        raise AssertionError("it was sent")

    way = Way(httpx.MockTransport(sent), Quota(0))
    with pytest.raises(NotSentError, match="quota"):
        way.send()
    assert context.quota_wait > 0
    assert (context.attempts, way.attempts) == (0, 0)


@pytest.mark.parametrize("url", ["https://openrouter.ai.example/api/v1/x", "http://openrouter.ai/api/v1/x"])
def test_nothing_is_sent_to_another_host(context: RequestContext, url: str) -> None:
    way = Way(answered())
    with pytest.raises(NotSentError, match="guard"):
        way.send(url)
    assert way.quota.used == 0


def test_nothing_is_sent_that_did_not_pass_the_guard() -> None:
    way = Way(answered())
    with pytest.raises(NotSentError, match="guard"):
        way.send()
    assert way.quota.used == 0


def error(message: str = MINUTE, **metadata: Any) -> bytes:
    return json.dumps({"error": {"code": 429, "message": message, "metadata": metadata}}).encode()


LIMIT = {"X-RateLimit-Limit": "16", "X-RateLimit-Remaining": "0"}
SOON, TOMORROW = str(int(NOW * 1000) + 30_000), str(int(NOW * 1000) + 80_000_000)


@pytest.mark.parametrize(
    ("status", "headers", "body", "limit"),
    [
        (429, LIMIT, error(), 16),
        (429, {}, error(headers=LIMIT), 16),
        (429, LIMIT, error("Rate limited", limit_source="openrouter_free_tier_per_minute"), 16),
        (429, LIMIT, error("Rate limit exceeded: free-models-per-day. "), None),
        (429, LIMIT, error("Rate limited", limit_source="openrouter_per_model_minute"), None),
        (429, LIMIT, b"<html>", None),
        (429, {}, error(headers="none"), None),
        (429, {}, MINUTE.encode(), None),
        (429, {"X-RateLimit-Limit": "-3"}, error(), None),
        (200, {**LIMIT, "X-RateLimit-Reset": SOON}, b"", 16),
        (200, {**LIMIT, "X-RateLimit-Reset": TOMORROW}, b"", None),
        (200, {**LIMIT, "X-RateLimit-Limit": "0", "X-RateLimit-Reset": SOON}, b"", None),
        (200, LIMIT, b"", None),
        (200, {}, b"", None),
    ],
)
def test_the_accounts_limit_of_a_minute_is_told_from_others(
    status: int, headers: dict[str, str], body: bytes, limit: int | None
) -> None:
    assert minute_limit(status, httpx.Headers(headers), body.decode(), NOW) == limit


def test_what_an_answer_names_is_learned_and_the_answer_is_passed_on(
    context: RequestContext, caplog: pytest.LogCaptureFixture
) -> None:
    packed = {**LIMIT, "content-encoding": "gzip"}
    way = Way(answered(429, gzip.compress(error()), packed), Quota(18))
    for _ in range(2):
        answer = way.send()
        assert (answer.status_code, answer.json()["error"]["message"]) == (429, MINUTE)
    assert (way.quota.account, way.quota.limit) == (16, 14)
    assert [record.getMessage() for record in caplog.records] == [
        "OpenRouter allows this account 16 free requests a minute; the gateway makes at most 14"
    ]
