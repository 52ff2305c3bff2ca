"""Makes the report of what is known and what was measured. Pure: nothing is asked, and no clock is read."""

import datetime as dt
from collections.abc import Iterator, Mapping

from ops.report import events
from ops.report.compare import comparisons
from ops.report.daily import daily
from ops.report.incidents import PROMETHEUS, incidents
from ops.report.known import Known, Measured
from ops.report.model import Alert, Quota, Report, Rollout, Source
from ops.report.plots import plots
from ops.report.questions import NOW
from ops.report.stretch import last_day
from ops.report.verdict import verdict
from ops.report.weekly import usage, weekly
from ops.rollout.gates.evidence import OPENROUTER
from ops.rollout.gates.quota import named_limit
from ops.rollout.steps import in_words


def make(known: Known, measured: Measured) -> Report:
    """Return the report; never raises, whatever was measured."""
    window = measured.grid.window
    days, weeks = daily(known, measured), weekly(known, measured)
    found, alerts = incidents(known, measured), _alerts(known, measured)
    sources = tuple(_sources(known, measured))
    return Report(
        stack=known.stack,
        made=known.now,
        window=window,
        day=last_day(measured).now.window,
        verdict=verdict(known, measured, (*days, *weeks), found, alerts, sources),
        rollout=_rollout(known),
        daily=days,
        weekly=weeks,
        series=plots(known, measured),
        marks=events.marks(known.entries, window),
        comparisons=comparisons(known),
        gates=known.judged.gates.verdicts if known.judged else (),
        incidents=found,
        quota=_quota(known, measured),
        usage=usage(measured),
        feedback=measured.feedback,
        feedback_window=window if measured.feedback or measured.quality else None,
        quality=measured.quality,
        alerts=alerts,
        sources=sources,
        notes=tuple(_notes(known, measured)),
    )


def _rollout(known: Known) -> Rollout | None:
    position = known.position
    if position is None:
        return None
    return Rollout(
        percentage=position.percentage,
        since=position.since,
        soak_left_seconds=position.soak_left.total_seconds(),
        next_step=position.next_step,
        paused=position.paused.message if position.paused else "",
        testers=known.testers,
    )


def _quota(known: Known, measured: Measured) -> Quota | None:
    judged = known.judged
    if judged is None:
        return None
    evidence, forecast = judged.evidence, judged.forecast
    named = named_limit(evidence)
    limit = min(evidence.requests_per_minute, named or evidence.requests_per_minute)
    left = evidence.requests_left
    if forecast:
        says = forecast.words
    elif left is None:
        says = f"OpenRouter does not say how many of today's {evidence.requests_per_day:,} free requests are left"
    else:
        says = (
            f"{left:,} of {evidence.requests_per_day:,} free requests left today; too little was asked to tell the pace"
        )
    return Quota(
        per_minute=limit,
        used_share=measured.rows(NOW, "quota_used").one,
        per_day=evidence.requests_per_day,
        left_today=left,
        ends=forecast.ends if forecast else None,
        per_hour=forecast.per_hour if forecast else None,
        says=says,
    )


def _alerts(known: Known, measured: Measured) -> tuple[Alert, ...]:
    """Return what Prometheus' rules say, and what others posted to Alertmanager, as a drift is; the critical first."""
    found = [_alert(each.labels, each.annotations, each.since) for each in measured.alerts or ()]
    names = {each.name for each in found}
    posted = (each for each in known.alerting.firing if each.name not in names)
    found += [_alert(each.labels, each.annotations, each.starts) for each in posted]
    return tuple(sorted(found, key=lambda each: (each.severity != "critical", each.name)))


def _alert(labels: Mapping[str, str], said: Mapping[str, str], since: dt.datetime) -> Alert:
    return Alert(
        name=labels.get("alertname", ""),
        severity=labels.get("severity", ""),
        since=since,
        summary=said.get("summary", ""),
        command=said.get("command", ""),
        runbook=said.get("runbook", ""),
    )


def _sources(known: Known, measured: Measured) -> Iterator[Source]:
    yield Source(name="history", answered=True, says=f"{len(known.entries):,} updates")
    if known.position is None:
        return
    yield Source(name=PROMETHEUS, answered=not measured.silent, says=measured.silent)
    if known.judged and (silent := known.judged.evidence.silent.get(OPENROUTER)):
        yield Source(name="OpenRouter", answered=False, says=silent)
    if known.alerting.silent:
        yield Source(name="Alertmanager", answered=False, says=known.alerting.silent)
    yield from (Source(name=name, answered=False, says=why) for name, why in sorted(known.problems.items()))


def _notes(known: Known, measured: Measured) -> Iterator[str]:
    """Yield what a reader has to know: what the window holds, how it was cut, and what is missing from it."""
    grid, settings = measured.grid, known.settings
    kept = settings.monitoring.retention_days
    asked = grid.count * grid.step
    yield f"each point of a plot is {in_words(dt.timedelta(seconds=grid.step))}"
    if asked > kept * 86_400:
        yield f"Prometheus keeps {kept} days (monitoring.retentionDays): of what is older only the history is known"
    first = events.first_deployed(known.entries)
    if first and first > grid.window.began:
        yield f"the history begins at {first:%Y-%m-%d %H:%M} UTC, within the window"
    if known.position and known.position.paused:
        yield f"the rollout is paused: {known.position.paused.message}"
    if known.position and not measured.has_friday:
        yield "Friday has no metrics of its own: the edge and the gateway speak for it; the direct path has no times"
    gone = {rows.why for batch in measured.answers.values() for rows in batch.values() if "renamed" in rows.why}
    yield from sorted(gone)
