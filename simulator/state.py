"""The state of one running simulator, and its reset."""

import datetime as dt
import random
import time
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request

from simulator.accounts import Accounts, Bill
from simulator.catalogue import Catalogue
from simulator.config import Settings
from simulator.distributions import Fixed
from simulator.faults import FaultBook
from simulator.journal import Generation, Journal

KEPT_GENERATIONS = 1_000
GENERATION_DELAY_SECONDS = 0.5
"""`GET /generation` answers 404 for this time, as the real one does for a moment."""


class Clock:
    """Epoch seconds that can be moved forward, so that a test can cross midnight."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset = 0.0

    def now(self) -> float:
        """Return the epoch seconds, UTC."""
        return self._source() + self.offset

    def today(self) -> dt.date:
        """Return the UTC day."""
        return dt.datetime.fromtimestamp(self.now(), dt.UTC).date()


class Simulator:
    """The state of one simulator; a single event loop uses it, so it needs no locks."""

    accounts: Accounts
    bill: Bill
    journal: Journal
    generations: deque[Generation]

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.rng = random.Random(settings.seed)  # noqa: S311 - repeatable on purpose
        self.catalogue = Catalogue.load(settings.catalogue)
        self.faults = FaultBook(self.rng, Fixed(ms=settings.latency_ms))
        self._answered = 0
        self._open_books()

    def _open_books(self) -> None:
        self.accounts, self.bill = self.settings.accounts(), Bill()
        self.journal, self.generations = Journal(), deque(maxlen=KEPT_GENERATIONS)

    def reset(self, seed: int | None = None) -> None:
        """Restore the start: accounts, bill, catalogue, faults, records, clock and random numbers."""
        self.rng.seed(self.settings.seed if seed is None else seed)
        self.clock.offset = 0.0
        self.catalogue.reset()
        self.faults.replace([])
        self._open_books()

    def next_generation_id(self) -> str:
        """Return an id in OpenRouter's form: `gen-`, the time, and twenty letters."""
        self._answered += 1
        digest = sha256(f"{self.settings.seed}/{self._answered}".encode()).hexdigest()[:20]
        return f"gen-{int(self.clock.now())}-{digest}"


async def serving(request: Request) -> Simulator:
    """Return the simulator that serves this request."""
    found: Simulator = request.app.state.simulator
    return found


Serving = Annotated[Simulator, Depends(serving)]
"""The parameter of a route that works on it."""
