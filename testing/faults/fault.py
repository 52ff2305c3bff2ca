"""What a fault is: how it begins and ends, and what users were promised for it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

Place = TypeVar("Place")
"""Where a fault happens: a stack, or the host that it runs on."""

STEADY_SECONDS = 15.0
"""The longest that any call may take while there is another path, and the usual time for all to be as before."""


class Promise(Enum):
    """What becomes of the calls of users while a fault lasts."""

    ANSWERED = "0 calls fail"
    REFUSED = "clear errors"
    """There is no other path: a call gets an error that says what happened and what to do."""
    ENDED = "errors; what runs ends"
    """A replica died or hangs with calls that must not be asked twice: those end with an error, and no others fail."""
    CUT = "connections end"
    """Nothing is there that could answer."""


@dataclass(frozen=True)
class Fault(Generic[Place]):
    """One fault. `happens` begins it, and ends it when it is left. All times are in seconds."""

    name: str
    begins: str
    ends: str
    notice: str
    """What users notice, in words."""
    promise: Promise
    happens: Callable[[Place], AbstractContextManager[object]]
    lasts: float
    """How long it stays before it is ended."""
    slowest: float = STEADY_SECONDS
    """The longest that a call of a user takes meanwhile, with an answer or with an error."""
    back: float = STEADY_SECONDS
    """How long after its end each user is served on the path that is his own."""


DEADLINE_SECONDS, REST_SECONDS = 10, 5
"""`LLM_DEADLINE_SECONDS` and `router.cooldownSeconds` of the stack that the faults are played on: short ones.

By default a call has 30 s, and a model that failed is left out for 60 s.
"""
