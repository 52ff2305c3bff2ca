"""A circuit breaker: after some failures in a row the gateway gets no calls for a while."""

import time
from collections.abc import Callable
from enum import Enum, IntEnum

from friday.llm import constants


class State(IntEnum):
    """Value of the breaker gauge."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Admission(Enum):
    """Whether a call may use the gateway; the caller returns it with the outcome."""

    REFUSED = "refused"
    PASS = "pass"  # noqa: S105 (no password)
    PROBE = "probe"


class CircuitBreaker:
    """Closed: every call may pass. Open: none. After the pause one call probes the gateway, and its outcome decides.

    The pause starts at `open_seconds` and doubles with every failed probe up to `max_open_seconds`.
    Not thread-safe: one event loop owns it.
    """

    def __init__(
        self,
        *,
        failures: int = constants.BREAKER_FAILURES,
        open_seconds: float = constants.BREAKER_OPEN_SECONDS,
        max_open_seconds: float = constants.BREAKER_MAX_OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._first_pause = open_seconds
        self._max_pause = max_open_seconds
        self._clock = clock
        self._failures = 0
        self._pause = open_seconds
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> State:
        """The current state; once the pause is over it is half open."""
        if self._opened_at is None:
            return State.CLOSED
        if self._probing or self._clock() - self._opened_at >= self._pause:
            return State.HALF_OPEN
        return State.OPEN

    def admit(self) -> Admission:
        """Return whether a call may pass now. PASS and PROBE must be followed by success, failure or release."""
        state = self.state
        if state is State.CLOSED:
            return Admission.PASS
        if state is State.OPEN or self._probing:
            return Admission.REFUSED
        self._probing = True
        return Admission.PROBE

    def success(self, _: Admission) -> None:
        """The gateway answered: close, even when the call began before the breaker opened."""
        self._failures = 0
        self._pause = self._first_pause
        self._opened_at = None
        self._probing = False

    def failure(self, admission: Admission) -> None:
        """The gateway did not answer. A failed probe opens again for longer; calls from before do not count."""
        if admission is Admission.PROBE:
            self._pause = min(self._pause * 2, self._max_pause)
            self._opened_at = self._clock()
            self._probing = False
        elif self._opened_at is None:
            self._failures += 1
            if self._failures >= self._limit:
                self._opened_at = self._clock()

    def release(self, admission: Admission) -> None:
        """The call showed nothing about the gateway (it was cancelled, for example): the next one may probe."""
        if admission is Admission.PROBE:
            self._probing = False
