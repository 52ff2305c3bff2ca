"""The gateway keeps to its quota: every call that leaves is counted, by all replicas together, and nothing else is."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator

import pytest

from components.catalogue import Catalogue, default_models
from tests.integration.gateway_container import error_of, gateway, redis
from tests.integration.gateway_upstream import Upstream

pytestmark = pytest.mark.engine
IDS = [model.id for model in Catalogue(models=default_models()).models]
FIRST, SECOND = IDS[0], IDS[1]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


def test_the_quota_counts_every_attempt_and_is_answered_at_once(upstream: Upstream) -> None:
    upstream.reset(**{FIRST: "500"})
    with gateway(upstream, requests_per_minute=5) as running:
        answers = [running.chat(model=name) for name in ("gemma-4-31b", "gemma-4-31b", "minimax-m3", "minimax-m3")]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert len(upstream.received) == 5
        took, answer = running.timed_chat()
        assert error_of(answer) == "quota_spent"
        assert 1 <= int(answer.headers["retry-after"]) <= 62
        assert took < 2, "a place in the next minute is not waited for"


def test_a_fallback_that_the_quota_forbids_is_429_and_cools_nobody(upstream: Upstream) -> None:
    upstream.reset(**{FIRST: "500"})
    with gateway(upstream, requests_per_minute=1) as running:
        answer = running.chat()
        assert (answer.status_code, error_of(answer)) == (429, "quota_spent")
        assert upstream.models == [FIRST]
        assert not running.metric("gateway_model_rest_seconds_total")


def test_two_replicas_share_the_quota_and_the_cooldowns(upstream: Upstream) -> None:
    with (
        redis() as (_, port),
        gateway(upstream, requests_per_minute=12, redis_port=port, GATEWAY_REPLICAS="2") as one,
        gateway(upstream, requests_per_minute=12, redis_port=port, GATEWAY_REPLICAS="2") as two,
    ):
        upstream.reset(**{FIRST: "429"})
        assert [replica.chat().status_code for replica in (one, two)] == [200, 200]
        assert upstream.models in ([FIRST, SECOND, SECOND], [FIRST, SECOND, FIRST, SECOND])
        upstream.faults = {}
        spent = len(upstream.received)
        statuses = [replica.chat(model="gpt-oss-20b").status_code for _ in range(7) for replica in (one, two)]
        assert statuses.count(200) == 12 - spent
        assert len(upstream.received) == 12
        assert [replica.metric("gateway_quota_used") for replica in (one, two)] == [12, 12]
        assert [replica.metric("gateway_quota_shared") for replica in (one, two)] == [1, 1]


@pytest.mark.parametrize("how", ["dead", "hung"])
def test_without_redis_users_are_served_within_the_replicas_share(upstream: Upstream, how: str) -> None:
    with (
        redis() as (store, port),
        gateway(upstream, requests_per_minute=28, redis_port=port, GATEWAY_REPLICAS="2") as running,
        gateway(upstream, requests_per_minute=28, redis_port=port, GATEWAY_REPLICAS="2"),
    ):
        assert running.chat().status_code == 200
        store.kill() if how == "dead" else store.pause()
        upstream.reset(**{FIRST: "500"})  # LiteLLM asks Redis above all when a model failed
        answers = [running.timed_chat() for _ in range(6)]
        assert [answer.status_code for _, answer in answers] == [200, 200, 200, 200, 429, 429]
        assert max(took for took, _ in answers) < 5
        assert len(upstream.received) == 28 // 4 - 1
        assert running.metric("gateway_quota_shared") == 0


def test_a_burst_over_two_replicas_lets_out_the_limit_and_no_more(upstream: Upstream) -> None:
    with (
        redis() as (_, port),
        gateway(upstream, requests_per_minute=18, redis_port=port, GATEWAY_REPLICAS="2") as one,
        gateway(upstream, requests_per_minute=18, redis_port=port, GATEWAY_REPLICAS="2") as two,
        concurrent.futures.ThreadPoolExecutor(20) as pool,
    ):
        statuses = list(pool.map(lambda number: (one, two)[number % 2].chat().status_code, range(20)))
        assert sorted(statuses) == [200] * 18 + [429] * 2
        assert len(upstream.received) == 18
        assert [replica.metric("gateway_quota_shared") for replica in (one, two)] == [1, 1]


def test_every_call_that_arrives_is_counted_also_of_a_broken_connection(upstream: Upstream) -> None:
    upstream.reset(**{"*": "reset"})
    with gateway(upstream) as running:
        assert running.chat().status_code >= 500
        assert len(upstream.received) == running.metric("gateway_upstream_attempts_total") == len(IDS)


def test_the_limit_that_openrouter_names_is_learned_shown_and_obeyed(upstream: Upstream) -> None:
    upstream.reset(**{"*": "minute-10"})
    with gateway(upstream, requests_per_minute=18) as running:
        answers = [running.chat() for _ in range(12)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
        assert {error_of(answer) for answer in answers[10:]} == {"quota_spent"}
        assert len(upstream.received) == 11, "the last one did not leave"
        assert running.metric("gateway_quota_account_requests_per_minute") == 10
        assert running.metric("gateway_quota_requests_per_minute") == 9
        assert "allows this account 10 free requests a minute; the gateway makes at most 9" in running.logs
