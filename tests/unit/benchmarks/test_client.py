"""The measurements of the client and of a stopped gateway: their load, their arithmetic, their own process."""

import asyncio
import itertools
from collections.abc import Callable, Iterator

import pytest

from benchmarks.http_client import PATH_HEADER
from benchmarks.load import OK, Record, describe, failures, run_users
from benchmarks.measures import client
from benchmarks.measures.client import added, growth
from benchmarks.measures.gateway_stopped import chat_on_gateway, check_seen, evaluate
from benchmarks.upstream import simulator
from testing.ports import free_ports


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with simulator(1) as url:
        yield url


def closed() -> str:
    return f"http://127.0.0.1:{free_ports(1)[0]}/api/v1"


def times(count: int) -> Callable[[], bool]:
    asked = itertools.count()
    return lambda: next(asked) >= count


def test_users_ask_at_once_and_again_once_answered() -> None:
    running, most, of_user = 0, 0, [0] * 4

    async def ask(user: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        of_user[user] += 1
        await asyncio.sleep(0.001)
        running -= 1

    assert asyncio.run(run_users(ask, times(12), users=4)) == {OK: 12}
    assert (most, of_user) == (4, [3] * 4)


def test_users_go_on_after_an_error_and_it_is_counted() -> None:
    async def ask(user: int) -> None:
        await asyncio.sleep(0)
        if user == 1:
            raise TimeoutError

    outcomes = asyncio.run(run_users(ask, times(10), users=2))
    assert outcomes == {OK: 5, "TimeoutError": 5}
    assert failures(outcomes) == {"TimeoutError": 5}
    assert describe(10, failures(outcomes)) == "of 10, 5 TimeoutError"


def test_every_way_is_called_and_its_processor_time_found(upstream: str) -> None:
    found = asyncio.run(client.processor(upstream, rounds=2, calls=20))
    assert {way: len(values) for way, values in found.numbers.items()} == {"plain": 2, "client": 2}
    assert all(value > 0 for values in found.numbers.values() for value in values)
    assert (found.calls, found.failed) == (40, {}), "of invoke_llm, in two rounds"


def test_memory_is_read_after_the_warm_up_and_as_often_after_it(upstream: str) -> None:
    found = asyncio.run(client.memory(upstream, warm_up=5, calls=15))
    assert (found.calls, found.failed) == (15, {})
    assert len(found.numbers["resident"]) == 3
    assert min(found.numbers["resident"]) > 10_000_000, "bytes of a Python process, not pages"


def test_calls_that_fail_end_the_memory_run_and_are_counted() -> None:
    found = asyncio.run(client.memory(closed(), warm_up=3, calls=9))
    assert (found.calls, found.failed) == (3, {"Unavailable": 3})


def test_without_an_upstream_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(RuntimeError, match=r"httpx alone failed, of 4, 4 ConnectError"):
        asyncio.run(client.processor(closed(), rounds=1, calls=4))


def test_only_this_machine_is_called() -> None:
    with pytest.raises(ValueError, match="this machine only"):
        asyncio.run(client.memory("http://10.0.0.1/api/v1"))


def test_a_process_that_fails_is_an_error_with_what_it_said() -> None:
    with pytest.raises(ValueError, match="this machine only"):
        client.in_own_process(client.memory, "http://10.0.0.1/api/v1")


def test_what_the_client_adds_is_the_difference_of_each_round() -> None:
    assert added({"plain": [1.0, 2.0], "client": [1.25, 1.5]}) == (0.25, -0.5)


def test_growth_is_from_the_warm_up_to_the_end() -> None:
    assert growth([60_000_000, 70_000_000, 63_000_000]) == 3
    assert growth([60_000_000, 59_000_000]) == -1


def test_the_hundred_users_are_different_and_all_below_50_percent() -> None:
    users = {chat_on_gateway(number).body["user_id"] for number in range(200)}
    assert len(users) == 100
    assert all(user % 100 < 50 for user in users)


def answer(start: float, milliseconds: float, path: str = "litellm", error: str | None = None) -> Record:
    headers = {} if error else {PATH_HEADER: path}
    return Record(0, start, start + 0.002, milliseconds / 1000, error, headers)


def test_what_a_stop_costs_is_counted_from_the_median_before_it() -> None:
    before = [answer(n / 10, 300 + n) for n in range(21)]
    under_way = [answer(9.9, 900, "fallback")]
    after = [answer(10 + n / 10, 320, "fallback") for n in range(38)]
    stop = evaluate([*before, *under_way, *after, answer(11, 30_000, error="timeout")], ended_at=10)
    assert (stop.requests, stop.failed) == (61, {"timeout": 1})
    assert stop.extra_max == pytest.approx(900 - 310)
    assert stop.extra_p95 == pytest.approx(320 - 310)
    assert "310 ms; p95 was 319 ms, max 320 ms" in stop.note
    assert "2 ms late" in stop.note


def test_a_busy_machine_gives_no_figure() -> None:
    with pytest.raises(RuntimeError, match="too busy: answers of 300 ms took 700 ms"):
        evaluate([answer(1, 700), answer(11, 400, "fallback")], ended_at=10)


@pytest.mark.parametrize(
    ("before", "after"), [(["direct"], ["fallback"]), (["litellm"], ["litellm"]), ([], ["fallback"]), (["litellm"], [])]
)
def test_a_stop_that_was_not_seen_is_no_figure(before: list[str], after: list[str]) -> None:
    with pytest.raises(RuntimeError, match="no answer of the gateway was seen"):
        check_seen(before, after)
    check_seen(["litellm"], ["litellm", "fallback"])
