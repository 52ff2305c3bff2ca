"""A stack whose rollout goes in seconds: its gates look back over half a minute, and its soak is as short."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from testing.project import Project

WINDOW_SECONDS = 25


@contextmanager
def rollout_stack(
    folder: Path, *, steps: Sequence[int], latency: dict[str, Any], watch_seconds: int = 10
) -> Iterator[Project]:
    """Bring up a stack at the first of its steps; `latency` are the limits of that gate."""
    made = Project.create(folder)
    few = {"minimumSamples": 20, "windowHours": WINDOW_SECONDS / 3600}
    made.configure(
        {
            "rolloutPercentage": steps[0],
            "rollout": {"steps": list(steps), "soakHours": 20 / 3600, "watchSeconds": watch_seconds},
            "gates": {
                # Other work on this machine slows the models' answers and LiteLLM down; that is not what is tested.
                "overhead": {**few, "p50Milliseconds": 2000},
                "latency": {**few, **latency},
                "errors": {**few, "tolerancePercent": 20},
                "fallbacks": few,
                "quota": few,
                "providers": {"windowHours": WINDOW_SECONDS / 3600},
                "gateway": {"windowHours": WINDOW_SECONDS / 3600, "minimumUpPercent": 50},
                "cost": {"windowHours": WINDOW_SECONDS / 3600},
                "minimumCoveragePercent": 50,
                "watchSamples": 10,
            },
            "monitoring": {**made.settings["monitoring"], "scrapeSeconds": 1},
            "router": {"timeoutSeconds": 20, "streamTimeoutSeconds": 20, "cooldownSeconds": 10},
        }
    )
    with made.deployed():
        yield made
