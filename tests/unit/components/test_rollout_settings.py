"""The settings of the rollout and its gates: defaults, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.given import settings


def test_the_defaults_are_the_plans() -> None:
    found = settings()
    assert found.rollout.steps == (10, 50, 100)
    assert found.rollout.soak_hours == 48
    latency = found.gates.latency
    assert (latency.p50_seconds, latency.p95_seconds, latency.p99_seconds) == (1, 3, 5)
    assert found.gates.overhead.p50_milliseconds == 10
    assert found.gates.gateway.minimum_up_percent == 99.9


@pytest.mark.parametrize(
    "changes",
    [
        {"rollout": {"steps": []}},
        {"rollout": {"steps": [10, 10]}},
        {"rollout": {"steps": [50, 10]}},
        {"rollout": {"steps": [0, 10]}},
        {"rollout": {"steps": [10, 101]}},
        {"rollout": {"soakHours": -1}},
        {"rollout": {"soakHours": True}},
        {"rollout": {"watchSeconds": 0.5}},
        {"gates": {"errors": {"minimumSamples": 0}}},
        {"gates": {"errors": {"tolerancePercent": 101}}},
        {"gates": {"errors": {"confidencePercent": 100}}},
        {"gates": {"latency": {"p50Seconds": 0}}},
        {"gates": {"latency": {"windowHours": 0}}},
        {"gates": {"overhead": {"p50Milliseconds": float("nan")}}},
        {"gates": {"cost": {"maximumUsd": 1}}},
    ],
)
def test_what_makes_no_rollout_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**changes)
