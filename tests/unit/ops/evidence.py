"""Histories and evidence that the tests of the rollout start from."""

import datetime as dt
from typing import Any

from components.settings.rollout import GatesSettings
from ops.rollout.gates import registry
from ops.rollout.gates.effect import Usage
from ops.rollout.gates.evidence import Calls, Distribution, Evidence, Load
from ops.rollout.gates.gate import AnalysisResult, GateInput, Verdict
from ops.rollout.history import Entry

NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TWO_DAYS = 48 * 3600.0
NAMES = tuple(gate.name for gate in registry.GATES)


def entry(hours: float, percentage: int, message: str = "", *, result: str = "succeeded", **given: Any) -> Entry:
    """Return the update that ended `hours` before noon."""
    settings = {"friday-litellm:rolloutPercentage": str(percentage), **given.pop("config", {})}
    ended = NOON - hours * HOUR
    fields = {"kind": "update", "message": message or f"up: {percentage} %", "config": settings, **given}
    return Entry(result=result, started=ended, ended=ended, **fields)


def durations(*seconds: float, each: int = 100) -> Distribution:
    """Return a histogram with `each` durations at (within a thousandth) every one of `seconds`."""
    bounds = sorted({*seconds, *(one * 0.999 for one in seconds), float("inf")})
    return Distribution(buckets=tuple((bound, each * sum(one <= bound for one in seconds)) for bound in bounds))


def sound(**changes: Any) -> Evidence:
    """Return evidence of a rollout at 10 % without a fault, with some of it changed."""
    fields: dict[str, Any] = {
        "windows": dict.fromkeys(NAMES, TWO_DAYS),
        "coverage": 1.0,
        "calls": Calls(total=1000, failed=2),
        "baseline": Calls(total=9000, failed=20),
        "fallbacks": Calls(total=1000, failed=3),
        "usage": Usage(gateway=1000, users=10000, only_chats=True),
        "latency": durations(*[0.5] * 10),
        "direct_latency": durations(*[0.5] * 10),
        "overhead": durations(*[0.005] * 10),
        "gateway_up": 1.0,
        "seconds_out": {},
        "account_refused": {},
        "closed": {},
        "answers": 1000,
        "gateway_spend": 0.0,
        "answers_cost": 0.0,
        "key_usage": 0.0,
        "gateway_load": Load(per_minute=1, per_day=50, samples=1000),
        "direct_load": Load(per_minute=9, per_day=450, samples=9000),
    }
    changed = {**fields, **changes}
    own = {name: changed.pop(name) for name in tuple(changed) if name in Evidence.model_fields}
    return Evidence(figures=changed, **own)


def gate_input(current: int = 10, to: int | None = 50, **changes: Any) -> GateInput:
    """Return what the step from 10 to 50 % is judged by, signed."""
    gates = GatesSettings.model_validate(changes.pop("gates", {}))
    return GateInput("t", current, to, gates, **{"signed_off_by": "anna", **changes})


def verdict(judged: AnalysisResult, gate: str) -> Verdict:
    """Return what one gate said."""
    return next(each for each in judged.verdicts if each.gate == gate)
