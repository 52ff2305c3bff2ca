"""When today's free requests of the account end, if users go on asking as they did of late.

OpenRouter counts the requests of an account by UTC's days, over all its keys and all free models together.
"""

import datetime as dt
import math
from dataclasses import asdict, dataclass

from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.quota import recent, scaled

MINIMUM_REQUESTS, MINIMUM_SECONDS = 10, 600
"""Of fewer, or of a shorter time, no pace can be told: a few tries after an update are no hour."""

_EARLIEST_SECONDS = 3600.0


@dataclass(frozen=True)
class Forecast:
    """The account's day at a percentage; `minutes` is how long was looked back, `ends` None when the day is shorter.

    `left` and `limit` are free requests of the UTC day, `per_hour` those that the users of both paths will make.
    """

    percentage: int
    left: int
    limit: int
    per_hour: float
    minutes: int
    ends: dt.datetime | None

    @property
    def words(self) -> str:
        """Return it in a sentence."""
        if not self.left:
            return f"all {self.limit:,} free requests of today are used; the next are there at 00:00 UTC"
        begun = f"{self.left:,} of {self.limit:,} free requests left today"
        when = "they last until 00:00 UTC" if self.ends is None else f"today's quota ends about {self.ends:%H:%M} UTC"
        pace = f"{self.per_hour:,.0f} an hour, as in the last {self.minutes} minutes"
        return f"{begun}; at {self.percentage} % {when} ({pace})"

    def document(self) -> dict[str, object]:
        """Return it for --json; `ends` as ISO 8601 in UTC."""
        return {**asdict(self), "ends": self.ends.isoformat() if self.ends else None}


def forecast(evidence: Evidence, current: int, to: int, now: dt.datetime) -> Forecast | None:
    """Return the rest of the day at `to` percent from what was measured at `current`; `now` is in UTC.

    None when too little was measured, or OpenRouter does not say what is left: others may use the account too, so
    what was counted here is not all.
    """
    pace, left = recent(evidence, current), evidence.requests_left
    if left is None or pace is None or pace.gateway + pace.direct < MINIMUM_REQUESTS:
        return None
    if pace.seconds < MINIMUM_SECONDS:
        return None
    per_second = scaled(pace.gateway, pace.direct, current, to) / pace.seconds
    ends = _end(left, per_second, now)
    limit = max(evidence.requests_per_day, left)
    return Forecast(to, left, limit, per_second * 3600, round(pace.seconds / 60), ends)


def end_of_today(left: int, limit: int, now: dt.datetime) -> dt.datetime | None:
    """Return when today's free requests end at the pace of the day so far, by OpenRouter's own count; `now` in UTC.

    None when they last until midnight UTC, or when too little of the day or of them is used to tell.
    """
    used, seconds = limit - left, (now - _midnight(now)).total_seconds()
    told = used >= MINIMUM_REQUESTS and seconds >= _EARLIEST_SECONDS
    return _end(left, used / seconds, now) if told else None


def _end(left: int, per_second: float, now: dt.datetime) -> dt.datetime | None:
    seconds = left / per_second if per_second else math.inf
    rest = (_midnight(now) + dt.timedelta(days=1) - now).total_seconds()
    return now + dt.timedelta(seconds=seconds) if seconds < rest else None


def _midnight(now: dt.datetime) -> dt.datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
