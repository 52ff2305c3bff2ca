"""Cached answers in Redis or memory: what is damaged or foreign is a miss, and a Redis that fails harms nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cached_store import LARGEST_BYTES, PAUSE_SECONDS, Found, Memory, Store

SECRET = b"the replicas share it"
TEXT = b'model\n{"choices":[]}'


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Failing:
    """A Redis that refuses every question, or does not answer it."""

    def __init__(self, *, hangs: bool) -> None:
        self.hangs = hangs
        self.asked = 0

    async def get(self, name: str) -> bytes | None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        raise ConnectionError

    async def set(self, name: str, value: bytes, seconds: int) -> None:
        await self.get(name)


def store(keeper: Memory | Failing | None = None, secret: bytes = SECRET, clock: Clock | None = None) -> Store:
    return Store(keeper or Memory(), secret=secret, seconds=60, clock=clock or Clock())


def kept(damage: Callable[[bytes], bytes], *, name: str = "a", read_as: str = "a", secret: bytes = SECRET) -> Found:
    async def keep_and_read() -> Found:
        memory = Memory()
        assert await store(memory).set(name, TEXT) == ""
        await memory.set(read_as, damage(await memory.get(name) or b""), 60)
        return await store(memory, secret).get(read_as)

    return asyncio.run(keep_and_read())


def test_what_was_kept_is_found_byte_for_byte() -> None:
    assert kept(lambda value: value) == Found(TEXT, "hit")
    assert asyncio.run(store().get("never kept")) == Found(None, "miss")


@given(st.integers(0, 10_000), st.binary(max_size=20))
def test_a_value_that_was_cut_or_changed_is_a_miss(at: int, instead: bytes) -> None:
    def damage(value: bytes) -> bytes:
        place = at % len(value)
        return value[:place] + instead

    whole = kept(lambda value: value)
    found = kept(damage)
    assert found == Found(None, "damaged") or found == whole


@pytest.mark.parametrize(
    "value", [b"", b"\n", b"friday-answer-1 0 \n", b'{"response": "of another program"}', b"\xff\x00"]
)
def test_a_value_of_another_program_is_a_miss(value: bytes) -> None:
    assert kept(lambda _: value) == Found(None, "damaged")


def test_a_value_is_worth_something_for_its_own_request_and_secret_only() -> None:
    assert kept(lambda value: value, read_as="b") == Found(None, "damaged")
    assert kept(lambda value: value, secret=b"another stack's") == Found(None, "damaged")
    assert kept(lambda value: value.replace(b"answer-1", b"answer-2")) == Found(None, "damaged")


def test_a_name_says_nothing_about_the_request() -> None:
    names = {store(secret=secret).name_of(request) for secret in (b"a", b"b") for request in (b"one", b"two")}
    assert len(names) == 4
    assert store().name_of(b"one") == store().name_of(b"one")


@pytest.mark.parametrize("hangs", [True, False])
def test_a_redis_that_fails_is_a_miss_and_is_left_alone_for_a_while(hangs: bool) -> None:
    async def use() -> None:
        keeper, clock = Failing(hangs=hangs), Clock()
        failing = store(keeper, clock=clock)
        async with asyncio.timeout(20):
            assert await failing.get("a") == Found(None, "away")
            assert [await failing.get("a"), await failing.set("a", TEXT)] == [Found(None, "away"), "away"]
            assert keeper.asked == 1
            clock.now += PAUSE_SECONDS
            assert await failing.set("a", TEXT) == "away"
            assert await failing.get("a") == Found(None, "away")
        assert keeper.asked == 2

    asyncio.run(use())


def test_an_answer_that_is_too_large_is_not_kept() -> None:
    assert asyncio.run(store().set("a", b"x" * LARGEST_BYTES)) == ""
    assert asyncio.run(store().set("a", b"x" * (LARGEST_BYTES + 1))) == "large"


def test_memory_keeps_what_was_used_last_within_its_size_and_time() -> None:
    async def use() -> None:
        clock = Clock()
        memory = Memory(largest=10, clock=clock)
        await memory.set("a", b"12345", 60)
        await memory.set("b", b"12345", 60)
        assert await memory.get("a") == b"12345"
        await memory.set("c", b"123", 30)
        assert [await memory.get(name) for name in "abc"] == [b"12345", None, b"123"]
        await memory.set("a", b"1234567", 60)
        assert [await memory.get(name) for name in "ac"] == [b"1234567", b"123"]
        clock.now += 30
        assert [await memory.get(name) for name in "ac"] == [b"1234567", None]
        await memory.set("b", b"12", 60)
        assert await memory.get("a") == b"1234567", "what is over takes no room"

    asyncio.run(use())
