"""What users said of answers by another way than Friday's own: entries of the history that change nothing.

They are no deployments: nothing can be rolled back to them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

PATHS = ("litellm", "direct", "fallback")
RATINGS = ("up", "down", "complaint")
"""The labels of friday_llm_feedback_total, which counts what comes by Friday's own endpoint."""

WORD = "feedback"
MOST = 10_000
"""Ratings in one entry."""

_MESSAGE = re.compile(rf"{WORD}: (\d{{1,5}}) ({'|'.join(RATINGS)})s? on ({'|'.join(PATHS)})(?:: (.*))?")


@dataclass(frozen=True)
class Reported:
    """Ratings that an operator has entered: when, for which path, how many, and a note."""

    at: datetime
    path: str
    rating: str
    count: int
    note: str = ""


def message(path: str, rating: str, count: int, note: str) -> str:
    """Return the history's message for ratings; `of` reads it."""
    plural = "s" if rating == "complaint" and count != 1 else ""
    return f"{WORD}: {count} {rating}{plural} on {path}" + (f": {note}" if note else "")


def of(message: str, at: datetime) -> Reported | None:
    """Return the ratings that a message of the history holds, None when it holds none."""
    found = _MESSAGE.fullmatch(message)
    return Reported(at, found[3], found[2], min(int(found[1]), MOST), found[4] or "") if found else None


def totals(reported: Sequence[Reported]) -> dict[str, dict[str, int]]:
    """Return how many there are by path and rating; a path without any is left out."""
    found: dict[str, dict[str, int]] = {}
    for each in reported:
        of_path = found.setdefault(each.path, {})
        of_path[each.rating] = of_path.get(each.rating, 0) + each.count
    return found
