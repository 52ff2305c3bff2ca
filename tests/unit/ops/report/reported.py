"""What reports are made of in tests: a stack's history, and what Prometheus answered."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from ops.hosts.docker_host import Instance
from ops.report.grid import Grid, Row, Rows
from ops.report.known import Judged, Known, Measured
from ops.report.make import make
from ops.report.model import Check, Report
from ops.report.questions import EARLIER, NOW, STATES, STEPS, TOTALS
from ops.rollout.gates.evidence import Evidence
from ops.rollout.gates.gate import GateInput
from ops.rollout.gates.registry import judge
from ops.rollout.history import Entry
from ops.rollout.steps import position_of
from tests.unit.given import settings
from tests.unit.ops.evidence import NOON, entry, sound

STEP = 1800.0
COUNT = 336
"""A week."""
GRID = Grid(NOON.timestamp(), STEP, COUNT)
RUNNING = (Instance("friday-t-friday-1", "friday", "i:1", "running", "healthy", 5),)
WEEKS_AGO = 24 * 20.0


def histogram(seconds: float, calls: float) -> dict[tuple[str, ...], float]:
    """Return buckets of calls that all took just under so many seconds."""
    bounds = (0.5, 1.0, 3.0, 5.0, 10.0)
    finite: dict[tuple[str, ...], float] = {(str(bound),): calls if bound >= seconds else 0.0 for bound in bounds}
    return {**finite, ("+Inf",): calls}


def steady(row: Row | None, count: int = COUNT) -> Rows:
    """Return the same in every step."""
    return Rows((row,) * count)


def answers(
    calls: Row | None = None, seconds: float = 0.5, count: int = COUNT, **totals: Row
) -> dict[str, dict[str, Rows]]:
    """Return what Prometheus says of a sound week: per step 9 calls over LiteLLM, one fallback, 10 direct."""
    calls = calls or {("litellm", "ok"): 9.0, ("fallback", "ok"): 0.0, ("direct", "ok"): 10.0}
    durations = {"gateway_seconds": histogram(seconds, 10.0), "direct_seconds": histogram(0.5, 10.0)}
    whole = {labels: number * count for labels, number in calls.items()}
    found: dict[str, Row] = {
        "attempts": {("a/b:free",): 90.0, ("c/d:free",): 10.0},
        "rests": {},
        "tokens": {("prompt",): 1000.0, ("completion",): 500.0},
        "cache": {("hit",): 10.0, ("shared",): 10.0, ("miss",): 80.0},
        "spend": {("gateway",): 0.0, ("friday",): 0.0},
        "refused": {},
        "reasons": {},
        **totals,
    }
    return {
        STEPS: {"calls": steady(calls, count), **{name: steady(row, count) for name, row in durations.items()}},
        STATES: {
            "breaker": steady({(): 0.0}, count),
            "closed": steady({(): 0.0}, count),
            "gateway_replicas": steady({(): 2.0}, count),
            "friday_replicas": steady({(): 2.0}, count),
            "firing": steady(None, count),
            **{f"seen_{part}": steady({(): STEP / 5}, count) for part in ("gateway", "edge", "friday")},
        },
        TOTALS: {name: Rows((row, row)) for name, row in found.items()},
        EARLIER: {"calls": Rows((whole,)), **{name: Rows((row,)) for name, row in durations.items()}},
        NOW: {
            "quota_used": Rows(({(): 0.25},)),
            "closed": Rows(({(): 0.0},)),
            "replicas": Rows(({("friday",): 2.0, ("litellm",): 2.0},)),
            "breaker": Rows(({(): 0.0},)),
        },
    }


def changed(batch: str, name: str, rows: Rows, **more: Any) -> dict[str, dict[str, Rows]]:
    """Return a sound week's answers with another to one question."""
    found = answers(**more)
    found[batch] = {**found[batch], name: rows}
    return found


def somewhere(places: Sequence[int], otherwise: Row | None, usual: Row | None) -> Rows:
    """Return steps that show something else in some places."""
    return Rows(tuple(otherwise if place in places else usual for place in range(COUNT)))


def known(
    entries: Sequence[Entry] | None = None,
    evidence: Evidence | None = None,
    to: Mapping[str, Any] | None = None,
    **more: Any,
) -> Known:
    """Return a stack at 10 % for two days, healthy."""
    told = [entry(50, 10), entry(WEEKS_AGO, 0)] if entries is None else list(entries)
    chosen = settings(**{"rolloutPercentage": 10, **(to or {})})
    position = position_of(told, chosen.rollout, NOON)
    found = evidence or sound()
    given = GateInput("t", 10, 50, chosen.gates, again=True)
    judged = Judged(found, judge(found, given), None)
    fields = {"instances": RUNNING, "judged": judged if position else None, **more}
    return Known("t", chosen, NOON, told, position, **fields)


def measured(found: Mapping[str, Mapping[str, Rows]] | None = None, **more: Any) -> Measured:
    """Return what Prometheus knows."""
    return Measured(more.pop("grid", GRID), answers() if found is None else found, **more)


def report(found: Mapping[str, Mapping[str, Rows]] | None = None, **more: Any) -> Report:
    """Return the report of a sound week with some of it changed."""
    return make(known(**more), measured(found))


def check(made: Report, name: str) -> Check:
    """Return a line of the checklists."""
    return next(each for each in (*made.daily, *made.weekly) if each.name == name)


def ago(hours: float) -> dt.datetime:
    """Return a moment before noon."""
    return NOON - dt.timedelta(hours=hours)
