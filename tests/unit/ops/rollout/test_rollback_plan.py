"""What each level of a rollback changes, and which update it goes back to."""

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.rollback import EPILOG
from ops.errors import OperationError
from ops.rollout import history, rollback_plan
from ops.rollout.history import Entry
from ops.rollout.rollback_plan import LEVELS, RollbackRequest
from ops.rollout.steps import in_words
from ops.stacks import stack_config

ROOT = Path(__file__).resolve().parents[4]
BASE = {
    "friday-litellm:engine": "container",
    "friday-litellm:litellmEnabled": "true",
    "friday-litellm:litellm": '{"memoryMb":640,"replicas":2}',
}


def entry(minute: int, percentage: int, message: str = "", **config: str) -> Entry:
    settings = {**BASE, "friday-litellm:rolloutPercentage": str(percentage)}
    return Entry(
        kind="update",
        result="succeeded",
        message=message or f"up: {percentage} %",
        started=dt.datetime(2026, 11, 24, 8, minute, tzinfo=dt.UTC),
        ended=dt.datetime(2026, 11, 24, 8, minute, 30, tzinfo=dt.UTC),
        config={**settings, **{f"friday-litellm:{key}": value for key, value in config.items()}},
        commit="a" * 40,
    )


LIFE = [entry(3, 50), entry(2, 10, "promote: 0 -> 10 %"), entry(1, 0)]


def test_level_1_sets_the_percentage_and_nothing_else() -> None:
    worked_out = rollback_plan.plan(LIFE, LIFE[0].config, RollbackRequest(LEVELS[1], reason="slow"))
    (step,) = worked_out.steps
    assert stack_config.changes(LIFE[0].config, step.config) == ({"friday-litellm:rolloutPercentage": "0"}, [])
    assert step.message == "rollback: level 1, 50 -> 0 %: slow"
    assert (worked_out.percentage, worked_out.target) == (0, None)


def test_level_1_takes_testers_off_the_gateway_too() -> None:
    tested = entry(4, 0, testers="[7,70]")
    worked_out = rollback_plan.plan([tested, *LIFE], tested.config, RollbackRequest(LEVELS[1]))
    assert stack_config.changes(tested.config, worked_out.steps[0].config) == ({}, ["friday-litellm:testers"])


def test_level_2_brings_the_testers_of_the_last_good_update_back() -> None:
    tested = entry(4, 0, testers="[7]")
    new = entry(5, 10)
    worked_out = rollback_plan.plan([new, tested, *LIFE], new.config, RollbackRequest(LEVELS[2]))
    assert worked_out.steps[0].config["friday-litellm:testers"] == "[7]"


def test_level_2_restores_all_settings_of_the_last_good_update_together() -> None:
    new = entry(4, 100, friday='{"image":"registry.example/friday:2"}', models="[]")
    worked_out = rollback_plan.plan([new, *LIFE], new.config, RollbackRequest(LEVELS[2]))
    assert worked_out.target == LIFE[0]
    changed, gone = stack_config.changes(new.config, worked_out.steps[0].config)
    assert changed == {"friday-litellm:rolloutPercentage": "50"}
    assert gone == ["friday-litellm:friday", "friday-litellm:models"]
    assert worked_out.steps[0].message == "rollback: level 2, 100 -> 50 %, to the update of 2026-11-24T08:03:30Z"


def test_how_the_hosts_are_reached_is_nothing_to_go_back_to() -> None:
    first = entry(4, 100, ssh='{"identityFile": "/home/first/key"}', dockerHost="ssh://first@h", swarmHosts="[]")
    second = entry(5, 50, ssh="{}", dockerHost="ssh://second@h")
    (step,) = rollback_plan.plan([second, first], second.config, RollbackRequest(LEVELS[2])).steps
    assert stack_config.changes(second.config, step.config) == ({"friday-litellm:rolloutPercentage": "100"}, [])
    assert history.good_targets([entry(6, 100, ssh="{}"), first]) == []


def test_level_3_takes_friday_off_before_the_gateway_goes() -> None:
    off, gone = rollback_plan.plan(LIFE, LIFE[0].config, RollbackRequest(LEVELS[3])).steps
    assert off.config["friday-litellm:litellmEnabled"] == "false"
    assert json.loads(off.config["friday-litellm:litellm"])["replicas"] == 2
    assert json.loads(gone.config["friday-litellm:litellm"]) == {"memoryMb": 640, "replicas": 0}


def test_a_rollback_is_not_gone_back_to_and_nor_is_what_it_undid() -> None:
    back = entry(4, 10, f"rollback: level 2, 50 -> 10 %, {history.going_back(LIFE[1])}")
    assert [each.percentage for each in history.good_targets([back, *LIFE])] == [0]


@pytest.mark.parametrize(
    ("to", "percentage"), [("1", 10), ("2", 0), ("2026-11-24T08:01", 0), ("2026-11-24T08:02:30Z", 10)]
)
def test_an_update_is_named_by_number_or_time(to: str, percentage: int) -> None:
    assert rollback_plan.find(LIFE, to).percentage == percentage


@pytest.mark.parametrize("to", ["0", "3", "2026-11-24", "2026", "yesterday", "2025-01-01T00:00"])
def test_a_name_of_none_or_several_is_refused(to: str) -> None:
    with pytest.raises(OperationError) as caught:
        rollback_plan.find(LIFE, to)
    assert caught.value.exit_code == 2
    assert "--list" in caught.value.fix


@pytest.mark.parametrize("entries", [[], [Entry.model_validate({**LIFE[0].model_dump(), "kind": "destroy"}), *LIFE]])
def test_without_a_deployed_stack_there_is_nothing_to_roll_back(entries: list[Entry]) -> None:
    for level in LEVELS.values():
        with pytest.raises(OperationError, match="nothing is deployed"):
            rollback_plan.plan(entries, BASE, RollbackRequest(level))


def test_without_another_good_update_level_1_is_named() -> None:
    with pytest.raises(OperationError) as caught:
        rollback_plan.plan(LIFE[2:], BASE, RollbackRequest(LEVELS[2]))
    assert "--level 1" in caught.value.fix


def test_the_help_and_the_plan_name_every_level_with_what_it_is_promised_to_take() -> None:
    page = (ROOT / "docs" / "MIGRATION_PLAN.md").read_text(encoding="utf-8")
    for level in LEVELS.values():
        promised = in_words(dt.timedelta(seconds=level.seconds))
        assert f"{promised}  {level.words}" in EPILOG
        assert re.search(rf"^\| {level.number} \| `[^`]+` \| {promised}: ", page, re.MULTILINE)


def test_a_further_level_takes_no_more_than_its_line() -> None:
    """Its code is the commit's, as level 4's, and it goes to nobody, as level 1's: no number is compared anywhere."""
    further = replace(LEVELS[4], number=5, steps=LEVELS[1].steps)
    found = rollback_plan.plan(LIFE, LIFE[0].config, RollbackRequest(further))
    assert (found.target, found.percentage) == (LIFE[1], 0)
    assert found.steps[0].message.startswith("rollback: level 5, 50 -> 0 %, to the update of")
    numbers = re.compile(r"level\w*(\.number)? (==|!=|in) [0-9(]")
    rooms = [path for room in ("ops", "cli") for path in (ROOT / room).rglob("*.py")]
    assert [path.name for path in rooms if numbers.search(path.read_text(encoding="utf-8"))] == []


SETTINGS = st.dictionaries(
    st.sampled_from(["engine", "edge", "models", "rolloutPercentage"]).map("friday-litellm:{}".format),
    st.sampled_from(["1", "container", '{"a":1,"b":[2]}', '{"b":[2],"a":1}', "[]", "{not json"]),
)


@given(SETTINGS, SETTINGS)
def test_changes_lead_from_any_settings_to_any_others(today: dict[str, str], wanted: dict[str, str]) -> None:
    changed, gone = stack_config.changes(today, wanted)
    after = {key: value for key, value in {**today, **changed}.items() if key not in gone}
    assert stack_config.changes(after, wanted) == ({}, [])
    assert not set(changed) & set(gone)
    written = json.loads(stack_config.as_pulumi_json(changed))
    assert {key: each["value"] for key, each in written.items()} == changed
