"""How a stack's rollout goes from step to step, and what each gate asks before the next one."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator

from components.settings.base import Amount, Count, Settings, between, group

_WINDOW = "hours above 0 up to 720 that are looked at; left out: since the step began, at most rollout.soakHours"

Percent = Annotated[Amount, Field(ge=0, le=100, description="a percentage from 0 to 100")]
Seconds = Annotated[Amount, Field(gt=0, le=600, description="seconds above 0 up to 600")]


class RolloutSettings(Settings):
    """The steps of a rollout and their pace."""

    steps: tuple[Annotated[Count, Field(ge=1, le=100)], ...] = Field(
        default=(10, 50, 100),
        min_length=1,
        max_length=20,
        description="a list of percentages from 1 to 100, each above the one before",
    )
    soak_hours: Amount = between(0, 720, "hours", " that a step lasts before the next one", default=48)
    watch_seconds: Count = between(0, 86400, "seconds", " that a new step is watched", default=300)

    @field_validator("steps")
    @classmethod
    def _steps_rise(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= earlier for earlier, later in pairwise(value)):
            raise ValueError("one is not above the one before")
        return value


class GateSettings(Settings):
    """What every gate may say: over which window it looks."""

    window_hours: Amount | None = Field(default=None, gt=0, le=720, description=_WINDOW)


class ErrorsGate(GateSettings):
    """The gateway's users may not see more errors than the others."""

    minimum_samples: Count = between(1, 1000000, "a whole number of calls", default=100)
    confidence_percent: Amount = between(80, 99.9, "a percentage", ": how sure the comparison has to be", default=95)
    tolerance_percent: Percent = 3
    maximum_percent: Percent = 10


class LatencyGate(GateSettings):
    """How long the gateway's users wait: Friday AI's own targets, or as long as the direct path takes."""

    minimum_samples: Count = between(1, 1000000, "a whole number of calls", default=100)
    p50_seconds: Seconds = 1
    p95_seconds: Seconds = 3
    p99_seconds: Seconds = 5
    tolerance_percent: Percent = 50

    @property
    def targets(self) -> dict[float, float]:
        """Return the most seconds of each percentile, by the share of calls below it (0 to 1)."""
        return {0.5: self.p50_seconds, 0.95: self.p95_seconds, 0.99: self.p99_seconds}


class OverheadGate(GateSettings):
    """What LiteLLM adds to the time of its models."""

    minimum_samples: Count = between(1, 1000000, "a whole number of calls", default=100)
    p50_milliseconds: Amount = Field(
        default=10, gt=0, le=10_000, description="milliseconds above 0 up to 10000 that LiteLLM may add at the median"
    )


class FallbacksGate(GateSettings):
    """How many calls the gateway may leave to the direct path."""

    minimum_samples: Count = between(1, 1000000, "a whole number of calls", default=100)
    maximum_percent: Percent = 5


class ProvidersGate(GateSettings):
    """How long a single model may be out of service before it counts what users noticed of it."""

    maximum_out_percent: Percent = 5


class GatewayGate(GateSettings):
    """How much of the time the edge has to find a healthy gateway replica."""

    minimum_up_percent: Percent = 99.9


class CostGate(GateSettings):
    """The cost has no threshold to set: it is 0."""


class QuotaGate(GateSettings):
    """How much of the account's limits the next step may use up."""

    minimum_samples: Count = between(1, 1000000, "a whole number of calls", default=100)
    usable_percent: Percent = 90


class ComplaintsGate(GateSettings):
    """What users say of answers. Below so many ratings of the gateway's users somebody signs."""

    minimum_samples: Count = between(1, 1000000, "a whole number of ratings", default=20)
    tolerance_percent: Percent = 1


class GatesSettings(Settings):
    """The gates between two steps, each with its window, threshold and minimum of samples."""

    errors: ErrorsGate = group(ErrorsGate)
    latency: LatencyGate = group(LatencyGate)
    overhead: OverheadGate = group(OverheadGate)
    fallbacks: FallbacksGate = group(FallbacksGate)
    providers: ProvidersGate = group(ProvidersGate)
    gateway: GatewayGate = group(GatewayGate)
    cost: CostGate = group(CostGate)
    quota: QuotaGate = group(QuotaGate)
    complaints: ComplaintsGate = group(ComplaintsGate)
    minimum_coverage_percent: Percent = Field(
        default=90, description="a percentage from 0 to 100 of the window that Prometheus has to have seen"
    )
    watch_samples: Count = between(1, 1000000, "a whole number of calls", " before a watch judges", default=20)
