"""What was measured, source by source. None is what a source did not answer, and never means 0."""

from math import sqrt
from statistics import NormalDist
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

PROMETHEUS, OPENROUTER = "prometheus", "openrouter"
"""The sources, as `Evidence.silent` names them."""

_ONE_SIDED = NormalDist().inv_cdf(0.95)


class Measured(BaseModel):
    """Base of all evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Calls(Measured):
    """Calls that ended, and how many of them failed; callers' own mistakes and those who left are in neither."""

    total: int = Field(ge=0)
    failed: int = Field(ge=0)

    @property
    def rate(self) -> float:
        """Return the share that failed, 0 to 1."""
        return self.failed / self.total if self.total else 0.0


class Distribution(Measured):
    """Durations as a histogram: (upper bound in seconds, how many took at most that), the last bound infinite."""

    buckets: tuple[tuple[float, float], ...]

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

    def surely(self, share: float) -> tuple[float, float]:
        """Return between which durations in seconds the quantile of all such calls is; each end holds about 95 % sure.

        Of few calls the slow ones may be chance, and of too few there is no upper end: it is infinite. By the ranks, so
        for durations of any kind (W. J. Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2).
        ValueError without samples.
        """
        if not self.samples:
            raise ValueError("no samples")
        spread = _ONE_SIDED * sqrt(share * (1 - share) / self.samples)
        least = self.quantile(max(0.0, share - spread))
        return least, self.quantile(share + spread) if share + spread < 1 else float("inf")


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
    silent: dict[str, str] = Field(default_factory=dict, description="sources that did not answer, and why")
    has_friday: bool = Field(default=True, description="Friday has metrics of its own; else the edge speaks for it")
    baseline_is: str = "direct path"
    key_usage: float | None = Field(default=None, description="dollars that OpenRouter booked on the keys")
    requests_per_minute: int = Field(default=20, ge=1, description="the account's limit")
    requests_per_day: int = Field(default=1000, ge=1, description="the account's limit")
    requests_left: int | None = Field(default=None, ge=0, description="free requests of today, as OpenRouter says")
