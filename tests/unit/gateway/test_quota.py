"""The limit: never more than allowed in any sixty seconds, shared when Redis answers, a share when it does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.quota import REDIS_PAUSE_SECONDS, WINDOW_SECONDS, Quota, spent_for


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Redis:
    """Stands where the registered script stands; `replies` are milliseconds, or an error to raise."""

    def __init__(self, reply: int | Exception = 0) -> None:
        self.reply = reply
        self.calls: list[tuple[list[str], list[Any]]] = []

    async def __call__(self, keys: list[str], args: list[Any]) -> Any:
        self.calls.append((keys, args))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


class HangingRedis(Redis):
    async def __call__(self, keys: list[str], args: list[Any]) -> Any:
        await super().__call__(keys, args)
        await asyncio.sleep(60)


def take(quota: Quota, times: int = 1) -> list[int]:
    async def run() -> list[int]:
        return [await quota.take() for _ in range(times)]

    return asyncio.run(run())


def test_a_single_gateway_grants_its_limit_and_says_when_to_come_back() -> None:
    clock = Clock()
    quota = Quota(2, clock=clock)
    assert take(quota) == [0]
    clock.now += 20
    assert take(quota, 2) == [0, 40]
    clock.now += 40.5
    assert take(quota, 2) == [0, 20]


def test_replicas_without_redis_divide_the_limit() -> None:
    assert take(Quota(5, replicas=2, clock=Clock()), 3) == [0, 0, 60]


def test_a_limit_below_the_replicas_still_serves() -> None:
    assert take(Quota(1, replicas=3, clock=Clock()), 2) == [0, 60]


def test_redis_decides_while_it_answers() -> None:
    redis = Redis()
    quota = Quota(2, replicas=2, shared=redis, clock=Clock())
    assert take(quota, 3) == [0, 0, 0]
    redis.reply = 1500
    assert take(quota) == [2]
    assert quota.is_shared
    assert redis.calls[0][1][:2] == [60000, 2]
    assert len({call[1][2] for call in redis.calls}) == 4


def test_without_redis_the_share_holds_and_counts_what_redis_granted() -> None:
    clock = Clock()
    redis = Redis()
    quota = Quota(4, replicas=2, shared=redis, clock=clock)
    take(quota)
    redis.reply = ConnectionError()
    assert take(quota, 2) == [0, 60]
    assert not quota.is_shared


def test_a_failed_redis_is_left_alone_for_a_while_then_asked_again() -> None:
    clock = Clock()
    redis = Redis(ConnectionError())
    quota = Quota(100, replicas=2, shared=redis, clock=clock)
    take(quota, 5)
    assert len(redis.calls) == 1
    clock.now += REDIS_PAUSE_SECONDS
    redis.reply = 0
    take(quota, 2)
    assert len(redis.calls) == 3
    assert quota.is_shared


def test_asking_how_long_to_wait_counts_no_call() -> None:
    clock = Clock()
    quota = Quota(1, clock=clock)
    assert [asyncio.run(quota.wait()) for _ in range(2)] == [0, 0]
    assert take(quota, 2) == [0, 60]
    assert asyncio.run(quota.wait()) == 60


def test_redis_is_asked_how_long_to_wait_without_a_call_to_count() -> None:
    redis = Redis(1500)
    quota = Quota(4, replicas=2, shared=redis, clock=Clock())
    assert asyncio.run(quota.wait()) == 2
    assert redis.calls[0][1] == [60000, 4, ""]
    redis.reply = ConnectionError()
    assert asyncio.run(quota.wait()) == 0
    assert not quota.is_shared


def test_a_redis_that_hangs_does_not_hold_a_user_up() -> None:
    redis = HangingRedis()
    quota = Quota(4, replicas=2, shared=redis)

    async def run() -> int:
        return await asyncio.wait_for(quota.take(), timeout=5)

    assert asyncio.run(run()) == 0
    assert not quota.is_shared


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Rate limit exceeded: free-models-per-min. ", 20),
        ("Rate limit exceeded: free-models-per-day. Add 10 credits", 86_400 - 3_640),
        ("Rate limit exceeded: free-models-per-day-high-balance.", 86_400 - 3_640),
        ("google/gemma-4-31b-it:free is temporarily rate-limited upstream", 0),
        ("", 0),
    ],
)
def test_openrouters_word_for_a_spent_account_is_told_from_a_busy_model(said: str, seconds: int) -> None:
    assert spent_for(said, now=20_000 * 86_400 + 3_640.0) == seconds


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 6), st.lists(st.floats(0, 30), max_size=60))
def test_no_sixty_seconds_ever_hold_more_than_the_limit(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    quota = Quota(limit, clock=clock)
    granted: list[float] = []
    for pause in pauses:
        clock.now += pause
        if take(quota) == [0]:
            granted.append(clock.now)
    for first, last in zip(granted, granted[limit:], strict=False):
        assert last - first >= WINDOW_SECONDS
