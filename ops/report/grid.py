"""The steps that a report's window is cut into, and what was counted in each of them."""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ops.report.model import Window

DAY_SECONDS = 86_400.0

_MOST_STEPS = 360
_STEPS = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
"""Seconds; those up to a day make days of whole steps."""

Row = Mapping[tuple[str, ...], float]
"""Numbers by the values of their labels."""


@dataclass(frozen=True)
class Grid:
    """A number of steps of `step` seconds each, one after the other; the last ends at epoch second `ended`."""

    ended: float
    step: float
    count: int

    @classmethod
    def of(cls, seconds: float, ended: float, scrape_seconds: float) -> "Grid":
        """Return a grid that covers at least the last `seconds`, in at most 360 steps of two scrapes at least."""
        least = max(seconds / _MOST_STEPS, 2 * scrape_seconds)
        step = float(next((each for each in _STEPS if each >= least), _STEPS[-1]))
        return cls(ended, step, math.ceil(seconds / step))

    @property
    def began(self) -> float:
        """Return where the first step begins, in epoch seconds."""
        return self.ended - self.count * self.step

    @cached_property
    def ends(self) -> tuple[float, ...]:
        """Return where each step ends, in epoch seconds."""
        return tuple(self.began + number * self.step for number in range(1, self.count + 1))

    @property
    def window(self) -> Window:
        """Return all of it as a window."""
        return window(self.began, self.ended)

    def last(self, seconds: float) -> int:
        """Return how many of the last steps lie within the last `seconds`; at least one."""
        return min(self.count, max(1, int(seconds // self.step)))

    def place(self, moment: float) -> int | None:
        """Return the number of the step that ends at this moment, None when none does."""
        number = round((moment - self.began) / self.step) - 1
        return number if 0 <= number < self.count else None


@dataclass(frozen=True)
class Rows:
    """What was counted, or shown, in each step; None in a step in which nobody looked. `why` is why none has a row."""

    steps: tuple[Row | None, ...]
    why: str = ""

    @classmethod
    def unknown(cls, count: int, why: str) -> "Rows":
        """Return that nothing is known of any step."""
        return cls((None,) * count, why)

    @property
    def known(self) -> bool:
        """Return whether anything is known of any step."""
        return any(step is not None for step in self.steps)

    def total(self, last: int | None = None) -> Row | None:
        """Return the sums over the last steps (None: all); None when nobody looked in any of them."""
        found = [step for step in (self.steps if last is None else self.steps[-last:]) if step is not None]
        if not found:
            return None
        sums: dict[tuple[str, ...], float] = {}
        for step in found:
            for labels, number in step.items():
                sums[labels] = sums.get(labels, 0.0) + number
        return sums

    def each(self, made: Callable[[Row], float | None]) -> tuple[float | None, ...]:
        """Return a number made of each step, None where nobody looked."""
        return tuple(None if step is None else made(step) for step in self.steps)

    @property
    def newest(self) -> Row | None:
        """Return what was counted in the last step, None when nobody looked."""
        return self.steps[-1] if self.steps else None

    @property
    def one(self) -> float | None:
        """Return the single number of the last step, None when there is none."""
        return next(iter((self.newest or {}).values()), None)


def window(began: float, ended: float) -> Window:
    """Return a window of epoch seconds."""
    return Window(began=moment(began), ended=moment(ended))


def moment(seconds: float) -> dt.datetime:
    """Return an epoch second as a moment in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def spans(flags: Sequence[bool]) -> Iterable[tuple[int, int]]:
    """Yield (first, last) of each run of true ones."""
    began: int | None = None
    for number, flag in enumerate([*flags, False]):
        if flag and began is None:
            began = number
        elif not flag and began is not None:
            yield began, number - 1
            began = None
