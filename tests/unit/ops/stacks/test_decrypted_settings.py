"""Secrets of a stack file are decrypted by Pulumi, and only when the file has any."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from components.settings.stack import GENERATED_KEYS, SECRET_KEYS
from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import decrypted_settings
from ops.stacks.missing_secrets import missing_secrets
from ops.stacks.stack_file import NOT_GENERATED
from tests.unit.given import settings, stack_file


def read(monkeypatch: pytest.MonkeyPatch, path: Path, opened: Any) -> Any:
    monkeypatch.setattr(decrypted_settings, "stack_file", lambda _: path)
    monkeypatch.setattr(decrypted_settings, "open_stack", opened)
    return decrypted_settings.reveal("t", settings())


def test_a_file_without_secrets_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, stack_file(tmp_path), lambda _: pytest.fail("asked"))
    assert found == settings()


def test_encrypted_secrets_are_what_pulumi_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stack_file(tmp_path, {"gatewayKey": {"secure": "v1:x"}})
    config = {f"friday-litellm:{key}": auto.ConfigValue(f"revealed-{key}-0123456789", True) for key in SECRET_KEYS}
    config["friday-litellm:upstream"] = auto.ConfigValue("simulator")
    found = read(monkeypatch, path, lambda _: SimpleNamespace(get_all_config=lambda: config))
    assert found.gateway_key.get_secret_value() == "revealed-gatewayKey-0123456789"


def test_a_secret_that_the_next_update_generates_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stack_file(tmp_path, {"openrouterApiKey": {"secure": "v1:x"}})
    given = {key: f"revealed-{key}-0123456789" for key in SECRET_KEYS if key not in GENERATED_KEYS}
    config = {f"friday-litellm:{key}": auto.ConfigValue(value, True) for key, value in given.items()}
    config["friday-litellm:upstream"] = auto.ConfigValue("openrouter")
    to_come = settings(**{key: f"{NOT_GENERATED}{key}" for key in GENERATED_KEYS})
    monkeypatch.setattr(decrypted_settings, "stack_file", lambda _: path)
    monkeypatch.setattr(decrypted_settings, "open_stack", lambda _: SimpleNamespace(get_all_config=lambda: config))
    found = decrypted_settings.reveal("t", to_come)
    assert found.openrouter_api_key.get_secret_value() == given["openrouterApiKey"]
    assert missing_secrets(found).keys() == {*GENERATED_KEYS}


def test_a_secrets_provider_that_refuses_is_told_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise auto.CommandError(auto.CommandResult("", "error: the key vault refuses", 255))

    path = stack_file(tmp_path, {"gatewayKey": {"secure": "v1:x"}})
    with pytest.raises(OperationError, match="cannot be decrypted") as caught:
        read(monkeypatch, path, lambda _: SimpleNamespace(get_all_config=refuse))
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.details == "error: the key vault refuses"
