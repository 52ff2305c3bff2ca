"""The cache in the gateway's own image, with a real Redis: what one replica was answered, the other one knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from docker.models.containers import Container

from components.catalogue import Catalogue, default_models
from components.free_models import RouterTuning
from testing.meanwhile import until
from tests.integration.gateway_container import KEYS, GatewayContainer, gateway, redis
from tests.integration.gateway_upstream import Upstream

pytestmark = pytest.mark.engine
FIRST = Catalogue(models=default_models()).models[0].id
TUNING = RouterTuning(cache_ttl_seconds=600, cache_features=("chat",))
CUT = "local v = redis.call('GET', KEYS[1]); redis.call('SET', KEYS[1], string.sub(v, 1, -4)); return #v"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _clean(upstream: Upstream) -> None:
    upstream.reset()


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[Container, int]]:
    with redis() as made:
        yield made


@pytest.fixture(scope="module")
def two(upstream: Upstream, store: tuple[Container, int]) -> Iterator[tuple[GatewayContainer, GatewayContainer]]:
    """Two replicas that share a Redis."""
    options: dict[str, Any] = {"tuning": TUNING, "redis_port": store[1], "GATEWAY_REPLICAS": "2"}
    with gateway(upstream, **options) as one, gateway(upstream, **options) as other:
        yield one, other


def ask(replica: GatewayContainer, seed: int, **fields: Any) -> httpx.Response:
    """Ask what nobody has asked with another seed."""
    answer = replica.chat(temperature=0, seed=seed, **fields)
    assert answer.status_code == 200, answer.text
    return answer


def said(answer: httpx.Response) -> str:
    """Return the text of an answer, plain or a stream that ended well."""
    if "event-stream" not in answer.headers["content-type"]:
        return str(answer.json()["choices"][0]["message"]["content"])
    *events, done = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert done == "[DONE]"
    choices = [choice for event in events for choice in json.loads(event)["choices"]]
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["stop"]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def in_redis(store: Container, port: int, *words: str) -> str:
    command = ["redis-cli", "-p", str(port), "-a", KEYS["redis_password"], "--no-auth-warning", *words]
    code, output = store.exec_run(command)
    assert code == 0 and isinstance(output, bytes), output
    return output.decode().strip()


def ask_first(store: tuple[Container, int], replica: GatewayContainer, seed: int, **fields: Any) -> httpx.Response:
    """Ask for the first time, and wait until Redis has the answer: it is kept after the client has it."""
    before = names(store)
    answer = ask(replica, seed, **fields)
    assert "x-gateway-cache" not in answer.headers
    until(lambda: names(store) > before, lambda: "the answer is not kept", 20)
    return answer


def names(store: tuple[Container, int]) -> set[str]:
    return set(in_redis(*store, "KEYS", "friday-gateway:answer:*").splitlines())


@pytest.mark.parametrize("streams", [True, False])
def test_what_one_replica_was_answered_the_other_one_serves_as_a_stream_or_plain(
    upstream: Upstream,
    store: tuple[Container, int],
    two: tuple[GatewayContainer, GatewayContainer],
    streams: bool,
) -> None:
    first = ask_first(store, two[0], 1 + streams, stream=streams)
    others = [ask(two[1], 1 + streams, stream=not streams), ask(two[1], 1 + streams, stream=streams)]
    assert {said(answer) for answer in (first, *others)} == {said(first)}
    assert said(first)
    assert [answer.headers.get("x-gateway-cache") for answer in others] == ["hit", "hit"]
    assert {answer.headers["x-gateway-model"] for answer in (first, *others)} == {FIRST}
    assert len(upstream.received) == 1


def test_the_same_plain_answer_is_the_same_byte_for_byte_under_every_name(
    upstream: Upstream, store: tuple[Container, int], two: tuple[GatewayContainer, GatewayContainer]
) -> None:
    first = ask_first(store, two[0], 3)
    assert ask(two[0], 3).content == first.content
    assert ask(two[1], 3, model=f"openrouter/{FIRST}").content == first.content
    assert len(upstream.received) == 1


def test_what_is_not_cacheable_or_differs_in_a_dropped_field_is_asked_for(
    upstream: Upstream, two: tuple[GatewayContainer, GatewayContainer]
) -> None:
    for user in ("alice", "bob"):
        assert "x-gateway-cache" not in ask(two[0], 4, user=user).headers
    marked = {"x-friday-feature": "chat"}
    body = {"model": "gemma-4-31b", "messages": [{"role": "user", "content": "Hi"}], "temperature": 1}
    found = [
        two[0].request("POST", "/v1/chat/completions", json=body, headers=headers).headers.get("x-gateway-cache")
        for headers in ({}, {}, marked, marked, {})
    ]
    assert found == [None, None, None, "hit", None]
    assert len(upstream.received) == 2 + 4


def test_a_value_that_redis_cut_is_asked_for_again(
    upstream: Upstream, store: tuple[Container, int], two: tuple[GatewayContainer, GatewayContainer]
) -> None:
    before = names(store)
    first = ask_first(store, two[0], 5)
    (name,) = names(store) - before
    assert int(in_redis(*store, "EVAL", CUT, "1", name)) > 100
    assert "x-gateway-cache" not in ask(two[1], 5).headers
    assert ask(two[1], 5).headers["x-gateway-cache"] == "hit"
    assert said(first) == "hello"
    assert len(upstream.received) == 2


@pytest.mark.parametrize("how", ["dead", "hung"])
def test_without_redis_there_is_no_cache_and_no_failure(upstream: Upstream, how: str) -> None:
    with redis() as (own, port), gateway(upstream, tuning=TUNING, redis_port=port) as replica:
        assert [ask(replica, 1).headers.get("x-gateway-cache") for _ in range(2)] == [None, "hit"]
        own.kill() if how == "dead" else own.pause()
        assert [ask(replica, 1).headers.get("x-gateway-cache") for _ in range(3)] == [None] * 3
        assert said(ask(replica, 1, stream=True)) == said(ask(replica, 2, stream=True))
        assert len(upstream.received) == 1 + 3 + 2
