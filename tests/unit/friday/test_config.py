"""The environment contract: what is read, and what ends the start."""

from pathlib import Path

import pytest

from friday.llm.config import LlmConfig, read_environment
from friday.llm.errors import ConfigurationError
from friday.service.settings import ServiceSettings
from tests.unit.friday.given import ENVIRONMENT, KEY


def settings(**changes: str) -> ServiceSettings:
    return read_environment(ServiceSettings, ENVIRONMENT | changes)


def refused(**changes: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings(**changes)
    return str(caught.value)


def test_defaults_are_fridays() -> None:
    config = read_environment(LlmConfig, {})
    assert not config.enable_litellm
    assert config.rollout_percentage == 0
    assert config.litellm_base_url == "http://localhost:4000"
    assert config.openrouter_model == "z-ai/glm-4.5-air:free"
    assert config.openrouter_base_url == "https://openrouter.ai/api/v1"
    assert config.deadline_seconds == 30
    assert config.demands == {}


def test_what_is_asked_of_providers_is_allow_or_deny() -> None:
    asked = settings(OPENROUTER_DATA_COLLECTION="deny", OPENROUTER_ZDR="true").demands
    assert asked == {"data_collection": "deny", "zdr": True}
    assert "OPENROUTER_DATA_COLLECTION: expected allow or deny" in refused(OPENROUTER_DATA_COLLECTION="no")


@pytest.mark.parametrize("value", ["TRUE", "True", "1", "yes", " true", "", "false"])
def test_only_the_string_true_switches_litellm_on(value: str) -> None:
    assert not settings(ENABLE_LITELLM=value).enable_litellm


def test_true_switches_litellm_on() -> None:
    assert settings(ENABLE_LITELLM="true").enable_litellm


@pytest.mark.parametrize(("value", "expected"), [("0", 0), ("10", 10), (" 50 ", 50), ("100", 100), ("007", 7)])
def test_percentage(value: str, expected: int) -> None:
    assert settings(LITELLM_ROLLOUT_PERCENTAGE=value).rollout_percentage == expected


@pytest.mark.parametrize("value", ["101", "-1", "ten", "10.5", "1_0", "10%", "1e1", "٣", "9" * 40])
def test_a_wrong_percentage_names_variable_expectation_and_fix(value: str) -> None:
    message = refused(LITELLM_ROLLOUT_PERCENTAGE=value)
    assert "LITELLM_ROLLOUT_PERCENTAGE: expected an integer from 0 to 100" in message
    assert repr(value) in message
    assert "set LITELLM_ROLLOUT_PERCENTAGE=10" in message


@pytest.mark.parametrize("name", ["JWT_SECRET", "OWNER_OPEN_ID", "DATABASE_URL", "VITE_APP_ID"])
@pytest.mark.parametrize("value", [None, ""])
def test_required(name: str, value: str | None) -> None:
    environ = {**ENVIRONMENT, name: value or ""}
    if value is None:
        del environ[name]
    with pytest.raises(ConfigurationError) as caught:
        read_environment(ServiceSettings, environ)
    assert caught.value.field == name
    assert f"{name}: expected " in str(caught.value)
    assert "found nothing" in str(caught.value)
    assert f"{name}_FILE=" in str(caught.value)


def test_all_problems_in_one_message() -> None:
    message = refused(PORT="0", OPENROUTER_MODEL="openai/gpt-4o", JWT_SECRET="")
    assert message.count("expected") == 3
    for name in ("PORT", "OPENROUTER_MODEL", "JWT_SECRET"):
        assert f"\n  {name}: " in message


@pytest.mark.parametrize("value", ["openai/gpt-4o", "glm:free", ":free", "x/y:free:paid", "a b/c:free", "x/y:FREE"])
def test_the_direct_model_must_be_free(value: str) -> None:
    assert "OPENROUTER_MODEL: expected the id of a free model" in refused(OPENROUTER_MODEL=value)


def test_litellms_prefix_is_dropped_from_the_direct_model() -> None:
    found = settings(OPENROUTER_MODEL="openrouter/z-ai/glm-4.5-air:free")
    assert found.openrouter_model == "z-ai/glm-4.5-air:free"


@pytest.mark.parametrize(
    "value",
    [
        "edge:4000",
        "ftp://edge",
        "http://",
        "http://edge:99999",
        "http://u:p@edge",
        "http://e/?x=1",
        "http://[e",
        "http://a b",
    ],
)
@pytest.mark.parametrize("name", ["LITELLM_BASE_URL", "OPENROUTER_BASE_URL"])
def test_a_base_url_must_be_one(value: str, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(**{name: value})
    assert caught.value.field == name
    assert f"{name}: expected the http(s) URL of " in str(caught.value)


def test_a_trailing_slash_does_not_matter() -> None:
    assert settings(LITELLM_BASE_URL="http://e:1/v1/").litellm_base_url == "http://e:1/v1"


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "601", "soon"])
def test_the_deadline_is_sane(value: str) -> None:
    assert "LLM_DEADLINE_SECONDS: expected seconds" in refused(LLM_DEADLINE_SECONDS=value)


def test_secrets_from_files(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    environ = {**ENVIRONMENT, "OPENROUTER_API_KEY": "", "OPENROUTER_API_KEY_FILE": str(file)}
    assert read_environment(ServiceSettings, environ).openrouter_api_key.get_secret_value() == "from-file"


def test_a_value_and_a_file_are_one_too_many(tmp_path: Path) -> None:
    assert "unset one of them" in refused(OPENROUTER_API_KEY_FILE=str(tmp_path / "key"))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "none"
    message = refused(JWT_SECRET="", JWT_SECRET_FILE=str(path))
    assert f"JWT_SECRET: expected a readable file, found JWT_SECRET_FILE={path} (No such file" in message
    path.write_bytes(b"\xff\xfe")
    assert "not UTF-8 text" in refused(JWT_SECRET="", JWT_SECRET_FILE=str(path))
    path.write_text("\n")
    assert "found an empty file" in refused(JWT_SECRET="", JWT_SECRET_FILE=str(path))


@pytest.mark.parametrize("value", ["two words", "nøgle", "line\nend"])
def test_a_key_that_no_header_can_carry(value: str) -> None:
    message = refused(OPENROUTER_API_KEY=value)
    assert "OPENROUTER_API_KEY: expected the key of the direct path, found a secret value" in message
    assert value not in message


def test_no_message_or_repr_holds_a_secret() -> None:
    assert KEY not in refused(PORT="x")
    found = settings()
    assert KEY not in repr(found)
    assert ENVIRONMENT["DATABASE_URL"] not in repr(found)


@pytest.mark.parametrize(("value", "expected"), [("7", {7}), ("7, 70,0", {0, 7, 70}), ("", set())])
def test_testers_are_ids_with_commas_between_them(value: str, expected: set[int]) -> None:
    assert settings(LITELLM_TESTERS=value).testers == expected


@pytest.mark.parametrize("value", ["all", "7,", "-1", "1-9", "7;70"])
def test_testers_that_are_no_ids_are_refused(value: str) -> None:
    assert "LITELLM_TESTERS: expected user ids with commas between them" in refused(LITELLM_TESTERS=value)
