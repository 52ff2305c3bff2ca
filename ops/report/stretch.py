"""Numbers of one stretch of time, made of what was counted: calls, failures, fallbacks, quantiles.

What counts as a failure stands in `indicators.selectors` and in the gates; here it is only added up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from indicators import selectors
from ops.report.grid import DAY_SECONDS, Row, Rows, window
from ops.report.known import Measured
from ops.report.model import Window
from ops.report.questions import EARLIER, STEPS, TOTALS
from ops.rollout.gates.evidence import Calls, Distribution
from ops.rollout.gates.look import calls_of, judged_calls

SECONDS_OF_GATEWAY, SECONDS_OF_DIRECT = "gateway_seconds", "direct_seconds"
NOTHING = "no calls in this time"


@dataclass(frozen=True)
class Stretch:
    """A stretch of time. `rows` returns what was counted to a question, None when nobody looked."""

    window: Window
    rows: Callable[[str], Row | None]
    has_friday: bool

    def gateway_calls(self) -> Calls | None:
        """Return the calls of the gateway's users; None where Friday does not count them."""
        return self._calls(*selectors.GATEWAY_PATHS)

    def direct_calls(self) -> Calls | None:
        """Return the calls of users who never met the gateway; None where Friday does not count them."""
        return self._calls(*selectors.DIRECT_PATH)

    def all_calls(self) -> Calls | None:
        """Return the calls of all users: as Friday counts them, else as the edge does."""
        if self.has_friday:
            return self._calls(*selectors.GATEWAY_PATHS, *selectors.DIRECT_PATH)
        row = self.rows("users")
        return None if row is None else calls_of(_by(row, 0), ignored=("4xx",), failed=("5xx",))

    def fallbacks(self) -> Calls | None:
        """Return the calls of the gateway's users; those that the direct path answered instead are the failed ones."""
        if not self.has_friday:
            row = self.rows("gateway")
            return None if row is None else calls_of(_by(row, 0), ignored=(), failed=("4xx", "5xx"))
        calls, left = self._calls(*selectors.GATEWAY_PATHS), self._calls("fallback")
        return Calls(total=calls.total, failed=left.total - left.failed) if calls and left else None

    def quantile(self, question: str, share: float) -> float | None:
        """Return the seconds that `share` of the calls stay below; None without a call."""
        found = distribution(self.rows(question))
        return found.quantile(share) if found and found.samples else None

    def _calls(self, *paths: str) -> Calls | None:
        row = self.rows("calls") if self.has_friday else None
        return None if row is None else calls_over(row, *paths)


@dataclass(frozen=True)
class Pair:
    """A stretch and the one before it, as long; None when nothing was asked of that."""

    now: Stretch
    before: Stretch | None


def whole(measured: Measured) -> Pair:
    """Return the report's whole window."""
    grid, friday = measured.grid, measured.has_friday
    length = grid.count * grid.step

    def now(name: str) -> Row | None:
        rows = measured.answers.get(TOTALS, {}).get(name)
        return rows.newest if rows else measured.rows(STEPS, name).total()

    def earlier(name: str) -> Row | None:
        rows = measured.answers.get(TOTALS, {}).get(name)
        return (rows or measured.rows(EARLIER, name)).steps[0]

    before = Stretch(window(grid.began - length, grid.began), earlier, friday)
    return Pair(Stretch(grid.window, now, friday), before)


def last_day(measured: Measured) -> Pair:
    """Return the last 24 hours of the window, or all of a shorter one."""
    grid, steps = measured.grid, measured.grid.last(DAY_SECONDS)
    if steps == grid.count:
        return whole(measured)

    def stretch(first: int, last: int) -> Stretch:
        def rows(name: str) -> Row | None:
            return Rows(measured.rows(STEPS, name).steps[first:last]).total()

        return Stretch(window(grid.began + first * grid.step, grid.began + last * grid.step), rows, measured.has_friday)

    earliest = grid.count - 2 * steps
    before = stretch(earliest, grid.count - steps) if earliest >= 0 else None
    return Pair(stretch(grid.count - steps, grid.count), before)


def single(row: Row | None, _: str) -> Row | None:
    """Return the one row there is, whatever is asked for: with `partial` the `rows` of a single step."""
    return row


def calls_over(row: Row, *paths: str) -> Calls:
    """Return the calls over some paths, of a row by path and outcome."""
    outcomes: dict[str, float] = {}
    for (path, outcome), number in row.items():
        if path in paths:
            outcomes[outcome] = outcomes.get(outcome, 0.0) + number
    return judged_calls(outcomes)


def distribution(row: Row | None) -> Distribution | None:
    """Return a row by `le` as a histogram, None when nobody looked, or it is none."""
    if row is None:
        return None
    try:
        buckets = sorted((float(bound), number) for (bound,), number in row.items())
        return None if any(isnan(bound) for bound, _ in buckets) else Distribution(buckets=tuple(buckets))
    except ValueError:
        return None


def _by(row: Row, place: int) -> dict[str, float]:
    return {labels[place]: number for labels, number in row.items()}
