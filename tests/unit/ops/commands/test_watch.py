"""A watch looks again and again, and ends at the first gate that fails or with its time."""

from typing import Any

import pytest

from ops.commands import promote
from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import Outcome
from tests.unit.ops.deployed import Played
from tests.unit.ops.evidence import entry, gate_input, sound

BAD = sound(gateway_up=0.5)
FEW = sound(calls=None)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def watched(monkeypatch: pytest.MonkeyPatch, looks: list[Evidence], seconds: float) -> tuple[Outcome, list[str], float]:
    """Watch while the looks come one by one, the last one for ever; return outcome, what was told, time taken."""
    clock, told, waiting = Clock(), [], list(looks)
    monkeypatch.setattr(promote, "time", clock)
    monkeypatch.setattr(promote, "measure", lambda *_, **__: waiting.pop(0) if len(waiting) > 1 else waiting[0])
    sources: Any = None
    deployment = Played(report=lambda _, text: told.append(text))
    seen = promote.watch(deployment, sources, [entry(0, 50)], gate_input(50, None, watching=True), seconds)
    return seen.outcome, told, clock.now


def test_a_sound_step_is_watched_to_the_end_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, told, took = watched(monkeypatch, [sound()], 45)
    assert (outcome, took) == (Outcome.PASS, 45)
    assert told == ["gateway, effect, errors, fallbacks, latency, cost pass"]


def test_the_first_failing_look_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, told, took = watched(monkeypatch, [FEW, sound(), BAD, sound()], 300)
    assert (outcome, took) == (Outcome.FAIL, 30)
    assert told[0].endswith("errors cannot be told yet")
    assert told[-1].startswith("gateway failed")


def test_what_cannot_be_told_is_waited_for_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _, took = watched(monkeypatch, [FEW], 25)
    assert (outcome, took) == (Outcome.INCONCLUSIVE, 25)
