"""Secrets that nobody gave are generated once, handed to Pulumi where nobody sees them, and told by name only."""

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from ops.errors import EXIT_USAGE, OperationError
from ops.stacks import missing_secrets
from ops.stacks.missing_secrets import generate_missing
from ops.stacks.stack_file import NOT_GENERATED
from tests.unit.given import settings

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
    monkeypatch.setattr(missing_secrets, "read_settings", lambda _: read)
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
