"""One replica's side of the limit: what it asks of Redis, what it reports, and its share without Redis.

What all replicas do together is in tests/integration/test_shared_count.py, with a real Redis.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.quota import LEARNED_SECONDS, REDIS_PAUSE_SECONDS, Quota, spent_for
from gateway.shared_count import WINDOW_SECONDS, within_turns

EPOCH = b"1000-one"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Redis:
    """Stands where the registered script stands; `replies` are milliseconds to wait, whole replies, or errors."""

    def __init__(self, *replies: int | Exception | list[Any], covered: int = 1, account: int = 0) -> None:
        self.replies = list(replies)
        self.covered = covered
        self.account = account
        self.calls: list[list[Any]] = []

    async def __call__(self, keys: list[str], args: list[Any]) -> Any:
        self.calls.append(args)
        reply = self.replies.pop(0) if len(self.replies) > 1 else (self.replies or [0])[0]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, list) else [reply, EPOCH, 5000, self.covered, 7, self.account]

    @property
    def reported(self) -> list[list[Any]]:
        """Return the names of the calls that each question reported."""
        return [args[13::2] for args in self.calls]


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
    assert take(quota, 2) == [0, 42]
    clock.now += 42.5
    assert take(quota, 2) == [0, 20]
    assert quota.used == 2


def test_replicas_without_redis_divide_the_limit() -> None:
    assert take(Quota(5, replicas=2, clock=Clock()), 3) == [0, 0, 62]
    assert take(Quota(1, replicas=3, clock=Clock())) == [62], "three would be more than one"


def test_redis_decides_while_it_answers() -> None:
    redis = Redis(0, 0, 0, 1500)
    quota = Quota(2, replicas=2, shared=redis, clock=Clock())
    assert take(quota, 4) == [0, 0, 0, 2]
    assert quota.is_shared
    assert quota.used == 7
    assert redis.calls[0][:3] == [62000, 2, 2]
    assert len({args[3] for args in redis.calls}) == 1, "the replica's own name"
    assert len({args[4] for args in redis.calls}) == 4, "a name for each call"


def test_each_question_says_what_the_last_reply_said_and_how_long_ago() -> None:
    clock = Clock()
    redis = Redis()
    quota = Quota(9, replicas=2, shared=redis, clock=clock)
    take(quota)
    clock.now += 1.5
    take(quota)
    assert [args[5:8] for args in redis.calls] == [["", 0, 0], ["1000-one", 5000, 1500]]


def test_without_redis_a_share_holds_and_counts_what_redis_granted() -> None:
    redis = Redis(0, ConnectionError())
    quota = Quota(8, replicas=2, shared=redis, clock=Clock())
    assert take(quota, 3) == [0, 0, 62]
    assert not quota.is_shared
    assert quota.used == 2


def test_a_new_replica_has_a_share_only_when_redis_vouched_for_it_or_after_a_window() -> None:
    clock = Clock()
    quota = Quota(8, replicas=2, shared=Redis(0, ConnectionError(), covered=0), clock=clock)
    assert take(quota, 2) == [0, 62]
    clock.now += WINDOW_SECONDS
    assert take(quota, 3) == [0, 0, 62]


def test_what_was_granted_without_redis_is_reported_to_it_once() -> None:
    clock = Clock()
    redis = Redis(0, ConnectionError(), 0)
    quota = Quota(20, replicas=2, shared=redis, clock=clock)
    take(quota, 3)
    clock.now += REDIS_PAUSE_SECONDS
    take(quota, 2)
    assert redis.reported == [[], [], ["1", "2"], []]
    assert redis.calls[2][14] == 5000, "its age"


def test_a_redis_that_lost_everything_is_told_everything() -> None:
    lost = [-1, b"9000-two", 9000, 0, 0, 0]
    redis = Redis(0, 0, lost, [0, b"9000-two", 9000, 0, 3, 0])
    quota = Quota(9, replicas=2, shared=redis, clock=Clock())
    take(quota, 3)
    assert redis.reported == [[], [], [], ["0", "1"]]
    assert [args[9] for args in redis.calls] == [1, 0, 0, 1], "whether the report is everything"
    take(quota)
    assert redis.reported[-1] == []


def test_a_redis_that_forgets_at_once_is_none() -> None:
    quota = Quota(9, replicas=2, shared=Redis([-1, EPOCH, 0, 0, 0, 0]), clock=Clock())
    assert take(quota) == [62]
    assert not quota.is_shared


def test_a_failed_redis_is_left_alone_for_a_while_then_asked_again() -> None:
    clock = Clock()
    redis = Redis(ConnectionError(), 0)
    quota = Quota(100, replicas=2, shared=redis, clock=clock)
    take(quota, 5)
    assert len(redis.calls) == 1
    clock.now += REDIS_PAUSE_SECONDS
    take(quota, 2)
    assert len(redis.calls) == 3
    assert quota.is_shared


def test_asking_how_long_to_wait_counts_no_call() -> None:
    quota = Quota(1, clock=Clock())
    assert [asyncio.run(quota.wait()) for _ in range(2)] == [0, 0]
    assert take(quota, 2) == [0, 62]
    assert asyncio.run(quota.wait()) == 62
    redis = Redis(1500)
    shared = Quota(4, replicas=2, shared=redis, clock=Clock())
    assert asyncio.run(shared.wait()) == 2
    assert redis.calls[0][4] == ""


def test_one_that_ends_says_so_and_makes_no_more_calls() -> None:
    redis = Redis(0)
    quota = Quota(18, replicas=2, shared=redis, clock=Clock())
    assert take(quota) == [0]
    asyncio.run(quota.end())
    assert [args[12] for args in redis.calls] == [0, 1]
    assert take(quota) == [62]
    assert len(redis.calls) == 2


def test_a_refusal_is_repeated_for_a_moment_without_asking() -> None:
    clock = Clock()
    redis = Redis(9500)
    quota = Quota(4, replicas=2, shared=redis, clock=clock)
    assert (quota.refused_for(), take(quota), quota.refused_for()) == (0, [10], 10)
    clock.now += 1
    assert quota.refused_for() == 0
    assert len(redis.calls) == 1


def test_a_redis_that_hangs_does_not_hold_a_user_up() -> None:
    quota = Quota(8, replicas=2, shared=HangingRedis())
    assert asyncio.run(asyncio.wait_for(quota.take(), timeout=5)) > 0
    assert not quota.is_shared


def test_calls_that_redis_may_have_counted_use_up_the_share() -> None:
    async def run() -> list[int]:
        quota = Quota(8, replicas=2, shared=HangingRedis(), clock=Clock())
        quota._covered = True
        return sorted(await asyncio.gather(*(quota.take() for _ in range(5))))

    assert asyncio.run(run()) == [0, 0, 62, 62, 62]


def test_a_busy_loop_is_no_silence_of_redis() -> None:
    """Everything takes longer than the time limit, but each answer is there when the loop looks."""

    async def answer() -> str:
        for _ in range(4):
            await asyncio.sleep(0)
        return "answer"

    async def run() -> Any:
        async def block() -> None:
            for _ in range(8):
                time.sleep(0.02)
                await asyncio.sleep(0)

        blocking = asyncio.ensure_future(block())
        found = await within_turns(answer(), seconds=0.01)
        await blocking
        return found

    assert asyncio.run(run()) == "answer"


def test_the_accounts_limit_is_obeyed_for_an_hour_and_told_to_the_others() -> None:
    clock = Clock()
    redis = Redis()
    quota = Quota(18, replicas=2, shared=redis, clock=clock)
    assert asyncio.run(quota.learn(16)) is True
    assert redis.calls[-1][10:12] == [16, 3_600_000]
    redis.account = 16
    assert (asyncio.run(quota.learn(16)), quota.limit, quota.account) == (False, 14, 16)
    asyncio.run(quota.learn(100))
    assert quota.limit == 18, "never above the setting"
    clock.now += LEARNED_SECONDS
    assert (quota.limit, quota.account) == (18, 0)


def test_what_another_replica_learned_is_obeyed_too() -> None:
    redis = Redis(account=10)
    quota = Quota(18, replicas=2, shared=redis, clock=Clock())
    take(quota)
    assert (quota.limit, quota.account) == (9, 10)
    redis.account = 0
    take(quota)
    assert quota.limit == 18


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


@settings(max_examples=50)
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
        assert last - first >= WINDOW_SECONDS - 1e-6
