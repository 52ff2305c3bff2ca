"""`fridayctl doctor` finds what is missing, says how to fix it, and changes nothing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.doctor import doctor_command
from ops.checks.report import State
from ops.commands import setup
from tests.unit.toolchain import conftest
from tests.unit.toolchain.conftest import Stub
from toolchain import paths
from toolchain.local_state import LOCAL_STATE

stub = conftest.stub
user = conftest.user


def test_an_empty_machine(stub: Stub, user: Path) -> None:
    result = CliRunner().invoke(doctor_command, ["--json"])
    assert result.exit_code == 1
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    missing = {name for name, check in checks.items() if not check["ok"]}
    assert missing >= {
        "local state",
        "pulumi",
        "language host",
        "docker provider",
        "docker engine",
        "images",
    }
    assert checks["docker engine"]["found"] == "the docker command is not installed"
    assert checks["python"]["ok"]
    assert checks["go"]["ok"]
    assert all(checks[name]["fix"] for name in missing)
    assert list(user.iterdir()) == []


def test_broken_secrets_are_a_finding_and_no_crash(stub: Stub) -> None:
    LOCAL_STATE.run(lambda line: None)
    paths.secrets_file().write_text("{", encoding="utf-8")
    paths.secrets_file().chmod(0o600)
    check = next(check for check in setup.examine() if check.name == "local state")
    assert check.state is State.FAILED
    assert "JSON" in check.found
    assert "backup" in check.fix


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_the_table_and_the_exit_code(monkeypatch: pytest.MonkeyPatch, ok: bool, code: int) -> None:
    monkeypatch.setattr(setup, "examine", lambda: [setup._check("tool", "1 [x]", "2", ok, "fix it so")])
    result = CliRunner().invoke(doctor_command)
    assert result.exit_code == code
    assert "1 [x]" in result.stdout
    assert ("tool: fix it so" in result.stdout) is not ok
