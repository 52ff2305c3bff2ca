"""What the history alone says: steps, aborts, rollbacks, failed updates."""

from ops.report import events
from ops.report.model import Level, Window
from tests.unit.ops.evidence import NOON, entry
from tests.unit.ops.report.reported import ago

WEEK = Window(began=ago(168), ended=NOON)


def test_a_mark_is_a_change_of_the_percentage_within_the_window() -> None:
    entries = [
        entry(1, 50, "abort: 100 -> 50 %: errors"),
        entry(2, 100, "promote: 50 -> 100 %"),
        entry(3, 50, "up: 50 %"),
        entry(4, 50, "promote: 10 -> 50 %"),
        entry(200, 10, "promote: 0 -> 10 %"),
    ]
    found = events.marks(entries, WEEK)
    assert [(each.before, each.percentage, each.verb) for each in found] == [
        (10, 50, "promote"),
        (50, 100, "promote"),
        (100, 50, "abort"),
    ]


def test_the_first_update_and_the_end_of_a_stack_are_marks() -> None:
    entries = [entry(1, 10, "again"), entry(2, 10, "gone", kind="destroy"), entry(3, 10, "by hand")]
    found = events.marks(entries, WEEK)
    assert [(each.before, each.percentage, each.verb) for each in found] == [
        (None, 10, "update"),
        (10, 0, "down"),
        (None, 10, "update"),
    ]


def test_a_failed_update_is_no_mark_and_an_incident() -> None:
    entries = [entry(1, 50, result="failed"), entry(3, 10)]
    assert events.marks(entries[:1], WEEK) == ()
    (incident,) = events.incidents("t", entries, WEEK)
    assert (incident.kind, incident.level, incident.command) == ("failed-update", Level.ACT, "./fridayctl up t")
    assert events.last_failed(entries) == entries[0]


def test_a_failed_update_that_another_followed_is_past() -> None:
    entries = [entry(0.5, 50), entry(1, 50, result="failed"), entry(3, 10)]
    (incident,) = events.incidents("t", entries, WEEK)
    assert incident.level is Level.LOOK
    assert events.last_failed(entries) is None


def test_an_update_that_goes_on_has_not_failed() -> None:
    entries = [entry(0, 50, result="in-progress"), entry(3, 10)]
    assert events.incidents("t", entries, WEEK) == []
    assert events.last_failed(entries) is None


def test_aborts_and_rollbacks_are_incidents_and_what_is_older_is_not() -> None:
    entries = [
        entry(1, 10, "rollback: level 1, 50 -> 10 %"),
        entry(2, 10, "abort: 50 -> 10 %: errors"),
        entry(300, 0, "rollback: level 1, 50 -> 0 %"),
    ]
    assert [each.kind for each in events.incidents("t", entries, WEEK)] == ["rollback", "abort"]


def test_an_empty_history_says_nothing() -> None:
    assert events.marks([], WEEK) == ()
    assert events.incidents("t", [], WEEK) == []
    assert events.first_deployed([]) is None
