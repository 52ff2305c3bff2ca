"""What a stack's history says: since when, what is deployed, what was undone, what may be gone back to."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.settings.rollout import RolloutSettings
from ops.rollout import history
from ops.rollout.history import Entry, Verb, going_back
from ops.rollout.steps import position_of
from tests.unit.ops.evidence import HOUR, NOON, entry

# Newest first: 0 %, then 10 %, a failed try at 50 %, the same 10 % with another image.
LIFE = [
    entry(1, 10, config={"friday-litellm:friday": '{"image": "registry.example/friday:2"}'}),
    entry(2, 50, "promote: 10 -> 50 %", result="failed"),
    entry(3, 10, "promote: 0 -> 10 %"),
    entry(4, 0),
]


def test_a_percentage_holds_since_it_was_first_deployed_without_a_break() -> None:
    assert history.since(LIFE) == LIFE[2].at
    assert history.deployed(LIFE) == LIFE[0]
    assert history.step_before(LIFE) == (LIFE[3].at, LIFE[2].at)


def test_a_percentage_that_comes_back_begins_anew() -> None:
    back = [entry(0, 10, "abort: 50 -> 10 %"), entry(1, 50), entry(2, 10)]
    assert history.since(back) == back[0].at
    assert history.step_before(back) == (back[1].at, back[0].at)


@pytest.mark.parametrize("entries", [[], [entry(1, 10, result="failed")], [entry(0, 10, kind="destroy"), entry(1, 10)]])
def test_what_is_not_deployed_stands_nowhere(entries: list[Entry]) -> None:
    assert history.deployed(entries) is None
    assert history.since(entries) is None
    assert history.step_before(entries) is None
    assert history.good_targets(entries) == []
    assert not history.pause(entries)
    assert position_of(entries, RolloutSettings(), NOON) is None


def test_a_life_begins_after_the_last_time_that_all_was_taken_down() -> None:
    entries = [entry(0, 0), entry(1, 10, kind="destroy"), entry(2, 10)]
    assert history.since(entries) == entries[0].at
    assert history.step_before(entries) is None


def test_with_the_flag_off_nobody_is_on_the_gateway() -> None:
    off = entry(0, 50, config={"friday-litellm:litellmEnabled": "false"})
    assert off.percentage == 0


@pytest.mark.parametrize(
    ("messages", "paused"),
    [
        (["pause: 10 %: holidays"], True),
        (["up: 10 %", "pause: 10 %: holidays"], True),
        (["resume: 10 %", "pause: 10 %: holidays"], False),
        (["pause: again", "resume: 10 %", "pause: 10 %"], True),
        (["a pause: in the middle of somebody's words"], False),
        (["up: 10 %"], False),
    ],
)
def test_only_resume_ends_a_pause(messages: list[str], paused: bool) -> None:
    entries = [entry(hours, 10, message) for hours, message in enumerate(messages)]
    found = history.pause(entries)
    assert (found.message if found else None) == (
        next(m for m in messages if m.startswith("pause")) if paused else None
    )


def test_a_pause_that_failed_is_none() -> None:
    assert not history.pause([entry(0, 10, "pause: 10 %", result="failed"), entry(1, 10)])


@pytest.mark.parametrize(
    ("message", "verb"),
    [
        ("promote: 0 -> 10 %", Verb.PROMOTE),
        ("abort: 50 -> 10 %", Verb.ABORT),
        ("fix", Verb.FIX),
        ("ups: no verb", None),
        ("", None),
        (": nothing", None),
    ],
)
def test_the_first_word_of_a_message_is_its_verb(message: str, verb: Verb | None) -> None:
    assert entry(0, 0).model_copy(update={"message": message}).verb is verb


def test_a_rollback_that_names_its_target_condemns_all_between() -> None:
    good, bad, worse = entry(5, 10), entry(4, 50), entry(3, 100)
    back = entry(2, 10, f"rollback: level 2, 100 -> 10 %, {going_back(good)}: slow")
    entries = [back, worse, bad, good]
    assert back.goes_back_to == good.at
    assert history.condemned(entries) == [worse, bad]
    assert history.good_targets(entries) == []


def test_a_rollback_that_names_none_condemns_the_update_before_it() -> None:
    entries = [entry(2, 0, "rollback: level 1, 50 -> 0 %"), entry(3, 50), entry(4, 10)]
    assert history.condemned(entries) == [entries[1]]
    assert history.good_targets(entries) == [entries[2]]


def test_an_abort_makes_the_step_before_the_one_to_go_back_from() -> None:
    zero, ten, fifty = entry(5, 0), entry(4, 10), entry(3, 50)
    aborted = entry(2, 10, f"abort: 50 -> 10 % {going_back(ten)}: gate errors")
    entries = [aborted, fifty, ten, zero]
    assert history.condemned(entries) == [fifty]
    assert history.good_targets(entries) == [zero]


def test_the_images_that_settings_name_are_listed_by_part() -> None:
    assert LIFE[0].images == {"friday": "registry.example/friday:2"}
    assert LIFE[2].images == {}


@pytest.mark.parametrize("settings", ["", "[", "[]", "7", '"x"', "null", "{}", '{"image": 7}', '{"image": ""}'])
def test_settings_that_name_no_image_are_no_error(settings: str) -> None:
    assert entry(1, 10, config={"friday-litellm:friday": settings}).images == {}


@pytest.mark.parametrize(
    ("said", "percentage"), [("abc", 0), ("", 0), ("[]", 0), ("nan", 0), ("inf", 0), ("50.0", 50), (" 10", 10)]
)
def test_a_percentage_that_is_no_number_sends_nobody(said: str, percentage: int) -> None:
    assert history.percentage_of({"friday-litellm:rolloutPercentage": said}) == percentage


def test_a_date_that_does_not_exist_names_no_update() -> None:
    assert entry(1, 10, "rollback: to the update of 2026-99-99T00:00:00Z").goes_back_to is None


percentages = st.lists(st.sampled_from([0, 10, 50, 100]), min_size=1, max_size=12)
results = st.sampled_from(["succeeded", "failed", "in-progress"])


@st.composite
def lives(draw: st.DrawFn) -> list[Entry]:
    """Return histories with failures, ends, and ways back that name their target or do not."""
    entries: list[Entry] = []
    for age, percentage in enumerate(reversed(draw(percentages))):
        hours = 100 - age
        kind = draw(st.sampled_from(["update"] * 8 + ["destroy", "refresh"]))
        message = f"promote: to {percentage} %"
        if draw(st.booleans()) and entries:
            named = draw(st.sampled_from(entries))
            verb = draw(st.sampled_from(["rollback", "abort"]))
            message = f"{verb}: back {going_back(named)}" if draw(st.booleans()) else f"{verb}: back"
        entries.insert(0, entry(hours, percentage, message, kind=kind, result=draw(results)))
    return entries


@given(entries=lives())
def test_whatever_happened_the_history_agrees_with_itself(entries: list[Entry]) -> None:
    current, began = history.deployed(entries), history.since(entries)
    assert (current is None) == (began is None)
    if current is None or began is None:
        assert history.good_targets(entries) == []
        return
    assert current.succeeded
    assert began <= current.at
    held = [each for each in entries if each.succeeded and began <= each.at]
    assert {each.percentage for each in held} == {current.percentage}
    before = history.step_before(entries)
    if before:
        assert before[0] < before[1] == began
    targets = history.good_targets(entries)
    assert all(each.succeeded and each.config != current.config and each.at < current.at for each in targets)
    assert not [each for each in targets if each in history.condemned(entries)]
    assert sorted(targets, key=lambda each: each.at, reverse=True) == targets


@given(entries=lives(), hours=st.floats(0, 200))
def test_a_position_says_how_much_of_the_soak_is_left(entries: list[Entry], hours: float) -> None:
    found = position_of(entries, RolloutSettings(soak_hours=48), NOON + hours * HOUR)
    if found:
        assert found.current == history.deployed(entries)
        assert timedelta() <= found.soak_left <= 48 * HOUR
        assert found.next_step is None or found.next_step > found.percentage
        assert found.document()["percentage"] == found.percentage
