"""`fridayctl doctor` finds what is missing, says how to fix it, and changes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.doctor import doctor_command
from components.settings.source import Problem, SettingsError
from ops.checks.report import Check, State
from ops.commands import setup
from ops.deployment import Deployment
from ops.errors import OperationError
from ops.hosts.machine import Space, ThisMachine
from tests.unit.ops.engine import VERSION
from tests.unit.recorded_engines import ENGINE_20, PODMAN, ROOTLESS
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


CONTEXT = {"Name": "default", "Endpoints": {"docker": {"Host": "unix:///var/run/docker.sock"}}, "Storage": {}}


def of_engine(stub: Stub, info: dict[str, Any], version: dict[str, Any] = VERSION) -> dict[str, Check]:
    """Return the checks of a machine whose `docker` talks to such an engine, and has none of the images."""
    answers = {"context": CONTEXT, "version": version, "info": info}
    cases = " ".join(f"{verb}) echo '{json.dumps(answer)}';;" for verb, answer in answers.items())
    stub("docker", f'case "$1" in {cases} *) exit 1;; esac')
    return {check.name: check for check in setup.examine()}


@pytest.mark.parametrize(
    ("info", "state", "found"),
    [
        ({**ENGINE_20, "CgroupVersion": "2"}, State.OK, "cgroup v2, classic image store"),
        (ENGINE_20, State.WARNING, "its host uses cgroup v1, which Docker supports until May 2029"),
        (ROOTLESS, State.FAILED, "the Docker engine is rootless and cannot limit memory"),
    ],
)
def test_how_the_engine_runs_containers(stub: Stub, info: dict[str, Any], state: State, found: str) -> None:
    checks = of_engine(stub, info)
    assert checks["docker endpoint"].found == "unix:///var/run/docker.sock"
    assert checks["docker engine"].state is State.OK
    assert checks["containers"].state is state
    assert found in checks["containers"].found
    assert bool(checks["containers"].fix) is (state is not State.OK)


def test_podman_is_no_engine(stub: Stub) -> None:
    checks = of_engine(stub, {}, PODMAN)
    assert checks["docker engine"].state is State.FAILED
    assert checks["docker engine"].found == "Podman 4.3.1 answers, and a Docker engine is needed"
    assert "containers" not in checks


def test_images_that_are_missing_and_have_no_room_are_one_line(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThisMachine, "space", lambda *_: Space(0, 1 << 29))
    check = of_engine(stub, ENGINE_20)["images"]
    assert check.found.startswith("some are missing; too little disk for the images: 1.0 GiB are needed, 0.5 GiB")
    assert "docker system df" in check.fix


@pytest.mark.parametrize("wrong", ["engines", "settings"])
def test_an_engine_that_is_not_the_local_stacks_is_told_with_its_fix(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    def refuse(_: Deployment) -> None:
        if wrong == "engines":
            raise OperationError("should lead to one engine", "unset DOCKER_HOST")
        raise SettingsError(Problem("f", "edge.port", "should be a port", "set one"))

    monkeypatch.setattr(setup, "require_one_engine", refuse)
    check = of_engine(stub, ENGINE_20)["docker endpoint"]
    assert check.state is State.FAILED
    assert ("should lead" in check.found, check.fix) == (
        (True, "unset DOCKER_HOST") if wrong == "engines" else (False, "correct the setting")
    )


def test_a_warning_has_its_fix_and_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    warned = Check("containers", "", State.WARNING, "cgroup v1", "use v2", wanted="x")
    monkeypatch.setattr(setup, "examine", lambda: [warned])
    result = CliRunner().invoke(doctor_command)
    assert (result.exit_code, "warn" in result.stdout, "containers: use v2" in result.stdout) == (0, True, True)
    assert json.loads(CliRunner().invoke(doctor_command, ["--json"]).stdout)[0]["ok"]
