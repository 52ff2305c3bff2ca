"""Whether an app says of its health path that it answers only so often: the edge asks it all the time."""

import re
from collections.abc import Iterable

# RateLimit-Limit and RateLimit-Reset, with or without X- (drafts of the IETF's RateLimit header fields up to 06),
# RateLimit-Policy "100;w=900" and RateLimit "limit=100, reset=900" (07), RateLimit-Policy '"x"; q=100; w=900' (08).
_HEADER = re.compile(r"(?:x-)?ratelimit(-limit|-reset|-policy)?\s*:\s*(.*)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_LONGEST_SECONDS = 7 * 86_400  # a reset beyond is no length of time, but a moment in epoch seconds


def warning(path: str, answer: Iterable[str], check_ms: int) -> str:
    """Return that the edge's checks will be refused, "" when the head of the `answer` does not say so.

    `answer` are the lines of an answer of `path`; the edge asks once in `check_ms` milliseconds.
    """
    limit, seconds = _limit(answer)
    if limit is None:
        return ""
    said = f"GET {path} says that it is limited to {limit} answers for one address"
    if seconds is None:
        return f"{said}: the edge asks it every {check_ms} ms, and leaves a replica out that refuses"
    asks = round(seconds * 1000 / check_ms)
    if asks <= limit:
        return ""
    return f"{said} in {seconds} s, and the edge asks it {asks} times: then it leaves every replica out"


def _limit(answer: Iterable[str]) -> tuple[int | None, int | None]:
    """Return how many answers there are for one address, and in how many seconds, None where nothing is said."""
    limit: int | None = None
    seconds: int | None = None
    for kind, value in (match.groups() for match in map(_HEADER.fullmatch, answer) if match):
        named = dict(re.findall(r"\b(limit|q|w|reset)\s*=\s*(\d+)", value))
        bare = _NUMBER.match(value)
        number = int(bare[0]) if bare else None
        if (kind or "").lower() == "-reset":
            seconds = seconds if seconds is not None else number
        else:
            found = named.get("q") or named.get("limit")
            limit = limit if limit is not None else int(found) if found else number
            if time := named.get("w") or named.get("reset"):
                seconds = int(time)
    return limit, seconds if seconds is not None and seconds <= _LONGEST_SECONDS else None
