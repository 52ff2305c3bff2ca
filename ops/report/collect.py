"""Collects what a report is made of: Prometheus, and what the gates say. What does not answer is named, not raised."""

import datetime as dt
from collections.abc import Sequence
from contextlib import closing

from components.settings.stack import StackSettings
from ops.metrics.collect import Sources, knows_friday, measure, other_time
from ops.metrics.prometheus import Prometheus, SilentError, answered
from ops.report.ask import ask
from ops.report.grid import Grid
from ops.report.known import Judged, Measured
from ops.report.questions import batches
from ops.rollout.gates.forecast import forecast
from ops.rollout.gates.gate import GateInput
from ops.rollout.gates.registry import judge
from ops.rollout.history import Entry
from ops.rollout.steps import RolloutPosition


def judged(
    stack: str,
    settings: StackSettings,
    asked: Sources,
    position: RolloutPosition,
    entries: Sequence[Entry],
    now: dt.datetime,
) -> Judged:
    """Return what the gates say of the present step, as one who looks again and again may take it."""
    evidence = measure(asked, settings, entries, position.since, now)
    percentage = position.percentage
    given = GateInput(stack, percentage, position.next_step, settings.gates, again=True)
    return Judged(evidence, judge(evidence, given), forecast(evidence, percentage, percentage, now))


def unmeasured(settings: StackSettings, seconds: float, now: dt.datetime, why: str) -> Measured:
    """Return that nothing is known of the last `seconds` by any metric, and why."""
    return Measured(Grid.of(seconds, now.timestamp(), settings.monitoring.scrape_seconds), silent=why)


def measured(asked: Sources, settings: StackSettings, seconds: float, now: dt.datetime) -> Measured:
    """Return what Prometheus knows of the last `seconds`."""
    with closing(Prometheus(asked.prometheus, asked.transport)) as prometheus:
        ahead = answered(prometheus.ahead)
        why = str(ahead) if isinstance(ahead, SilentError) else other_time(ahead)
        if why:
            return unmeasured(settings, seconds, now, why)
        try:
            has_friday = settings.friday.image is None or knows_friday(prometheus, now.timestamp())
        except SilentError as error:
            return unmeasured(settings, seconds, now, str(error))
        wanted = batches(settings, seconds, now.timestamp(), has_friday=has_friday)
        answers, silent = ask(prometheus, wanted)
        alerts = answered(prometheus.alerts)
        return Measured(
            next(iter(wanted.values())).grid,
            answers,
            has_friday,
            alerts=None if isinstance(alerts, SilentError) else alerts,
            silent=silent,
        )
