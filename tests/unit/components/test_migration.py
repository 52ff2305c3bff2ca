"""A migration: what it is declared as, and what makes it run again."""

from pathlib import Path
from typing import Any

import pytest

from components.migration import Migration, migration
from components.settings.source import SettingsError, from_stack_file
from tests.unit.declared import CONTAINER, IMAGES, by_part, declare
from tests.unit.given import LOCAL, SECRETS, settings, stack_file

OWN = {
    **LOCAL["friday"],
    "image": "registry.example/friday:1",
    "user": "1000:1000",
    "networks": ["database"],
    "writable": [{"path": "/app/uploads", "kind": "volume"}],
    "migrate": {"command": ["node", "dist/migrate.js"], "seconds": 90},
}


def planned(friday: dict[str, Any] | None = None, **changes: Any) -> Migration:
    found = migration("t", settings(**{"friday": {**OWN, **(friday or {})}, **changes}), IMAGES)
    assert found
    return found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"migrate": {"command": []}}, ["friday.migrate.command", "safe to repeat", "got 0 entries"]),
        ({"migrate": {}}, ["friday.migrate.command", "got missing"]),
        ({"migrate": {"command": ["x"], "seconds": 0}}, ["friday.migrate.seconds", "seconds from 1 to 86400"]),
        ({"migrate": "x"}, ["friday.migrate", "a map of the command"]),
        ({"migrate": {"command": ["x"], "image": "y"}}, ["friday.migrate.image", "known here: command, seconds"]),
        ({"image": None}, ["friday", "migrate should be left out without friday.image"]),
    ],
)
def test_a_wrong_word_about_it_is_refused(tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        from_stack_file(stack_file(tmp_path, {"friday": {**OWN, **changes}}), SECRETS)
    for part in [*expected, "Pulumi.t.yaml:", "fix: "]:
        assert part in str(caught.value)


def test_it_is_as_friday_is_but_for_its_command_and_the_stacks_networks() -> None:
    found = planned()
    (friday, *_) = by_part(declare(settings(friday=OWN)))["friday"]
    workload = found.workload
    assert workload.command == ("node", "dist/migrate.js")
    assert (found.seconds, workload.networks, workload.outer_networks) == (90, (), ("database",))
    assert (workload.user, workload.memory_mb) == (friday["user"], friday["memory"])
    assert workload.volume_name("t", "app-uploads") == "friday-t-friday-app-uploads"
    assert {"JWT_SECRET", "OPENROUTER_API_KEY"} <= workload.secret_env.keys()


def test_without_the_setting_there_is_none_and_nothing_else_changes() -> None:
    without = {key: value for key, value in OWN.items() if key != "migrate"}
    assert migration("t", settings(friday=without), IMAGES) is None
    assert declare(settings(friday=OWN)).of(CONTAINER) == declare(settings(friday=without)).of(CONTAINER)


@pytest.mark.parametrize(
    "changes",
    [
        {"rolloutPercentage": 50},
        {"litellmEnabled": False},
        {"jwtSecret": "another-secret-0123456789"},
        {"friday": {"replicas": 3, "memoryMb": 512, "stopGraceSeconds": 90}},
        {"friday": {"migrate": {**OWN["migrate"], "seconds": 600}}},
    ],
)
def test_what_is_nothing_to_a_database_does_not_make_it_run_again(changes: dict[str, Any]) -> None:
    assert planned(changes.pop("friday", None), **changes).digest("sha256:1") == planned().digest("sha256:1")


@pytest.mark.parametrize(
    "changes",
    [
        {"friday": {"image": "registry.example/friday:2"}},
        {"friday": {"migrate": {"command": ["node", "other.js"]}}},
        {"friday": {"environment": {**LOCAL["friday"]["environment"], "DATABASE_URL": "file:y"}}},
        {"friday": {"user": "root"}},
        {"friday": {"networks": ["database", "mail"]}},
        {"friday": {"writable": []}},
        {"fridaySecrets": {"DATABASE_PASSWORD": "secret"}},
    ],
)
def test_whatever_else_it_does_makes_it_run_again(changes: dict[str, Any]) -> None:
    assert planned(changes.pop("friday", None), **changes).digest("sha256:1") != planned().digest("sha256:1")


def test_an_image_that_was_built_again_under_its_name_is_another_one() -> None:
    assert planned().digest("sha256:1") != planned().digest("sha256:2")
