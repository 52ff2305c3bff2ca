"""The verdict: the worst comes first, each reason has a command, and what is well says so."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from ops.metrics.alertmanager import Alerting, Firing
from ops.metrics.prometheus import FiringAlert
from ops.report.grid import Rows
from ops.report.make import make
from ops.report.model import Level, Report
from ops.report.questions import NOW, STATES, STEPS, TOTALS
from ops.report.verdict import command_in
from tests.unit.ops.evidence import entry, sound
from tests.unit.ops.report.reported import RUNNING, ago, answers, changed, known, measured, report, somewhere, steady


def alert(name: str, severity: str) -> FiringAlert:
    said = {"summary": "it burns", "command": "./fridayctl logs t litellm", "runbook": "docs/TROUBLESHOOTING.md#x"}
    return FiringAlert.model_validate(
        {
            "labels": {"alertname": name, "severity": severity},
            "annotations": said,
            "state": "firing",
            "activeAt": "2026-11-24T11:00:00.123456789Z",
        }
    )


def reasons(made: Report) -> str:
    return "\n".join(each.text for each in made.verdict.reasons)


def test_what_is_well_is_healthy_and_says_what_comes_next() -> None:
    made = report()
    assert made.verdict.level is Level.HEALTHY
    assert made.verdict.headline.startswith("healthy: 10 % of users through LiteLLM")
    assert made.verdict.command == "./fridayctl promote t --dry-run"
    assert not made.verdict.reasons


def test_within_a_soak_there_is_nothing_to_run_but_a_look() -> None:
    assert report(entries=[entry(2, 10), entry(480, 0)]).verdict.command == "./fridayctl status t"


def test_a_stack_that_was_never_deployed() -> None:
    made = make(known(entries=[], instances=None), measured({}, silent="nothing is deployed"))
    assert made.verdict.level is Level.LOOK
    assert made.verdict.command == "./fridayctl up t"
    assert made.rollout is None
    assert [each.name for each in made.sources] == ["history"]


def test_a_stack_whose_first_update_failed() -> None:
    made = make(known(entries=[entry(1, 0, result="failed")]), measured({}, silent="nothing is deployed"))
    assert made.verdict.level is Level.ACT
    assert "the last update failed" in made.verdict.headline


def test_a_stack_that_was_never_promoted_says_that_nobody_uses_the_gateway() -> None:
    made = report(entries=[entry(480, 0)], to={"rolloutPercentage": 0}, evidence=sound(calls=None, latency=None))
    assert made.rollout
    assert made.rollout.percentage == 0
    assert {each.why for each in made.comparisons} == {"at 0 % nobody uses the gateway yet"}


@pytest.mark.parametrize(
    ("changes", "level", "text"),
    [
        ({"instances": (replace(RUNNING[0], health="unhealthy"),)}, Level.ACT, "1 of 1 container not healthy"),
        ({"instances": ()}, Level.ACT, "no container runs"),
        ({"entries": [entry(1, 50, result="failed"), entry(50, 10)]}, Level.ACT, "the last update failed"),
        ({"to": {"rolloutPercentage": 50}}, Level.LOOK, "10 % runs, and the stack file says 50 %"),
        ({"evidence": sound(gateway_up=0.5)}, Level.ACT, "the gate gateway fails"),
        ({"evidence": sound(silent={"openrouter": "answers 401"}, key_usage=None)}, Level.LOOK, "answers 401"),
        ({"problems": {"hosts": "ssh refused"}, "instances": None}, Level.LOOK, "hosts says nothing: ssh refused"),
    ],
)
def test_each_cause_is_a_reason(changes: dict[str, Any], level: Level, text: str) -> None:
    made = report(**changes)
    assert made.verdict.level is level
    assert text in reasons(made)
    assert all(each.command.startswith("./fridayctl") for each in made.verdict.reasons)


def test_a_prometheus_that_has_no_figures_is_no_healthy_stack() -> None:
    """Nothing measured is nothing known: who scrapes nobody sees no error either."""
    gone = "the metric friday_llm_requests_total is not among those of friday: was it renamed?"
    made = report(changed(STEPS, "calls", Rows.unknown(336, gone)))
    assert made.verdict.level is Level.LOOK
    assert gone in reasons(made)
    nobody = changed(TOTALS, "spend", Rows.unknown(2, "Prometheus has no figures of gateway in this time"))
    assert report(nobody).verdict.level is Level.LOOK
    off = {"litellm": {"replicas": 0}, "rolloutPercentage": 0, "litellmEnabled": False}
    assert report(nobody, entries=[entry(480, 0)], to=off).verdict.level is Level.HEALTHY


def test_the_edge_without_a_replica_is_to_act_on() -> None:
    made = report(changed(NOW, "replicas", Rows(({("friday",): 2.0, ("litellm",): 0.0},))))
    assert made.verdict.level is Level.ACT
    assert "the edge finds no replica of litellm" in reasons(made)


def test_a_closed_gateway_is_said_once() -> None:
    found = changed(NOW, "closed", Rows(({(): 1.0},)))
    found[STATES]["closed"] = somewhere([334, 335], {(): 1.0}, {(): 0.0})
    made = report(found)
    assert reasons(made).count("closed at the edge") == 1
    assert made.incidents[0].kind == "switch-closed"
    assert made.incidents[0].ended is None


def test_alerts_are_reasons_and_the_critical_ones_come_first() -> None:
    fired = [alert("Slow", "warning"), alert("Burns", "critical")]
    made = make(known(), measured(alerts=fired))
    assert [each.name for each in made.alerts] == ["Burns", "Slow"]
    assert made.alerts[0].since == dt.datetime(2026, 11, 24, 11, 0, 0, 123456, dt.UTC)
    assert made.verdict.level is Level.ACT
    assert made.verdict.command == "./fridayctl logs t litellm"


def test_what_others_posted_to_alertmanager_fires_too_and_nothing_twice() -> None:
    posted = [
        Firing.model_validate(
            {
                "labels": {"alertname": name, "severity": "warning"},
                "annotations": {"summary": "it was changed by hand", "command": "./fridayctl drift t --fix"},
                "startsAt": "2026-11-24T11:00:00Z",
                "status": {"state": "active", "silencedBy": []},
            }
        )
        for name in ("ConfigurationDrift", "Slow")
    ]
    made = make(known(alerting=Alerting(posted)), measured(alerts=[alert("Slow", "warning")]))
    assert [each.name for each in made.alerts] == ["ConfigurationDrift", "Slow"]
    assert made.verdict.command == "./fridayctl drift t --fix"


def test_alerts_that_reach_nobody_and_an_alertmanager_that_is_silent() -> None:
    assert "alerts do not reach notify.slack: 3 of the attempts" in reasons(
        report(alerting=Alerting(undelivered={"slack": 3}))
    )
    assert "Alertmanager says nothing: it is away" in reasons(report(alerting=Alerting(silent="it is away")))


def test_an_incident_of_the_last_day_needs_a_look_and_an_older_one_does_not() -> None:
    recent = report(changed(STATES, "breaker", somewhere([330, 331], {(): 2.0}, {(): 0.0})))
    assert recent.verdict.level is Level.LOOK
    assert "its breaker was open" in reasons(recent)
    older = report(changed(STATES, "breaker", somewhere([10], {(): 2.0}, {(): 0.0})))
    assert older.verdict.level is Level.HEALTHY
    assert [each.kind for each in older.incidents] == ["breaker-open"]


def test_replicas_that_were_exchanged_are_no_incident() -> None:
    place = 300
    down = changed(STATES, "gateway_replicas", somewhere([place], {(): 1.0}, {(): 2.0}))
    assert [each.kind for each in report(down).incidents] == ["replicas-down"]
    hours = (335 - place) * 0.5 + 0.25
    exchanged = report(down, entries=[entry(hours, 10, changes=3), entry(50, 10), entry(480, 0)])
    assert [each.kind for each in exchanged.incidents] == []


def test_fewer_replicas_than_were_declared_at_that_time_are_an_incident() -> None:
    """Two of them are too few since three are declared, and were enough before."""
    three = {"friday-litellm:litellm": '{"replicas": 3}'}
    found = changed(STATES, "gateway_replicas", steady({(): 2.0}))
    (incident,) = report(found, entries=[entry(50, 10, config=three), entry(480, 0)]).incidents
    assert incident.began >= ago(50)
    one = {"friday-litellm:litellm": '{"replicas": 1}'}
    assert report(found, entries=[entry(50, 10, config=one), entry(480, 0)]).incidents == ()
    nonsense = {"friday-litellm:litellm": '{"replicas": "many"}'}
    assert report(found, entries=[entry(50, 10, config=nonsense), entry(480, 0)]).incidents == ()


@pytest.mark.parametrize(
    ("fix", "command"),
    [
        ("./fridayctl status t shows what runs", "./fridayctl status t"),
        ("./fridayctl logs t litellm says why; ./fridayctl rollback t goes back", "./fridayctl logs t litellm"),
        (
            "./fridayctl promote t --to 6 --reason 'quota', or buy credits",
            "./fridayctl promote t --to 6 --reason 'quota'",
        ),
        ("./fridayctl promote t --dry-run judges what was measured", "./fridayctl promote t --dry-run"),
        ("./fridayctl promote t --no-complaints NAME", "./fridayctl promote t --no-complaints NAME"),
        ("./fridayctl status my-stack_2; more litellm.replicas", "./fridayctl status my-stack_2"),
        ("wait for more traffic", ""),
    ],
)
def test_a_command_can_be_pasted(fix: str, command: str) -> None:
    assert command_in(fix) == command


def test_missing_metrics_are_spans_but_not_those_before_the_first() -> None:
    scrapes = [None] * 100 + [360.0] * 100 + [None] * 6 + [100.0] + [358.0] * 129
    seen = Rows(tuple(None if each is None else {(): each} for each in scrapes))
    made = report(changed(STATES, "seen_friday", seen))
    (gap,) = made.incidents
    assert gap.kind == "no-metrics"
    assert gap.began == ago((336 - 200) / 2)
    assert gap.ended == ago((336 - 207) / 2)
    assert "3 h 21 min" in gap.title


def test_alerts_that_fired_are_incidents() -> None:
    firing = somewhere([5, 6], {("Burns", "critical"): 1.0}, None)
    (incident,) = report(changed(STATES, "firing", firing)).incidents
    assert (incident.kind, incident.level, incident.title) == ("alert", Level.ACT, "the alert Burns fired")


def test_notes_name_what_a_window_does_not_hold() -> None:
    made = make(known(entries=[entry(0.5, 10, "pause: holidays"), entry(50, 10)]), measured())
    assert any("the history begins at 2026-11-22" in note for note in made.notes)
    assert any("the rollout is paused: pause: holidays" in note for note in made.notes)
    kept = make(known(to={"monitoring": {"retentionDays": 3}}), measured())
    assert any("Prometheus keeps 3 days" in note for note in kept.notes)
    gone = "the metric friday_llm_requests_total is not among those of friday: was it renamed?"
    renamed = report(changed("steps", "calls", Rows.unknown(336, gone)))
    assert gone in renamed.notes
    assert report(answers()).notes == ("each point of a plot is 30 min",)
