"""The cache as a client of the gateway sees it, and what of it is counted."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from gateway import environment, state
from gateway.chat import Chats
from gateway.quota import Quota
from gateway.request_filter import Life, RequestFilter
from gateway.shared_count import WINDOW_SECONDS
from serving.drain import Receive, Scope, Send
from tests.unit.gateway.given import Answer, Client, Inner, at_work, calling, gateway, hello
from tests.unit.gateway.given_cached import turns

SETTINGS: dict[str, Any] = {"cache_seconds": 60, "cache_features": frozenset({"email_labels"})}


class CachingClient(Client):
    """A client of a gateway with a cache in memory, as `serve` puts it together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Answer = hello, **changed: Any) -> None:
        quota = changed.pop("quota", None) or Quota(100)
        super().__init__(answer, quota)
        made = gateway(**{**SETTINGS, **changed})
        monkeypatch.setattr(environment, "current", lambda: made)
        monkeypatch.setattr(state, "metrics", lambda: self.metrics)
        chats = Chats(self.inner, made, quota, self.metrics)
        answering = state.cached(chats.answer)
        inner = RequestFilter(
            answering, chats.check, made, quota, self.metrics, self._at_rest, Life(self._start, self._end)
        )

        async def settled(scope: Scope, receive: Receive, send: Send) -> None:
            await inner(scope, receive, send)
            await turns()  # an answer is kept after the client has it

        self.filter = cast("RequestFilter", settled)


def test_a_cached_answer_is_marked_and_is_the_same_byte_for_byte_under_every_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = CachingClient(monkeypatch)
    names = ("gemma-4-31b", "gemma-4-31b", "openrouter/google/gemma-4-31b-it:free")
    first, *others = [client.chat(model=name, temperature=0) for name in names]
    assert first.status_code == 200
    assert "x-gateway-cache" not in first.headers
    assert [answer.content for answer in others] == [first.content] * 2
    assert {answer.headers["x-gateway-cache"] for answer in others} == {"hit"}
    assert {answer.headers["x-gateway-model"] for answer in others} == {first.headers["x-gateway-model"]}
    assert len(client.inner.bodies) == 1
    counted = [client.counted("gateway_cache_requests_total", source=source) for source in ("miss", "hit", "shared")]
    assert (counted, client.counted("gateway_cache_stored_total")) == ([1, 2, 0], 1)


def test_the_feature_header_makes_a_request_cacheable_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CachingClient(monkeypatch)

    def ask(**headers: str) -> Any:
        body = {"model": "gemma-4-31b", "messages": [{"role": "user", "content": "Hi"}]}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.request("POST", "/v1/chat/completions", json=body, headers=sent).headers.get("x-gateway-cache")

    assert [ask(), ask(), ask(x_friday_feature="chat")] == [None] * 3
    assert [ask(x_friday_feature="email_labels") for _ in range(2)] == [None, "hit"]
    assert ask() is None
    assert client.counted("gateway_cache_skipped_total", reason="not_cacheable") == 4


def test_what_is_refused_is_refused_although_an_answer_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CachingClient(monkeypatch)
    assert client.chat(temperature=0).status_code == 200
    assert client.chat(temperature=0, models=["openai/gpt-4o"]).status_code == 403
    assert client.chat(temperature=0, model="openai/gpt-4o").status_code == 400
    assert client.request("POST", "/v1/chat/completions", key=None, json={}).status_code == 401


def test_while_the_quota_is_spent_the_cache_answers_and_all_else_is_told_how_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quota = Quota(1)
    client = CachingClient(monkeypatch, calling(quota), quota=quota)
    assert client.chat(temperature=0).status_code == 200
    for _ in range(2):
        refused = client.chat(temperature=0, seed=1)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "quota_spent")
        assert 0 < int(refused.headers["retry-after"]) <= WINDOW_SECONDS
        assert client.chat(temperature=0).headers["x-gateway-cache"] == "hit"


def test_a_hit_is_sent_as_a_stream_with_the_usage_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def spoken(inner: Inner) -> None:
        await hello(inner)
        context = at_work()
        context.plain = {**(context.plain or {}), "usage": {"total_tokens": 3}}

    client = CachingClient(monkeypatch, spoken)
    client.chat(temperature=0)
    answer = client.chat(temperature=0, stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-gateway-cache"] == "hit"
    *events, done = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert done == "[DONE]"
    chunks = [json.loads(event) for event in events]
    assert "".join(each["delta"].get("content", "") for chunk in chunks for each in chunk["choices"]) == "Hello"
    assert [chunk["usage"] for chunk in chunks if "usage" in chunk] == [{"total_tokens": 3}]


def test_without_the_setting_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CachingClient(monkeypatch, cache_seconds=0)
    assert [client.chat(temperature=0).headers.get("x-gateway-cache") for _ in range(2)] == [None, None]
    assert len(client.inner.bodies) == 2
