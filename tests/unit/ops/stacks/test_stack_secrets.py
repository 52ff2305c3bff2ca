"""Secrets that nobody gave are generated once, handed to Pulumi where nobody sees them, and told by name only.

Those of a stack file are decrypted by Pulumi, and only when the file has any.
"""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation as auto

from components.settings.stack import GENERATED_KEYS, SECRET_KEYS
from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import stack_secrets
from ops.stacks.stack_file import NOT_GENERATED
from ops.stacks.stack_secrets import generate_missing, missing_secrets
from tests.unit.given import settings, stack_file

STACK: Any = SimpleNamespace(name="t")


class Pulumi:
    """Stands in for the command: it keeps what it was called with."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.calls: list[tuple[list[str], str]] = []

    def __call__(self, command: list[str], *, input: str, **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append((command, input))
        return subprocess.CompletedProcess(command, self.code, "", "error: the key vault refuses\n")


def generate(monkeypatch: pytest.MonkeyPatch, pulumi: Pulumi, *to_come: str) -> list[str]:
    told: list[str] = []
    read = settings(**{key: f"{NOT_GENERATED}{key}" for key in to_come})
    monkeypatch.setattr(stack_secrets, "read_settings", lambda _: read)
    monkeypatch.setattr(subprocess, "run", pulumi)
    generate_missing(STACK, told.append)
    return told


def test_each_is_new_and_long_and_on_no_command_line_and_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi()
    told = generate(monkeypatch, pulumi, "gatewayKey", "redisPassword")
    made = [value for _, value in pulumi.calls]
    assert [command[4] for command, _ in pulumi.calls] == ["gatewayKey", "redisPassword"]
    assert made[0].startswith("sk-")
    assert made[0] != made[1]
    assert all(len(value) > 40 for value in made)
    assert not any(value in " ".join([*command, *told]) for command, _ in pulumi.calls for value in made)


def test_what_is_given_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi = Pulumi()
    assert generate(monkeypatch, pulumi) == []
    assert pulumi.calls == []


def test_a_pulumi_that_cannot_encrypt_is_told_before_anything_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperationError, match="opsKey cannot be generated") as caught:
        generate(monkeypatch, Pulumi(code=255), "opsKey")
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.details == "error: the key vault refuses"
    assert "pulumi config set --secret opsKey -s t" in caught.value.fix


def read(monkeypatch: pytest.MonkeyPatch, path: Path, opened: Any) -> Any:
    monkeypatch.setattr(stack_secrets, "stack_file", lambda _: path)
    monkeypatch.setattr(stack_secrets, "open_stack", opened)
    return stack_secrets.reveal("t", settings())


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
    monkeypatch.setattr(stack_secrets, "stack_file", lambda _: path)
    monkeypatch.setattr(stack_secrets, "open_stack", lambda _: SimpleNamespace(get_all_config=lambda: config))
    found = stack_secrets.reveal("t", to_come)
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
