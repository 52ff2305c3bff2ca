"""A stack on one remote Docker host, over ssh: deployed, changed under load, broken, cut off, rebooted, taken down.

The tests stand in the order of a host's life: the last one takes the stack away.
"""

import json
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.http_client import PERCENTAGE_HEADER
from benchmarks.load import errors
from testing import remote_project
from testing.meanwhile import in_the_middle, refused_in_the_middle, until
from testing.nested_host import NestedHost
from testing.own_image import ENDS_AT_ONCE, SERVES, own_image
from testing.ports import free_ports
from testing.project import Project
from testing.rig import Rig
from tests.integration.load import Load
from tests.remote.asked import asked_meanwhile
from tests.remote.operator_image import operator_image

pytestmark = [pytest.mark.engine, pytest.mark.beside]
WINDOW = {"windowHours": 20 / 3600}
FEW = {**WINDOW, "minimumSamples": 5}


@pytest.fixture(scope="module")
def staging(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack that is up on the host; it goes with its host."""
    project = remote_project.create(tmp_path_factory.mktemp("staging"), made.of(1))
    project.configure({"monitoring": {**project.settings["monitoring"], "scrapeSeconds": 1}})
    project.fridayctl("setup")
    project.fridayctl("images", "push", project.stack)
    ran = project.fridayctl("up", project.stack)
    assert "checked   user 0: litellm" in ran.out
    assert "checked   user 99: direct" in ran.out
    return project


def ids(project: Project, *labels: str) -> set[str]:
    # The plain list: it is asked again and again while containers come and go.
    filters = {"label": [f"friday-litellm.stack={project.stack}", *labels]}
    return {each["Id"] for each in project.engine.api.containers(all=True, filters=filters)}


def of(part: str) -> str:
    return f"friday-litellm.part={part}"


def serving(project: Project) -> set[str]:
    return ids(project, of("edge")) | ids(project, of("friday")) | ids(project, of("litellm"))


def test_status_and_logs_are_those_of_the_host(staging: Project) -> None:
    status = json.loads(staging.fridayctl("status", staging.stack, "--json").out)
    assert status["healthy"] is True
    assert {each["name"] for each in status["instances"]} == {each.name for each in staging.containers()}
    assert status["urls"]["fridayUrl"] == staging.url
    assert "friday-1-" in staging.fridayctl("logs", staging.stack, "friday", "--tail", "1").out


def test_up_again_changes_nothing(staging: Project) -> None:
    before = ids(staging)
    assert "nothing to change" in staging.fridayctl("up", staging.stack).out
    assert ids(staging) == before
    staging.pulumi("preview", "-s", staging.stack, "--expect-no-changes")


def test_verify_and_drift_look_at_the_host(staging: Project, host: NestedHost) -> None:
    """Also at its loopback ports, which only a tunnel reaches."""
    checks = json.loads(staging.fridayctl("verify", staging.stack, "--json").out)["checks"]
    assert {check["host"] for check in checks} == {host.url}
    assert [check for check in checks if check["ok"] is not True] == []
    assert f"port {staging.settings['edge']['gatewayPort']}: only chat is open" in str(checks)
    assert "no drift" in staging.fridayctl("drift", staging.stack).out


def test_another_operators_commands_go_by_files_of_their_own(
    staging: Project, host: NestedHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the last update are on another machine, and so is the connection that it left open."""
    theirs = {setting: shutil.copy2(path, tmp_path) for setting, path in host.ssh_settings.items()}
    with tempfile.TemporaryDirectory(prefix="f-") as runtime, ExitStack() as back, staging.configured(ssh=theirs):
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        for path in map(Path, host.ssh_settings.values()):
            back.callback(path.rename(path.with_suffix(".away")).rename, path)
        assert "no drift" in staging.fridayctl("drift", staging.stack).out


def test_another_machine_is_told_with_both_commands_and_nothing_is_changed(staging: Project, made: Rig) -> None:
    before, first, second = ids(staging), staging.settings["dockerHost"], made.hosts[1]
    empty = second.inventory()
    with staging.configured(dockerHost=second.url):
        for command in (["up", staging.stack], ["down", staging.stack, "--yes"], ["drift", staging.stack]):
            said = staging.fridayctl(*command, code=2).err
            assert f"{staging.stack} runs on {first}" in said
            assert f"pulumi config set dockerHost {first} -s {staging.stack} && ./fridayctl down" in said
        checks = json.loads(staging.fridayctl("preflight", staging.stack, "--json", code=2).out)["checks"]
        assert {check["name"]: check["state"] for check in checks}["machine"] == "failed"
    assert (ids(staging), second.inventory()) == (before, empty)


@pytest.mark.slow
def test_a_changed_percentage_loses_no_request(staging: Project) -> None:
    staging.configure({"rolloutPercentage": 60})
    done = asked_meanwhile(staging.url, lambda: staging.fridayctl("up", staging.stack))
    assert errors(done.records) == {}
    assert {record.headers[PERCENTAGE_HEADER] for record in done.records} == {"50", "60"}
    assert done.records[-1].headers[PERCENTAGE_HEADER] == "60"
    assert (staging.chat(59).path, staging.chat(60).path) == ("litellm", "direct")


@pytest.mark.slow  # it builds the image
def test_the_operator_image_promotes_with_docker_alone(staging: Project, host: NestedHost, tmp_path: Path) -> None:
    from_, to = (60, 80) if staging.chat(59).path == "litellm" else (50, 60)
    staging.configure(
        {
            "rollout": {"steps": [50, 60, 80, 100], "soakHours": WINDOW["windowHours"], "watchSeconds": 1},
            "gates": {
                # What the gates say of a loaded machine is not tested here.
                "latency": {**FEW, "p50Seconds": 10, "p95Seconds": 30, "p99Seconds": 40},
                "overhead": {**FEW, "p50Milliseconds": 10000},
                "errors": {**FEW, "tolerancePercent": 100, "maximumPercent": 100},
                "gateway": {**WINDOW, "minimumUpPercent": 0},
                **{gate: FEW for gate in ("fallbacks", "quota")},
                **{gate: WINDOW for gate in ("providers", "cost")},
                "minimumCoveragePercent": 10,
            },
        }
    )
    with operator_image(staging, host, tmp_path) as operator, Load(staging, 5, users=(7, 99), seconds=240):

        def only_the_signature_is_missing() -> bool:
            status = operator.run("status", staging.stack, "--json")
            lacking = {each["gate"] for each in status["gates"] if each["outcome"] != "pass"}
            return lacking == {"complaints"} and status["step"]["soak_left_seconds"] == 0

        until(only_the_signature_is_missing, "gates that pass, and the end of the soak", every=1)
        done = operator.run("promote", staging.stack, "--yes", "--no-complaints", "anna", "--json")
    assert (done["from"], done["to"], done["result"]) == (from_, to, "promoted")
    assert (staging.chat(to - 1).path, staging.chat(to).path) == ("litellm", "direct")
    # This machine goes on where the image stopped.
    assert "nothing to change" in staging.fridayctl("up", staging.stack).out


def test_a_second_deploy_is_told_who_is_at_it(staging: Project) -> None:
    refused_in_the_middle(staging, 70, lambda: ids(staging, of("friday")))


@pytest.mark.parametrize(("silent", "percentage"), [(False, 40), pytest.param(True, 50, marks=pytest.mark.slow)])
def test_ssh_cut_in_an_update_is_said_and_the_next_up_mends(
    staging: Project, host: NestedHost, silent: bool, percentage: int
) -> None:
    with ExitStack() as cut:
        said = in_the_middle(
            staging,
            percentage,
            lambda: ids(staging, of("friday")),
            lambda: cut.enter_context(host.ssh_cut(silent=silent)),
            code=1,
        )
        assert staging.chat(0).status == 200
    assert f"connection lost: {host.url}: cannot be reached" in said
    assert said.count("fix: ") == 1
    assert "Traceback" not in said
    staging.fridayctl("up", staging.stack)
    assert len(staging.containers("friday")) == 2
    assert staging.chat(percentage).path == "direct"
    assert staging.chat(percentage - 1).path == "litellm"
    assert "nothing to change" in staging.fridayctl("up", staging.stack).out


def test_a_rebooted_host_serves_by_itself(staging: Project, host: NestedHost) -> None:
    host.reboot()
    until(lambda: serves(staging), "answers after the reboot")
    assert "nothing to change" in staging.fridayctl("up", staging.stack).out


@pytest.mark.slow
def test_a_docker_daemon_killed_in_an_update_is_said_and_the_next_up_mends(staging: Project, host: NestedHost) -> None:
    said = in_the_middle(staging, 30, lambda: ids(staging, of("friday")), host.kill_engine, code=1)
    assert said.count("fix: ") == 1
    assert "Traceback" not in said
    host.wait()
    until(lambda: serves(staging), "answers after the engine is back")
    staging.fridayctl("up", staging.stack)
    assert len(staging.containers("friday")) == 2
    assert (staging.chat(29).path, staging.chat(30).path) == ("litellm", "direct")
    assert "nothing to change" in staging.fridayctl("up", staging.stack).out
    entries = json.loads(staging.fridayctl("history", staging.stack, "--json").out)
    # What never got healthy is removed once the engine is back, and the state is told by a refresh.
    updates = [entry["result"] for entry in entries if entry["kind"] == "update"]
    assert updates[:3] == ["succeeded", "succeeded", "failed"]


def serves(project: Project) -> bool:
    try:
        return project.chat(0).path == "litellm"
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("another key", "refuses the key of this machine"),
        ("an unknown host key", "none is trusted on first sight"),
        ("a dead host", "cannot be reached"),
    ],
)
def test_a_host_that_is_not_reached_is_said_before_anything_changes(
    staging: Project, host: NestedHost, tmp_path: Path, problem: str, expected: str
) -> None:
    before, history = ids(staging), versions(staging)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    (tmp_path / "known_hosts").touch()
    changes: dict[str, dict[str, Any]] = {
        "another key": {"ssh": {**host.ssh_settings, "identityFile": str(tmp_path / "key")}},
        "an unknown host key": {"ssh": {**host.ssh_settings, "knownHostsFile": str(tmp_path / "known_hosts")}},
        "a dead host": {"dockerHost": f"ssh://root@{host.address}:{free_ports(1)[0]}"},
    }
    with staging.configured(rolloutPercentage=99, **changes[problem]):
        ran = staging.fridayctl("up", staging.stack, code=2)
    assert expected in ran.err
    assert ran.err.count("fix: ") == 1
    assert "Traceback" not in ran.text
    assert (ids(staging), versions(staging)) == (before, history)


def versions(project: Project) -> int:
    """Return how many updates the stack has had."""
    return len(json.loads(project.pulumi("stack", "history", "-s", project.stack, "--json", "--page-size", "1000").out))


@pytest.mark.slow
def test_a_broken_image_is_explained_and_the_previous_one_goes_on(staging: Project, host: NestedHost) -> None:
    with own_image(staging, [host], "good", SERVES):
        staging.fridayctl("up", staging.stack)
        known = ids(staging)
        assert "nothing to change" in staging.fridayctl("up", staging.stack).out
        assert ids(staging) == known
        before = serving(staging)
        with own_image(staging, [host], "broken", ENDS_AT_ONCE):
            for _ in range(2):  # again, as people do
                ran = staging.fridayctl("up", staging.stack, code=1)
                assert "log   | the database schema is too old" in ran.err
                assert "Traceback" not in ran.text
                assert before <= serving(staging)
                assert staging.chat(0).path == "litellm"
        staging.fridayctl("up", staging.stack)
        assert serving(staging) == before
        assert "nothing to change" in staging.fridayctl("up", staging.stack).out


def test_down_leaves_nothing_on_the_host(staging: Project, host: NestedHost) -> None:
    staging.fridayctl("down", staging.stack, "--yes")
    assert host.inventory() == {"containers": set(), "networks": {"bridge", "host", "none"}, "volumes": set()}
    assert "not deployed" in staging.fridayctl("status", staging.stack, code=1).out
