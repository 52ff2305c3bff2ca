"""Users' ratings of answers: each answer carries a token, and who sends it back with a rating is counted by path.

The path is what the service signed, never what a client says. A token needs no storage: any replica can check it. That
an answer is rated once is kept by each replica for itself, so two replicas may count a token that is sent twice.
"""

import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Literal

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter

from friday.llm.constants import Path

HEADER = "x-friday-feedback"
"""The answers' header with the token."""

Rating = Literal["up", "down", "complaint"]
RATINGS: tuple[Rating, ...] = ("up", "down", "complaint")

VALID_SECONDS = 24 * 3600
"""A replica remembers what was rated as long as a token is valid, within the limit below."""

MAX_REMEMBERED = 20_000
"""Rated answers that a replica remembers, some 3 MB. More than a thousand free requests a day give no more."""

PER_MINUTE = 120
"""Ratings that a replica counts in a minute: several times the answers that the account's limit allows."""


class FeedbackRefusedError(Exception):
    """A rating that does not count: the HTTP status, the error's kind, and what a caller can do."""

    def __init__(self, status: int, kind: str, message: str, advice: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.kind, self.advice, self.retry_after = status, kind, advice, retry_after


@dataclass(frozen=True)
class _Token:
    path: Path
    number: str
    expires: float


class Feedback:
    """Signs tokens and counts ratings. `clock` gives epoch seconds; tests set it."""

    def __init__(self, secret: bytes, registry: CollectorRegistry, clock: Callable[[], float] = time.time) -> None:
        # Not the secret itself: what is signed with it elsewhere must never pass for a token, nor the other way round.
        self._key = hmac.new(secret, b"friday feedback", hashlib.sha256).digest()
        self._clock = clock
        self._rated: dict[str, float] = {}
        self._left, self._filled = float(PER_MINUTE), clock()
        self._counter = Counter(
            "friday_llm_feedback", "Users' ratings of answers, one per answer", ["path", "rating"], registry=registry
        )
        for path in Path:
            for rating in RATINGS:  # so that none differs from nobody asks
                self._counter.labels(path, rating)

    def token(self, path: str) -> str:
        """Return the token of an answer that came over `path`."""
        signed = f"{Path(path)}.{int(self._clock()) + VALID_SECONDS}.{token_urlsafe(9)}"
        return f"{signed}.{self._signature(signed)}"

    def rate(self, token: str, rating: Rating) -> bool:
        """Count a rating; return whether it counts, which it does once. Raises FeedbackRefusedError."""
        read, now = self._read(token), self._clock()
        if read.number in self._rated:
            return False
        self._take_turn(now)
        while self._rated and (len(self._rated) >= MAX_REMEMBERED or next(iter(self._rated.values())) < now):
            del self._rated[next(iter(self._rated))]
        self._rated[read.number] = read.expires
        self._counter.labels(read.path, rating).inc()
        return True

    def _read(self, token: str) -> _Token:
        """Return what is in a token. Raises FeedbackRefusedError when it is not one of ours, or is too old."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            advice = "Send the answer's X-Friday-Feedback as it came."
            raise FeedbackRefusedError(403, "unknown_token", "token: not one that this service gave", advice)
        path, expires, number = signed.split(".", 2)
        if int(expires) <= self._clock():
            advice = "Rate a newer answer."
            raise FeedbackRefusedError(403, "expired_token", "token: the answer is older than a day", advice)
        return _Token(Path(path), number, int(expires))

    def _signature(self, signed: str) -> str:
        digest = hmac.new(self._key, signed.encode(), hashlib.sha256).digest()
        return urlsafe_b64encode(digest[:18]).decode()

    def _take_turn(self, now: float) -> None:
        """Raise FeedbackRefusedError when this minute's ratings are used up. Only genuine tokens take one."""
        per_second = PER_MINUTE / 60
        self._left = min(PER_MINUTE, self._left + max(0.0, now - self._filled) * per_second)
        self._filled = now
        if self._left < 1:
            wait = (1 - self._left) / per_second
            raise FeedbackRefusedError(429, "rate_limited", "more ratings than are taken", "Try again later.", wait)
        self._left -= 1


def feedback(request: Request) -> Feedback:
    """Return the process's feedback, which was made when the service started."""
    found: Feedback = request.app.state.feedback
    return found
