"""Watches a new step: its gates are judged again and again until one fails or the time is over."""

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass

from components.settings.stack import StackSettings
from ops.metrics.collect import Sources, measure
from ops.progress import Report
from ops.rollout.gates.gate import AnalysisResult, GateInput, Outcome, named
from ops.rollout.gates.registry import judge
from ops.rollout.history import Entry

EVERY = 10.0
"""Seconds between two looks: about two scrapes."""

_WORDS = ((Outcome.FAIL, "failed"), (Outcome.PASS, "pass"), (Outcome.INCONCLUSIVE, "cannot be told yet"))


@dataclass(frozen=True)
class Watched:
    """What is watched: the step that the newest entry of the history made, and what is asked about it."""

    sources: Sources
    settings: StackSettings
    entries: Sequence[Entry]
    question: GateInput


def watch(watched: Watched, report: Report, seconds: float) -> AnalysisResult:
    """Return the last judgement: the first that fails, else the one at the end of `seconds`.

    What cannot be told yet is no reason to go back: the step was made on the evidence of the one before.
    """
    end = time.monotonic() + seconds
    told = ""
    while True:
        time.sleep(max(0.0, min(EVERY, end - time.monotonic())))
        now = dt.datetime.now(dt.UTC)
        evidence = measure(watched.sources, watched.settings, watched.entries, watched.entries[0].at, now)
        seen = judge(evidence, watched.question)
        if in_words(seen) != told:
            told = in_words(seen)
            report("watch", told)
        if seen.outcome is Outcome.FAIL or time.monotonic() >= end:
            return seen


def in_words(seen: AnalysisResult) -> str:
    """Return a judgement as a line of progress."""
    return "; ".join(f"{named(found)} {word}" for outcome, word in _WORDS if (found := seen.having(outcome)))
