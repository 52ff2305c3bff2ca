"""Distributions of answer times."""

import math
import random
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST_MS = 600_000.0
Milliseconds = Annotated[float, Field(ge=0, le=LONGEST_MS)]
_Z95 = 1.6448536269514722
"""The standard normal distribution's 95th percentile: ties a lognormal to its median and p95."""


class Strict(BaseModel):
    """A part of a fault: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fixed(Strict):
    """Always the same delay."""

    kind: Literal["fixed"] = "fixed"
    ms: Milliseconds

    def sample(self, rng: random.Random) -> float:
        """Milliseconds."""
        return self.ms


class Uniform(Strict):
    """Any delay between two bounds."""

    kind: Literal["uniform"]
    low_ms: Milliseconds
    high_ms: Milliseconds

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low_ms > self.high_ms:
            raise ValueError("low_ms should not exceed high_ms")
        return self

    def sample(self, rng: random.Random) -> float:
        """Milliseconds."""
        return rng.uniform(self.low_ms, self.high_ms)


class Lognormal(Strict):
    """The long-tailed distribution of real answer times, given by its median and 95th percentile."""

    kind: Literal["lognormal"]
    median_ms: Annotated[float, Field(gt=0, le=LONGEST_MS)]
    p95_ms: Annotated[float, Field(gt=0, le=LONGEST_MS)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.p95_ms < self.median_ms:
            raise ValueError("p95_ms should not be below median_ms")
        return self

    def sample(self, rng: random.Random) -> float:
        """Milliseconds, at most ten minutes."""
        sigma = math.log(self.p95_ms / self.median_ms) / _Z95
        return min(self.median_ms * math.exp(rng.gauss(0, sigma)), LONGEST_MS)


Distribution = Annotated[Fixed | Uniform | Lognormal, Field(discriminator="kind")]
