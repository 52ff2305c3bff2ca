"""Collects what a report is made of: Prometheus, and what the gates say. What does not answer is named, not raised."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from components.settings.stack import StackSettings
from ops.metrics.collect import Sources, knows_friday, measure, other_time
from ops.metrics.feedback import said
from ops.metrics.prometheus import Prometheus
from ops.metrics.server import SilentError, answered
from ops.report import people
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


def unmeasured(
    settings: StackSettings, entries: Sequence[Entry], seconds: float, now: dt.datetime, why: str
) -> Measured:
    """Return that no metric is known of the last `seconds`, and why; what operators entered is in the history."""
    grid = Grid.of(seconds, now.timestamp(), settings.monitoring.scrape_seconds)
    return Measured(grid, feedback=people.entered(entries, seconds, now), unheard=why, silent=why)


def measured(
    asked: Sources, settings: StackSettings, entries: Sequence[Entry], seconds: float, now: dt.datetime
) -> Measured:
    """Return what Prometheus knows of the last `seconds`, and what users said."""
    with closing(Prometheus(asked.prometheus, asked.transport)) as prometheus:
        ahead = answered(prometheus.ahead)
        why = str(ahead) if isinstance(ahead, SilentError) else other_time(ahead)
        if why:
            return unmeasured(settings, entries, seconds, now, why)
        try:
            has_friday = settings.friday.image is None or knows_friday(prometheus, now.timestamp())
        except SilentError as error:
            return unmeasured(settings, entries, seconds, now, str(error))
        wanted = batches(settings, seconds, now.timestamp(), has_friday=has_friday)
        grid = next(iter(wanted.values())).grid
        with ThreadPoolExecutor(max_workers=1) as pool:
            hearing = pool.submit(said, prometheus, entries, now, grid.count * grid.step)
            answers, silent = ask(prometheus, wanted)
            alerts = answered(prometheus.alerts)
            heard = hearing.result()
        return Measured(
            grid,
            answers,
            has_friday,
            alerts=None if isinstance(alerts, SilentError) else alerts,
            feedback=people.feedback_of(heard.paths, heard.silent),
            quality=people.quality_of(heard.quality),
            unheard=heard.silent,
            silent=silent,
        )
