"""Rests begin after failures that are a model's or a provider's, and what is left of them counts down."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.quota import REDIS_PAUSE_SECONDS
from gateway.rests import LONGEST_SECONDS, Rest, Rests
from serving.causes import BROKEN, TIMEOUT, UNREACHABLE, classify

MODELS = ("a:free", "b:free")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def failed(rests: Rests, *causes: Any, model: str = "a:free", retry_after: float | None = None) -> list[float]:
    return [asyncio.run(rests.failed(model, cause, retry_after)) for cause in causes]


def resting(rests: Rests) -> dict[str, Rest]:
    return asyncio.run(rests.resting(MODELS))


def test_a_rest_counts_down_and_ends() -> None:
    clock = Clock()
    rests = Rests(60, 1, clock=clock)
    assert failed(rests, TIMEOUT) == [60]
    clock.now += 18
    assert resting(rests) == {"a:free": Rest(42, "timeout")}
    clock.now += 42
    assert resting(rests) == {}


@pytest.mark.parametrize("cause", [UNREACHABLE, classify(400, b""), classify(401, b"")])
def test_nobody_rests_for_the_fault_of_others(cause: Any) -> None:
    assert failed(Rests(60, 0), cause, cause) == [0, 0]


def test_broken_answers_are_allowed_so_many_times_a_minute() -> None:
    clock = Clock()
    rests = Rests(60, 1, clock=clock)
    assert failed(rests, BROKEN) == [0]
    clock.now += 61
    assert failed(rests, BROKEN, BROKEN, BROKEN) == [0, 60, 0]


def test_a_rest_is_as_long_as_the_upstream_asks_within_an_hour() -> None:
    assert failed(Rests(60, 1), TIMEOUT, retry_after=7) == [7]
    assert failed(Rests(60, 1), TIMEOUT, retry_after=86_400) == [LONGEST_SECONDS]


def test_redis_decides_for_all_replicas_and_a_dead_one_for_none() -> None:
    clock, calls = Clock(), []

    async def begin(keys: list[str], values: list[Any]) -> int:
        calls.append((keys, values))
        return 1

    async def left(keys: list[str], values: list[Any]) -> list[Any]:
        return [-2, b"", 2500, b"busy"]

    rests = Rests(60, 1, shared=(begin, left), clock=clock)
    assert failed(rests, BROKEN) == [60]  # another replica has counted the first one
    assert calls == [(["friday-gateway:rest:a:free", "friday-gateway:fails:a:free"], [60_000, 1, 60_000, "broken"])]
    assert resting(rests) == {"a:free": Rest(60, "broken"), "b:free": Rest(2.5, "busy")}

    async def dead(keys: list[str], values: list[Any]) -> int:
        calls.append((keys, values))
        raise ConnectionError

    alone = Rests(60, 1, shared=(dead, dead), clock=clock)
    assert failed(alone, TIMEOUT) == [60]
    assert resting(alone) == {"a:free": Rest(60, "timeout")}
    assert len(calls) == 2  # it is left alone for a while after the first failure
    clock.now += REDIS_PAUSE_SECONDS
    assert resting(alone) == {"a:free": Rest(60 - REDIS_PAUSE_SECONDS, "timeout")}
    assert len(calls) == 3
