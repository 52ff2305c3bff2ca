"""Models that are as slow on both paths as no limit of the latency gate allows: the rollout goes on to its end."""

import json
from pathlib import Path
from typing import Any

import pytest

from testing.meanwhile import until
from tests.integration.load import Load
from tests.integration.rollout_stack import rollout_stack

pytestmark = [pytest.mark.engine, pytest.mark.slow]

SLOW_MS = 2500
SECONDS = 240
"""How long the test waits for enough calls."""


def test_slow_models_are_promoted_to_everybody(tmp_path: Path) -> None:
    with (
        rollout_stack(tmp_path, steps=(50, 100), latency={}, watch_seconds=60) as stack,
        Load(stack, 14, users=(7, 99), seconds=900),
    ):
        stack.fault({"kind": "latency", "distribution": {"kind": "fixed", "ms": SLOW_MS}})
        found: dict[str, dict[str, Any]] = {}

        def ready() -> bool:
            document = json.loads(stack.fridayctl("status", stack.stack, "--json").out)
            found.update({each["gate"]: each for each in document["gates"]})
            open_gates = {name for name, each in found.items() if each["outcome"] != "pass"}
            slow = "p50 2." in found["latency"]["value"]
            return slow and open_gates == {"complaints"} and document["step"]["soak_left_seconds"] == 0

        until(ready, lambda: f"every gate should pass: {json.dumps(found, indent=1)}", SECONDS, every=1)
        ran = stack.fridayctl("promote", stack.stack, "--yes", "--json", "--no-complaints", "anna")
        done = json.loads(ran.out)
        assert (done["result"], done["from"], done["to"]) == ("promoted", 50, 100)
        [latency] = [each for each in done["watch"] if each["gate"] == "latency"]
        assert latency["outcome"] == "pass", latency
        assert "previous step: p50 2." in latency["value"], latency
