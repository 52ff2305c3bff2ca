"""What all replicas let out together, with a real Redis whose answers get lost, whose memory and clock do not hold.

Only the clocks are the test's: each replica's, and the one that the script reads.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.quota import Quota
from gateway.shared_count import SCRIPT, WINDOW_SECONDS
from tests.integration.gateway_container import KEYS, redis

pytestmark = pytest.mark.engine
TIME = "redis.call('TIME')"
MINUTE = 60.0


class Connection:
    """Redis' protocol, as much of it as the script needs."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._file = self._socket.makefile("rb")
        self.command("AUTH", KEYS["redis_password"])

    def command(self, *words: object) -> Any:
        encoded = [str(word).encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)]
        self._socket.sendall(b"".join(parts))
        return self._reply()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _reply(self) -> Any:
        line = self._file.readline().strip()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return self._file.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        assert kind != b"-", line
        return int(rest) if kind == b":" else rest


class World:
    """Redis, the true time, and Redis' clock, which may differ from it by `offset` seconds."""

    def __init__(self, connection: Connection) -> None:
        assert SCRIPT.count(TIME) == 1
        self.connection = connection
        self.script = SCRIPT.replace(TIME, "redis.call('HMGET', 'test:time', 's', 'us')")
        self.now, self.offset = 1_000_000.0, 0.0

    def clock(self) -> float:
        return self.now

    def ask(self, keys: list[str], args: list[Any]) -> Any:
        seconds = self.now + self.offset
        self.connection.command("HSET", "test:time", "s", int(seconds), "us", int(seconds % 1 * 1e6))
        return self.connection.command("EVAL", self.script, len(keys), *keys, *args)


class Replica:
    """One gateway; `broken` says what its next questions to Redis meet."""

    def __init__(self, world: World, limit: int, replicas: int) -> None:
        self.broken = ""
        self._world = world
        self.quota = Quota(limit, replicas=replicas, shared=self._ask, clock=world.clock)
        self.do(self.quota.wait())

    async def _ask(self, keys: list[str], args: list[Any]) -> Any:
        if self.broken == "unreachable":
            raise ConnectionError
        found = self._world.ask(keys, args)
        if self.broken == "reply lost":
            raise TimeoutError
        return found

    @staticmethod
    def do(work: Any) -> int:
        """Run what is asked of a quota: nothing in this test ever waits."""
        return int(asyncio.run(work) or 0)


class Machine(RuleBasedStateMachine):
    """Replicas of one account; `left` has the true time of each call that was let out."""

    connection: Connection

    def __init__(self) -> None:
        super().__init__()
        self.connection.command("FLUSHALL")
        self.world = World(self.connection)
        self.replicas: list[Replica] = []
        self.limit, self.count = 0, 0
        self.left: list[float] = []
        self.replaced_at = self.failed_at = self.set_at = -1e9

    @precondition(lambda self: not self.replicas)
    @rule(limit=st.integers(1, 20), count=st.integers(1, 3))
    def start(self, limit: int, count: int) -> None:
        self.limit, self.count = limit, count
        self.replicas = [Replica(self.world, limit, count) for _ in range(count)]

    @precondition(lambda self: self.replicas)
    @rule(which=st.integers(0, 5), times=st.integers(1, 25))
    def burst(self, which: int, times: int) -> None:
        replica = self._replica(which)
        self.left += [self.world.now for _ in range(times) if not replica.do(replica.quota.take())]

    @precondition(lambda self: self.replicas)
    @rule(seconds=st.one_of(st.floats(0.01, 8), st.floats(8, 70)))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @precondition(lambda self: self._whole_for_a_window())
    @rule(which=st.integers(0, 5), how=st.sampled_from(["unreachable", "reply lost"]))
    def redis_is_lost_to_one(self, which: int, how: str) -> None:
        self._replica(which).broken = how
        self.failed_at = self.world.now

    @precondition(lambda self: self.replicas)
    @rule(which=st.integers(0, 5))
    def redis_answers_it_again(self, which: int) -> None:
        self._replica(which).broken = ""

    @precondition(lambda self: self._whole_for_a_window())
    @rule()
    def redis_forgets(self) -> None:
        self.connection.command("FLUSHALL")
        self.world.now += 0.01  # no restart is quicker
        self.failed_at = self.world.now

    @precondition(lambda self: self._whole_for_a_window() and self.world.now > self.set_at + WINDOW_SECONDS)
    @rule(seconds=st.sampled_from([-7200.0, -30.0, 30.0, 7200.0]))
    def the_clock_is_set(self, seconds: float) -> None:
        self.world.offset += seconds
        self.world.now += 0.01
        self.failed_at = self.set_at = self.world.now

    @precondition(lambda self: self._answered_for_a_window())
    @rule(which=st.integers(0, 5), orderly=st.booleans())
    def a_replica_is_replaced(self, which: int, orderly: bool) -> None:
        ended = self._replica(which)
        self.replicas.remove(ended)
        self.replicas.append(Replica(self.world, self.limit, self.count))
        if orderly:  # it serves until the new one does
            ended.do(ended.quota.end())
        self.replaced_at = self.world.now

    @precondition(lambda self: self._answered_for_a_window())
    @rule(which=st.integers(0, 5))
    def somebody_scrapes(self, which: int) -> None:
        replica = self._replica(which)
        replica.do(replica.quota.wait())

    @invariant()
    def no_minute_holds_more_than_the_limit(self) -> None:
        recent = [at for at in self.left if at > self.world.now - MINUTE]
        assert len(recent) <= self.limit, f"{len(recent)} calls within a minute"

    def _replica(self, which: int) -> Replica:
        return self.replicas[which % len(self.replicas)]

    def _whole_for_a_window(self) -> bool:
        return bool(self.replicas) and self.world.now > self.replaced_at + WINDOW_SECONDS

    def _answered_for_a_window(self) -> bool:
        well = not any(replica.broken for replica in self.replicas)
        return bool(self.replicas) and well and self.world.now > self.failed_at + WINDOW_SECONDS


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with redis() as (_, port), closing(Connection(port)) as made:
        yield made


def test_no_minute_ever_holds_more_than_the_limit(connection: Connection) -> None:
    machine = type("Machine", (Machine,), {"connection": connection})
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=60, stateful_step_count=40, suppress_health_check=checks),
    )


def test_one_replica_may_use_nearly_all_and_all_together_everything(connection: Connection) -> None:
    connection.command("FLUSHALL")
    world = World(connection)
    one, two = (Replica(world, 18, 2) for _ in range(2))
    assert [one.do(one.quota.take()) for _ in range(15)] == [0] * 14 + [62]
    assert [two.do(two.quota.take()) for _ in range(5)] == [0] * 4 + [62]
    assert one.quota.used == 14
    one.do(one.quota.wait())
    assert one.quota.used == 18
    world.now += WINDOW_SECONDS + 1
    assert [replica.do(replica.quota.take()) for _ in range(10) for replica in (one, two)].count(0) == 18


def test_several_updates_within_a_minute_leave_the_new_replicas_something(connection: Connection) -> None:
    connection.command("FLUSHALL")
    world = World(connection)
    for _ in range(6):
        replicas = [Replica(world, 18, 2) for _ in range(2)]
        assert [replica.do(replica.quota.take()) for replica in replicas] == [0, 0]
        for replica in replicas:
            replica.do(replica.quota.end())
            assert replica.do(replica.quota.take()) == 62
    last = Replica(world, 18, 2)
    assert last.quota.used == 12
    world.now += WINDOW_SECONDS + 1
    last.do(last.quota.wait())
    assert last.quota.used == 0
    assert connection.command("EXISTS", "friday-gateway:quota:ended") == 0


def test_a_limit_that_one_replica_learned_holds_for_all_at_once(connection: Connection) -> None:
    connection.command("FLUSHALL")
    world = World(connection)
    one, two = (Replica(world, 18, 2) for _ in range(2))
    assert [one.do(one.quota.take()) for _ in range(9)] == [0] * 9
    one.do(one.quota.learn(10))
    assert [two.do(two.quota.take()) for _ in range(2)] == [62, 62]
    assert (two.quota.limit, two.quota.account) == (9, 10)


def test_a_clock_that_was_set_stops_nobody_for_long(connection: Connection) -> None:
    connection.command("FLUSHALL")
    world = World(connection)
    one, two = (Replica(world, 18, 2) for _ in range(2))
    one.do(one.quota.take())
    world.offset -= 7200
    world.now += 1
    assert [replica.do(replica.quota.take()) for replica in (two, one)] == [0, 0]
    assert [two.do(two.quota.take()) for _ in range(9)] == [0] * 9
