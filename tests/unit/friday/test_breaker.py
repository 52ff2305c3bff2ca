"""The circuit breaker on a hand-moved clock."""

import pytest

from friday.llm.breaker import Admission, CircuitBreaker, State


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, open_seconds=2, max_open_seconds=5, clock=clock)


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.failure(breaker.admit())


def state(breaker: CircuitBreaker) -> State:
    """Through a call, because a type checker takes a property that was compared for settled."""
    return breaker.state


def test_opens_after_failures_in_a_row(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    breaker.success(breaker.admit())
    fail(breaker, 2)
    assert state(breaker) == State.CLOSED
    fail(breaker)
    assert state(breaker) == State.OPEN
    assert breaker.admit() == Admission.REFUSED


def test_one_probe_after_the_pause_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 1.99
    assert breaker.admit() == Admission.REFUSED
    clock.now = 2
    assert state(breaker) == State.HALF_OPEN
    probe = breaker.admit()
    assert probe is Admission.PROBE
    assert breaker.admit() == Admission.REFUSED
    breaker.success(probe)
    assert state(breaker) == State.CLOSED
    assert breaker.admit() == Admission.PASS


def test_failed_probes_double_the_pause_up_to_the_limit(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    for pause in (2, 4, 5, 5):
        clock.now += pause - 0.01
        assert breaker.admit() == Admission.REFUSED
        clock.now += 0.01
        fail(breaker)
    clock.now += 5
    breaker.success(breaker.admit())
    fail(breaker, 3)
    clock.now += 2
    assert breaker.admit() == Admission.PROBE, "a success starts over with the short pause"


def test_calls_from_before_the_opening_do_not_disturb_the_probe(breaker: CircuitBreaker, clock: Clock) -> None:
    late = breaker.admit()
    fail(breaker, 3)
    breaker.failure(late)
    clock.now = 2
    probe = breaker.admit()
    breaker.failure(late)
    assert breaker.admit() == Admission.REFUSED
    breaker.success(probe)
    assert state(breaker) == State.CLOSED


def test_a_cancelled_probe_lets_the_next_one_try(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 2
    breaker.release(breaker.admit())
    assert breaker.admit() == Admission.PROBE
    breaker.release(Admission.PASS)
    assert breaker.admit() == Admission.REFUSED, "only the probe itself can give up the probe"
