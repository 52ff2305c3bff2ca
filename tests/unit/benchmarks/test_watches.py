"""Drawn watches: few here, so that the benchmark's own way of counting is tested, and not how often gates are wrong."""

import random
from typing import Any

import pytest

from benchmarks.measures import watches
from benchmarks.measures.watches import Path, Watched, _taken_back
from ops.rollout.gates import gate
from ops.rollout.gates.certainty import Certainty
from tests.unit.ops.evidence import durations


def drawn(ours: float, theirs: float, runs: int, *, seconds: int = 300, pace: int = 2, timed: bool = False) -> float:
    return _taken_back(random.Random(1), runs, Watched(Path(ours), Path(theirs), pace, seconds, 10, timed))  # noqa: S311 - no secret


def test_worse_paths_are_found_and_equal_ones_are_left_alone() -> None:
    assert drawn(0.5, 0.02, 20, seconds=40) == 1
    assert drawn(0.10, 0.02, 20) > 0.8
    assert drawn(0.05, 0.05, 20, timed=True) == 0


def test_a_gate_that_looks_as_if_once_takes_sound_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawn watches show a wrong gate: the bounds of one look, as they were used for all of them before."""
    single = Certainty(0.05, one_look=True)
    monkeypatch.setattr(gate, "Certainty", lambda *_, **__: single)
    monkeypatch.setattr(watches, "_CERTAINTY", single)
    monkeypatch.setattr(watches, "_NEEDED", 0.1)
    assert drawn(0.05, 0.05, 60) > 0.05


def test_slow_but_equal_times_are_not_asked_about() -> None:
    assert not watches._looks_slower(durations(2.6), durations(2.5))
    assert watches._looks_slower(durations(9.0), durations(2.5))


def test_both_figures_carry_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "LONG", 600)
    stack: Any = None
    found = watches.watches(stack, runs=5)
    assert [each.target for each in found] == [0.01, 0.05, 0.10, 0.10]
    assert all("seed 22, 5 watches each" in each.note for each in found)
