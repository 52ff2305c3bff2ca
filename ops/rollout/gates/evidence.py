"""What was measured, source by source. None is what a source did not answer, and never means 0."""

from itertools import accumulate
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

PROMETHEUS, OPENROUTER = "prometheus", "openrouter"
"""The sources, as `Evidence.silent` names them."""

BESIDE = "direct path"
"""What the gateway's users are compared with, when there are others at the same time."""


class Measured(BaseModel):
    """Base of all evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Calls(Measured):
    """Calls that ended, and how many of them failed; callers' own mistakes and those who left are in neither."""

    total: int = Field(ge=0)
    failed: int = Field(ge=0)

    @model_validator(mode="after")
    def _no_more_failed_than_ended(self) -> Self:
        if self.failed > self.total:
            raise ValueError("more calls failed than there were")
        return self

    def times(self, factor: float) -> "Calls":
        """Return so many times as many calls, as many of them failed."""
        return Calls(total=round(self.total * factor), failed=round(self.failed * factor))

    @property
    def rate(self) -> float:
        """Return the share that failed, 0 to 1."""
        return self.failed / self.total if self.total else 0.0


class Distribution(Measured):
    """Durations as a histogram: (upper bound in seconds, how many took at most that), the last bound infinite."""

    buckets: tuple[tuple[float, float], ...]

    @field_validator("buckets")
    @classmethod
    def _rise_to_all(cls, value: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if value and value[-1][0] != float("inf"):
            raise ValueError("durations beyond the last bound are not counted")
        # Replicas come and go between two scrapes, and an estimated rise may then be a hair below the one before.
        highest = accumulate((counted for _, counted in value), max)
        return tuple((bound, counted) for (bound, _), counted in zip(value, highest, strict=True))

    def times(self, factor: float) -> "Distribution":
        """Return so many times as many durations, spread alike."""
        return Distribution(buckets=tuple((bound, counted * factor) for bound, counted in self.buckets))

    @property
    def samples(self) -> int:
        """Return how many durations there are."""
        return round(self.buckets[-1][1]) if self.buckets else 0

    def quantile(self, share: float) -> float:
        """Return the duration in seconds that `share` of all stay below, evenly spread inside of a bucket.

        Beyond the last finite bound nothing is known: that bound is returned. ValueError without samples.
        """
        if not self.samples:
            raise ValueError("no samples")
        rank = share * self.buckets[-1][1]
        below, counted = 0.0, 0.0
        for bound, count in self.buckets:
            if count >= rank and count > counted:
                if bound == float("inf"):
                    return below
                return below + (bound - below) * (rank - counted) / (count - counted)
            below, counted = bound, count
        return below


class Load(Measured):
    """Requests to OpenRouter: in the busiest minute, and a day (projected when the window is shorter)."""

    per_minute: float = Field(ge=0)
    per_day: float = Field(ge=0)
    samples: int = Field(ge=0)


class Evidence(Measured):
    """Everything that the gates look at; durations in seconds, shares from 0 to 1, money in US dollars.

    `figures` is what Prometheus knows, by the names of the gates' own figures (`gate.Figure`).
    """

    windows: dict[str, float] = Field(description="how many seconds each gate looks back")
    figures: dict[str, Any] = Field(default_factory=dict, description="what Prometheus knows; None: it does not")
    silent: dict[str, str] = Field(
        default_factory=dict, description="sources that did not answer, gates whose metric is gone: why"
    )
    has_friday: bool = Field(default=True, description="Friday has metrics of its own; else the edge speaks for it")
    baseline_is: str = BESIDE
    reported: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="ratings that operators entered in the gate's window, by path and rating"
    )
    reported_before: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="the same in the step before, where that is what is compared with"
    )
    key_usage: float | None = Field(default=None, description="dollars that OpenRouter booked on the keys")
    requests_per_minute: int = Field(default=20, ge=1, description="the account's limit")
    requests_per_day: int = Field(default=1000, ge=1, description="the account's limit")
    requests_left: int | None = Field(default=None, ge=0, description="free requests of today, as OpenRouter says")
