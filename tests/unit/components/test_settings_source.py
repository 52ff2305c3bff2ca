"""Every wrong setting is one message: file and line, key, expectation, what was found, fix."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from components.catalogue import FRIDAY_DEFAULT
from components.settings.source import SettingsError, from_pulumi, from_stack_file, generated_secrets
from components.settings.stack import GENERATED_KEYS, INNER_SECRETS, SECRET_KEYS, SECRET_MAP
from testing.secret_settings import secret_paths
from tests.unit.given import LOCAL, SECRETS, stack_file

MODELS: list[dict[str, Any]] = [
    {"name": f"m{n}", "id": f"vendor/m{n}:free", "aliases": [f"alias-{n}"]} for n in range(5)
]
MODELS[-1]["aliases"] = [FRIDAY_DEFAULT]


def changed(index: int, **changes: Any) -> list[dict[str, Any]]:
    return [{**model, **changes} if n == index else model for n, model in enumerate(MODELS)]


def message(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        from_stack_file(path, SECRETS)
    return str(caught.value)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"rolloutPercentage": 101}, ["rolloutPercentage", "a whole number from 0 to 100", "got 101"]),
        ({"rolloutPercentage": -1}, ["rolloutPercentage", "a whole number from 0 to 100", "got -1"]),
        ({"rolloutPercentage": "ten"}, ["rolloutPercentage", "a whole number from 0 to 100", "got 'ten'"]),
        ({"rolloutPercentage": 10.5}, ["rolloutPercentage", "a whole number from 0 to 100", "got 10.5"]),
        ({"rolloutPercentage": True}, ["rolloutPercentage", "a whole number from 0 to 100", "got True"]),
        ({"rolloutPercent": 10}, ["friday-litellm:rolloutPercent", "is not a setting", "rolloutPercentage"]),
        ({"engine": "kubernetes"}, ["engine", "container (one host) or swarm", "kubernetes"]),
        ({"dockerHost": "http://x"}, ["dockerHost", "unix:///path", "http://x"]),
        ({"edge": {"port": 0}}, ["edge.port", "a port from 1 to 65535", "got 0"]),
        ({"edge": {"port": 70000}}, ["edge.port", "a port from 1 to 65535", "got 70000"]),
        ({"edge": {"port": 4000}}, ["edge.port and edge.gatewayPort should differ", "4000"]),
        ({"edge": {"prt": 3000}}, ["edge.prt", "is not a setting", "gatewayPort"]),
        ({"monitoring": {"port": 3000}}, ["edge.port and monitoring.port should differ", "3000"]),
        ({"monitoring": {"scrapeSeconds": 0}}, ["monitoring.scrapeSeconds", "seconds from 1 to 60", "got 0"]),
        ({"monitoring": {"retentionDays": 1}}, ["monitoring.retentionDays", "days from 3 to 400", "got 1"]),
        ({"monitoring": {"maxDataMb": 10}}, ["monitoring.maxDataMb", "MiB from 512", "got 10"]),
        ({"monitoring": {"placement": "the big one"}}, ["monitoring.placement", "node.hostname==", "the big one"]),
        ({"monitoring": {"redisExporter": {"image": "x"}}}, ["monitoring.redisExporter.image", "without tag"]),
        ({"litellm": {"image": "Not An Image"}}, ["litellm.image", "an image with a tag or a digest"]),
        ({"litellm": {"image": "litellm"}}, ["litellm.image", "without tag or digest"]),
        ({"models": changed(1, id="vendor/m1")}, ["models.1.id", ":free", "vendor/m1"]),
        ({"models": changed(1, aliases=["alias-0"])}, ["alias-0", "once"]),
        ({"models": MODELS[:3]}, ["models", "5"]),
        ({"models": changed(4, aliases=[])}, [FRIDAY_DEFAULT, "Friday asks for by default"]),
        ({"models": MODELS, "fallbackOrder": ["m0", "nobody"]}, ["nobody"]),
        ({"models": MODELS, "fallbackOrder": ["m0"]}, ["friday-litellm:fallbackOrder: should be", "got 1 entries"]),
        (
            {"friday": {"environment": {"LITELLM_BASE_URL": "http://x"}}},
            ["LITELLM_BASE_URL", "stack sets these"],
        ),
        ({"friday": {"directModel": "openai/gpt-4o"}}, ["friday.directModel", ":free", "openai/gpt-4o"]),
        ({"friday": []}, ["friday", "a map of Friday's settings"]),
        ({"router": {"allowedFails": 11}}, ["allowed"]),
        ({"openrouterApiKey": "plain-text-secret-0123"}, ["openrouterApiKey", "encrypted", "--secret"]),
    ],
)
def test_a_wrong_setting_names_file_line_key_expectation_and_fix(
    tmp_path: Path, config: dict[str, Any], expected: list[str]
) -> None:
    text = message(stack_file(tmp_path, config))
    assert text.startswith("Pulumi.t.yaml:")
    for part in [*expected, "fix: "]:
        assert part in text


def test_the_line_of_a_nested_setting_is_named(tmp_path: Path) -> None:
    text = "config:\n  friday-litellm:upstream: simulator\n  friday-litellm:edge:\n    port: 99999\n"
    assert message(stack_file(tmp_path, text=text)).startswith("Pulumi.t.yaml:4: friday-litellm:edge.port:")


def test_an_entry_that_is_wrong_does_not_make_its_list_too_short(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        from_stack_file(stack_file(tmp_path, {"models": changed(1, id="vendor/m1")}), SECRETS)
    assert [problem.key for problem in caught.value.problems] == ["friday-litellm:models.1.id"]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = message(stack_file(tmp_path, {"rolloutPercentage": 101, "engine": "x"}))
    assert "rolloutPercentage" in text
    assert "engine" in text


@pytest.mark.parametrize("key", ["openrouterApiKey", "jwtSecret", *GENERATED_KEYS])
def test_a_missing_secret_names_the_command_that_sets_it(tmp_path: Path, key: str) -> None:
    path = stack_file(tmp_path, {"upstream": "openrouter"})
    generated = "./fridayctl up t generates it; or " if key in GENERATED_KEYS else ""
    assert f"{key}: should be a secret" in message(path)
    assert f"(it is missing)\n  fix: {generated}pulumi config set --secret {key} -s t" in message(path)


def test_only_what_the_next_update_generates_may_be_to_come(tmp_path: Path) -> None:
    path = stack_file(tmp_path, {"upstream": "openrouter", "openrouterApiKey": {"secure": "v1:x"}})
    with pytest.raises(SettingsError) as caught:
        from_stack_file(path, SECRETS, {key: f"to-come-{key}-0123456789" for key in GENERATED_KEYS})
    assert [problem.key for problem in caught.value.problems] == ["friday-litellm:jwtSecret"]


@pytest.mark.parametrize(("key", "other"), [*combinations(("gatewayKey", "edgeKey", "opsKey"), 2)])
def test_keys_that_open_different_things_differ(tmp_path: Path, key: str, other: str) -> None:
    with pytest.raises(SettingsError, match=f"{key} and {other} should differ"):
        from_stack_file(stack_file(tmp_path), {**SECRETS, key: SECRETS[other]})


def test_every_secret_is_listed_so_that_none_stands_in_the_open() -> None:
    assert {*SECRET_KEYS, SECRET_MAP, *INNER_SECRETS} == set(secret_paths())


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    path = stack_file(tmp_path, {"jwtSecret": "short"})
    assert "short" not in message(path).replace("should", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config: [", "should be YAML"),
        ("config:\n  a: 1\n  a: 2\n", "should be there once"),
        ("config: 7", "should be a map of settings"),
        ("# nothing", "should be a map of settings"),
        ("[]", "should be a map of settings"),
        ("config: {a: 2026-99-99}", "should be YAML"),
        ("config: {friday-litellm:models: &a [*a]}", "should be YAML (an anchor that grows without end)"),
        (f"config: {'[' * 3000}", "should be YAML"),
        ("config:\n  friday-litelm:engine: swarm\n", "should start with friday-litellm:"),
    ],
)
def test_a_file_that_is_not_settings_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in message(stack_file(tmp_path, text=text))


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "Pulumi.t.yaml"
    folder.mkdir()
    assert "should be readable" in message(folder)


def test_encrypted_values_count_as_given(tmp_path: Path) -> None:
    secrets = {key: {"secure": f"v1:{key}"} for key in SECRETS}
    found = from_stack_file(stack_file(tmp_path, {"upstream": "openrouter", **secrets}), {})
    assert found.upstream == "openrouter"


def test_a_secret_of_fridays_in_the_open_is_refused(tmp_path: Path) -> None:
    secrets = {"DATABASE_URL": "postgres://u:p@db/friday", "SMTP_KEY": {"secure": "v1:x"}}
    said = message(stack_file(tmp_path, {"fridaySecrets": secrets}))
    assert "friday-litellm:fridaySecrets.DATABASE_URL: should be encrypted (found plain)" in said
    assert "SMTP_KEY" not in said
    assert "postgres" not in said


def test_generated_secrets_serve_the_simulator_only(tmp_path: Path) -> None:
    assert from_stack_file(stack_file(tmp_path), SECRETS).gateway_key.get_secret_value() == SECRETS["gatewayKey"]
    with pytest.raises(SettingsError, match="openrouterApiKey"):
        from_stack_file(stack_file(tmp_path, {"upstream": "openrouter"}), SECRETS)


def test_the_program_reads_the_strings_that_pulumi_hands_over() -> None:
    config = {
        f"friday-litellm:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in LOCAL.items()
    }
    found = from_pulumi({**config, "friday-litellm:rolloutPercentage": "10"}, "t", SECRETS)
    assert found.rollout_percentage == 10
    assert found.friday.environment["OWNER_OPEN_ID"] == "o"
    with pytest.raises(SettingsError, match=r"Pulumi\.t\.yaml: friday-litellm:rolloutPercentage: .*got '101'"):
        from_pulumi({**config, "friday-litellm:rolloutPercentage": "101"}, "t", SECRETS)


@given(strategies.integers(min_value=0, max_value=100))
def test_every_percentage_is_read_back(percentage: int) -> None:
    assert read_percentage(str(percentage)) == percentage


@given(strategies.one_of(strategies.integers(max_value=-1), strategies.integers(min_value=101)).map(str))
def test_no_percentage_outside_is_accepted(value: str) -> None:
    with pytest.raises(SettingsError, match="a whole number from 0 to 100"):
        read_percentage(value)


@given(strategies.text(alphabet="abcxyz.%-+,{[ \n", min_size=1))
def test_no_text_is_a_percentage(value: str) -> None:
    with pytest.raises(SettingsError, match="a whole number from 0 to 100"):
        read_percentage(value)


def read_percentage(value: str) -> int:
    config = {"friday-litellm:upstream": "simulator", "friday-litellm:rolloutPercentage": value}
    return from_pulumi(config, "t", SECRETS).rollout_percentage


def test_generated_secrets_come_from_the_state_directory(tmp_path: Path) -> None:
    assert generated_secrets({"FRIDAY_STATE_DIR": str(tmp_path)}) == {}
    (tmp_path / "secrets.json").write_text('{"gatewayKey": "k"}')
    assert generated_secrets({"FRIDAY_STATE_DIR": str(tmp_path)}) == {"gatewayKey": "k"}
    (tmp_path / "secrets.json").write_text("[")
    with pytest.raises(SettingsError, match="should be readable JSON"):
        generated_secrets({"FRIDAY_STATE_DIR": str(tmp_path)})
