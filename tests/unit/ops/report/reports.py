"""Reports of a made-up stack in each state that its page has to show, always the same."""

import datetime as dt
import math
from enum import StrEnum

from ops.report.model import (
    Alert,
    Check,
    Comparison,
    Estimate,
    Feedback,
    Figure,
    Incident,
    Level,
    Mark,
    Provider,
    Quality,
    Quota,
    Reason,
    Report,
    Rollout,
    Series,
    Source,
    Unit,
    Usage,
    Verdict,
)
from ops.rollout.gates.gate import Outcome
from ops.rollout.gates.gate import Verdict as Gate
from tests.unit.ops.report.week import DAY, MADE, STEP_SECONDS, WEEK, line, series

MARKUP = "<b onclick=x>&amp;\"'</b>"
"""Text from outside that must stay text."""


class State(StrEnum):
    """What a page is looked at for."""

    HEALTHY = "healthy"
    FAILING = "failing"
    NO_DATA = "no data"
    AT_0 = "0 %"
    AT_100 = "100 %"


_PERCENTAGES = {State.AT_0: 0, State.AT_100: 100}
_VERDICTS = {
    State.HEALTHY: (Level.HEALTHY, "All is well", ()),
    State.FAILING: (Level.ACT, "LiteLLM's users get errors", ("19 % of the calls failed; at most 10 % may",)),
    State.NO_DATA: (Level.UNKNOWN, "Nothing was measured", ("Prometheus does not answer",)),
    State.AT_0: (Level.HEALTHY, "All is well; nobody uses the gateway yet", ()),
    State.AT_100: (Level.HEALTHY, "All is well", ()),
}
_COMMANDS = {State.FAILING: "./fridayctl rollback prod --level 1", State.NO_DATA: "./fridayctl status prod"}


def report(state: State = State.HEALTHY) -> Report:
    """Return the report of a stack in a state, at 25 % unless the state says otherwise."""
    level, headline, reasons = _VERDICTS[state]
    command = _COMMANDS.get(state, "./fridayctl promote prod")
    percentage = _PERCENTAGES.get(state, 25)
    measured = state is not State.NO_DATA
    return Report(
        stack="prod",
        made=MADE,
        window=WEEK,
        day=DAY,
        verdict=Verdict(
            level=level,
            headline=headline,
            reasons=tuple(Reason(level=level, text=text, command=command) for text in reasons),
            command=command,
        ),
        rollout=Rollout(
            percentage=percentage,
            since=MADE - dt.timedelta(days=2),
            soak_left_seconds=5 * 3600,
            next_step={0: 10, 25: 50}.get(percentage),
            testers=2,
        ),
        daily=_daily(state, level),
        weekly=_weekly(measured),
        series=_series(state) if measured else (_unmeasured(),),
        marks=() if state is State.AT_0 else MARKS,
        comparisons=_comparisons() if state in (State.HEALTHY, State.FAILING) else (),
        gates=_gates(state),
        incidents=_incidents(state),
        quota=_quota() if measured else None,
        usage=_usage() if measured else Usage(why="Prometheus does not answer"),
        feedback=_feedback() if measured else (),
        feedback_window=WEEK if measured else None,
        quality=_quality() if measured else (),
        alerts=_alerts() if state is State.FAILING else (),
        sources=(
            Source(name="Prometheus", answered=measured, says="" if measured else "it refused the connection"),
            Source(name="history", answered=True, says="12 updates"),
        ),
        notes=() if measured else ("Prometheus does not answer: all is from the history",),
    )


MARKS = (
    Mark(at=WEEK.began + dt.timedelta(days=1), before=0, percentage=5, verb="promote", message="promote: 0 to 5 %"),
    Mark(at=WEEK.began + dt.timedelta(days=3), before=5, percentage=10, verb="promote", message=MARKUP),
    Mark(at=WEEK.began + dt.timedelta(days=3.2), before=10, percentage=5, verb="abort", message="abort: errors"),
    Mark(at=WEEK.began + dt.timedelta(days=5), before=5, percentage=25, verb="promote", message="promote: 5 to 25 %"),
)


def _series(state: State) -> tuple[Series, ...]:
    peak = 0.19 if state is State.FAILING else None
    ours, theirs = line("gateway", 0.006, 48, peak), line("direct", 0.005)
    litellm, fallback, direct = line("litellm", 30, 48), line("fallback", 1, 48), line("direct", 90)
    made = (
        series("error_rate", "Error rate", Unit.SHARE, ours, theirs, limit=0.1),
        series("latency_p50", "Latency, p50", Unit.SECONDS, line("gateway", 0.8, 48), line("direct", 0.7)),
        series("latency_p95", "Latency, p95", Unit.SECONDS, line("gateway", 2.3, 48), line("direct", 2.1)),
        series("latency_p99", "Latency, p99", Unit.SECONDS, line("gateway", 3.9, 48), line("direct", 3.4), limit=10.0),
        series("fallback_rate", "Fallback rate", Unit.SHARE, line("gateway", 0.01, 48), limit=0.5),
        series("calls", "Calls", Unit.CALLS, litellm, fallback, direct),
    )
    absent = {State.AT_0: {"gateway", "litellm", "fallback"}, State.AT_100: {"direct"}}.get(state, set())
    return tuple(
        each.model_copy(update={"lines": tuple(line for line in each.lines if line.name not in absent)})
        for each in made
    )


def _unmeasured() -> Series:
    began = WEEK.began
    why = "Prometheus does not answer"
    return Series(
        name="error_rate",
        title="Error rate",
        unit=Unit.SHARE,
        began=began,
        step_seconds=STEP_SECONDS,
        lines=(),
        why=why,
    )


def figure(name: str, title: str, unit: Unit, value: float | None, **more: object) -> Figure:
    """Return a number of the last day, with why it is not known where it is not."""
    why = "no scrape in the window" if value is None else ""
    return Figure.model_validate(
        {"name": name, "title": title, "unit": unit, "value": value, "window": DAY, "why": why} | more
    )


def _daily(state: State, level: Level) -> tuple[Check, ...]:
    if state is State.NO_DATA:
        figures = (figure("error_rate.gateway", "LiteLLM's users", Unit.SHARE, None, limit=0.1),)
        return (Check(name="errors", title="Error rate", level=level, says="nothing was measured", figures=figures),)
    rate = 0.19 if state is State.FAILING else 0.0061
    latency = tuple(
        figure(f"latency.{quantile}", f"{quantile}, LiteLLM", Unit.SECONDS, value, before=value * 0.97, limit=limit)
        for quantile, value, limit in (("p50", 0.81, None), ("p95", 2.31, None), ("p99", 3.4, 10.0))
    )
    return (
        Check(
            name="errors",
            title="Error rate",
            level=level,
            says="0.61 % of LiteLLM's users got an error" if level is Level.HEALTHY else "19 % got an error",
            figures=(
                figure("error_rate.gateway", "LiteLLM's users", Unit.SHARE, rate, before=0.0058, limit=0.1),
                figure("error_rate.direct", "direct path", Unit.SHARE, 0.0052, before=0.005),
            ),
            command=_COMMANDS.get(state, ""),
        ),
        Check(name="latency", title="Latency", level=Level.HEALTHY, says="as before", figures=latency),
        Check(
            name="providers",
            title="Provider health",
            level=Level.LOOK,
            says=f"{MARKUP} was left out for 14 min",
            figures=(figure("rest.x", MARKUP, Unit.SECONDS, 840.0),),
            command="./fridayctl models prod",
        ),
        Check(name="feedback", title="User feedback", level=Level.UNKNOWN, says="nobody has said anything"),
    )


def _weekly(measured: bool) -> tuple[Check, ...]:
    if not measured:
        return ()
    spent = (
        figure("spend.gateway", "gateway", Unit.DOLLARS, 0.0, window=WEEK, before=0.0, limit=0.0),
        figure("spend.keys", "keys", Unit.DOLLARS, 0.0, window=WEEK, limit=0.0, source="OpenRouter"),
    )
    cache = (figure("cache", "hit rate", Unit.SHARE, 0.12, window=WEEK, before=0.11),)
    return (
        Check(name="cost", title="Cost", level=Level.HEALTHY, says="$0.00 by two sources", figures=spent),
        Check(name="cache", title="Cache hits", level=Level.HEALTHY, says="12 % cost no call", figures=cache),
    )


def _comparisons() -> tuple[Comparison, ...]:
    said = {"window": WEEK, "baseline": "the direct path at the same time", "method": "Newcombe, 95 %"}
    ours = Estimate(value=0.0061, low=0.005, high=0.0075, samples=4012)
    theirs = Estimate(value=0.0052, low=0.0045, high=0.006, samples=12033)
    found = {"ours": ours, "theirs": theirs, "difference": Estimate(value=0.0009, low=-0.0008, high=0.0027)}
    nothing = {"ours": Estimate(value=None), "theirs": Estimate(value=None), "why": "nobody has said anything"}
    errors = {"name": "errors", "title": "Error rate", "unit": Unit.SHARE, "says": "no difference can be told"}
    votes = {"name": "complaints", "title": "Complaints", "unit": Unit.SHARE, "says": "nothing can be told"}
    return tuple(Comparison.model_validate(each) for each in (errors | said | found, votes | said | nothing))


def _gates(state: State) -> tuple[Gate, ...]:
    if state is State.AT_0:
        return (Gate(gate="errors", outcome=Outcome.SKIPPED, metric="error rate", cause="nobody uses the gateway yet"),)
    failed = {
        "outcome": Outcome.FAIL,
        "value": "19 %",
        "cause": "a provider fails",
        "fix": "./fridayctl logs prod litellm",
    }
    passed = {"outcome": Outcome.PASS, "value": "0.61 %"}
    unknown = {"outcome": Outcome.INCONCLUSIVE, "cause": "Prometheus does not answer"}
    word = {State.FAILING: failed, State.NO_DATA: unknown}.get(state, passed)
    errors = {
        "gate": "errors",
        "metric": "error rate",
        "threshold": "at most 10 %",
        "samples": 4012,
        "seconds": 86400.0,
    }
    signature = Gate(
        gate="complaints",
        outcome=Outcome.INCONCLUSIVE,
        metric="complaints",
        threshold="none",
        cause="nobody has signed",
        fix="./fridayctl promote prod --signed-off-by NAME",
    )
    return (Gate.model_validate(errors | word), signature)


def _incidents(state: State) -> tuple[Incident, ...]:
    aborted = Incident(
        kind="abort",
        level=Level.LOOK,
        began=MARKS[2].at,
        ended=MARKS[2].at + dt.timedelta(seconds=12),
        title="The step to 10 % was taken back",
        details=f"errors: 12 % of 800 calls {MARKUP}",
        source="history",
    )
    began = MADE - dt.timedelta(minutes=50)
    title = "Friday leaves the gateway alone"
    opened = Incident(kind="breaker-open", level=Level.ACT, began=began, ended=None, title=title, source="Prometheus")
    return {State.FAILING: (opened, aborted), State.AT_0: ()}.get(state, (aborted,))


def _quota() -> Quota:
    says = "Today's free requests last until midnight UTC"
    return Quota(per_minute=20, used_share=0.42, per_day=1000, left_today=412, ends=None, per_hour=33.0, says=says)


def _usage() -> Usage:
    hours = tuple(None if hour == 3 else round(5 + 60 * math.exp(-((hour - 12) ** 2) / 18), 3) for hour in range(24))
    models = (
        Provider(model="google/gemma-4-31b-it:free", calls=30112.0, share=0.75),
        Provider(model=MARKUP, calls=10101.0, share=0.25, out_seconds={"busy": 840.0, "timeout": 12.0}),
    )
    return Usage(hours=hours, models=models)


def _feedback() -> tuple[Feedback, ...]:
    gateway = Feedback(path="litellm", up=31.0, down=2.0, complaints=0.0, answers=4012.0)
    return (gateway, Feedback(path="direct", up=80.0, down=7.0, complaints=1.0))


def _quality() -> tuple[Quality, ...]:
    ours = Quality(path="litellm", answers=120.0, p50_characters=812.0, p95_characters=2100.0, schema_share=0.98)
    return (ours, Quality(path="direct", answers=118.0, answered_share=0.99))


def _alerts() -> tuple[Alert, ...]:
    summary = "19 % of the calls of LiteLLM's users fail"
    since = MADE - dt.timedelta(minutes=48)
    command, runbook = "./fridayctl rollback prod --level 1", "docs/TROUBLESHOOTING.md#errorratehigh"
    alert = {"name": "ErrorRateHigh", "severity": "critical", "since": since, "summary": summary}
    return (Alert.model_validate(alert | {"command": command, "runbook": runbook}),)
