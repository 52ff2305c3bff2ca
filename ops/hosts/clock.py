"""Is another machine's clock in step with this one?"""

import datetime as dt

# Quotas, cooldowns and certificates are counted in seconds.
MOST_SECONDS_APART = 2.0


def seconds_apart(reported: str, before: float, after: float) -> float:
    """Return by how many seconds a clock is surely off: 0.0 when its time lies within the question's round trip.

    `reported` is its time (ISO 8601, with a zone); `before` and `after` are this machine's when the question left and
    when the answer was here. Positive when the other clock is ahead.
    """
    moment = dt.datetime.fromisoformat(reported).timestamp()
    return min(moment - before, 0.0) + max(moment - after, 0.0)
