"""Roles: what is refused, and what both engines make of Friday's image at other work."""

from pathlib import Path
from typing import Any

import pytest

from components import parts
from components.probes import HealthProbe, ProbeClient
from components.settings import jobs
from components.settings.source import SettingsError, from_stack_file
from components.stack import FridayStack
from components.workload import Workload
from ops.checks.preflight.facts import MEBIBYTE, memory_limits
from ops.stacks.preview import Change, in_words
from tests.unit.declared import CONTAINER, IMAGES, SERVICE, VOLUME, by_part, declare, env, plain, record
from tests.unit.given import LOCAL, SECRETS, settings, stack_file

OWN = {
    **LOCAL["friday"],
    "image": "registry.example/friday:1",
    "command": ["node", "dist/index.js"],
    "networks": ["database"],
    "writable": [{"path": "/logs", "kind": "tmpfs"}, {"path": "/uploads", "kind": "volume"}],
    "stopGraceSeconds": 90,
}
WORKER = {"command": ["node", "dist/worker.js"], "environment": {"JOBS": "on"}}
SWARM = {"engine": "swarm", "dockerHost": "ssh://root@a"}


def friday(**roles: Any) -> dict[str, Any]:
    return {**OWN, "roles": roles}


def declared(role: dict[str, Any], **changes: Any) -> Workload:
    given = settings(friday=friday(worker=role), **changes)
    return next(each for each in parts.declare("t", given, IMAGES) if each.part == "worker")


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ({"worker": {}}, ["friday.roles.worker", "a role should have a command or an environment"]),
        ({"worker": {"replicas": 2}}, ["friday.roles.worker", "a role should have a command or an environment"]),
        ({"web": WORKER}, ["friday.roles", "without web: that is the name of another part", "got 1 entries"]),
        ({"edge": WORKER}, ["friday.roles", "without edge"]),
        ({"openrouter": WORKER}, ["friday.roles", "without openrouter"]),
        ({"Worker": WORKER}, ["friday.roles", "by names of small letters"]),
        (
            {"worker": {**WORKER, "replicas": 0}},
            ["friday.roles.worker.replicas", "a whole number of replicas", "got 0"],
        ),
        ({"worker": {"environment": {"PORT": "1"}}}, ["roles.worker.environment", "without PORT: the stack sets"]),
        ({"worker": {**WORKER, "probe": {}}}, ["roles.worker.probe.path", "answers 200", "got missing"]),
        ({"worker": {**WORKER, "probe": {"path": "x"}}}, ["roles.worker.probe.path", "answers 200", "got 'x'"]),
        ({"worker": {**WORKER, "image": "x:1"}}, ["roles.worker.image", "is not a setting"]),
    ],
)
def test_a_wrong_word_about_a_role_is_refused(tmp_path: Path, roles: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        from_stack_file(stack_file(tmp_path, {"friday": friday(**roles)}), SECRETS)
    for part in [*expected, "Pulumi.t.yaml:", "fix: "]:
        assert part in str(caught.value)


def test_the_reference_friday_has_none() -> None:
    with pytest.raises(ValueError, match=r"roles should be left out without friday\.image"):
        settings(friday={**LOCAL["friday"], "roles": {"worker": WORKER}})


def test_no_role_can_be_called_as_a_part_is() -> None:
    assert set(parts.NAMES) < jobs.TAKEN


def test_it_has_what_friday_has_but_its_own_work_and_no_port() -> None:
    found = by_part(declare(settings(friday=friday(worker=WORKER), rolloutPercentage=50)))
    (web, _), (worker,) = found["friday"], found["worker"]
    assert (worker["name"], worker["entrypoints"], worker["command"]) == (
        "friday-t-worker-1",
        ["node"],
        ["dist/worker.js"],
    )
    assert env(worker) == {**env(web), "JOBS": "on"}
    assert env(worker)["LITELLM_ROLLOUT_PERCENTAGE"] == "50"
    shared = ("image", "user", "memory", "tmpfs", "volumes", "destroyGraceSeconds", "capabilities", "readOnly")
    assert {key: worker.get(key) for key in shared} == {key: web.get(key) for key in shared}
    assert not worker.get("ports")
    assert [each["name"] for each in worker["networksAdvanced"]][1:] == ["database"]
    assert worker["cpuShares"] < web["cpuShares"]


def test_its_own_variable_takes_the_place_of_a_secret() -> None:
    role = {"environment": {"MAIL_KEY": "none"}}
    found = declared(role, fridaySecrets={"MAIL_KEY": "secret", "OTHER_KEY": "secret"})
    assert (found.env["MAIL_KEY"], "MAIL_KEY" in found.secret_env) == ("none", False)
    assert found.secret_env["OTHER_KEY"] == "secret"
    assert found.command == ("node", "dist/index.js")


def test_the_old_one_goes_before_the_new_one_comes() -> None:
    found = declared(WORKER)
    assert (found.replicas, found.replaced_by_overlap, found.instance_names()) == (1, False, ["worker-1"])
    assert declared({**WORKER, "replicas": 2}).instance_names() == ["worker-1", "worker-2"]
    changes = [Change("create-replacement", CONTAINER, "worker-1")]
    said = in_words(changes, settings(friday=friday(worker=WORKER)))
    assert said == ["worker: is stopped and started anew", "expected gap: none"]


def test_a_swarm_never_waits_for_its_end_in_vain() -> None:
    """It starts the next one a minute after the first was to stop, whether that has ended or not."""
    assert declared(WORKER).stop_grace_seconds == 90
    assert declared(WORKER, **SWARM).stop_grace_seconds == 50


def test_only_replicas_that_answer_are_let_run_by_a_swarm() -> None:
    """What has running answers gets a signal that does nothing, what has none ends at the image's own."""

    def signals(engine: dict[str, str], **more: str) -> dict[str, str]:
        own = {**friday(worker=WORKER), **more}
        found = parts.declare("t", settings(friday=own, **engine), IMAGES)
        return {each.part: each.stop_signal for each in found if each.part in ("friday", "worker")}

    assert signals(SWARM) == {"friday": "SIGWINCH", "worker": ""}
    assert signals({}) == {"friday": "", "worker": ""}
    assert signals(SWARM, stopSignal="SIGINT") == {"friday": "SIGINT", "worker": "SIGINT"}
    reference = parts.declare("t", settings(**SWARM), IMAGES)
    assert {each.stop_signal for each in reference} == {""}


def test_it_is_made_after_friday() -> None:
    assert parts.needed_by("worker") == ("friday",)
    assert parts.needed_by("edge") == ("friday", "litellm")


def test_its_volumes_are_fridays_and_declared_once() -> None:
    volumes = declare(settings(friday=friday(worker=WORKER))).of(VOLUME)
    assert [each["name"] for each in volumes.values() if "uploads" in each["name"]] == ["friday-t-friday-uploads"]
    assert declared(WORKER).volume_name("t", "uploads") == "friday-t-friday-uploads"


@pytest.mark.parametrize(
    ("client", "test"),
    [
        ("node", ["CMD", "node", "-e", "0"]),
        ("python", ["CMD", "python3", "-I", "-S", "-c", "0"]),
        ("bash", ["CMD", "bash", "-c", ":"]),
        ("wget", ["CMD", "true"]),
    ],
)
def test_without_a_probe_what_runs_is_healthy(client: str, test: list[str]) -> None:
    given = settings(friday={**friday(worker=WORKER), "probeClient": client})
    found = next(each for each in parts.declare("t", given, IMAGES) if each.part == "worker")
    assert found.probe.docker_test() == test


def test_with_one_it_is_asked_as_friday_is() -> None:
    probe = declared({**WORKER, "probe": {"path": "/ready", "port": 3001}}).probe
    assert (probe.path, probe.port, probe.client) == ("/ready", 3001, ProbeClient.NODE)
    assert probe.docker_test() == HealthProbe(port=3001, path="/ready", client=ProbeClient.NODE).docker_test()


def test_its_memory_is_counted() -> None:
    without = memory_limits(parts.declare("t", settings(friday=OWN), IMAGES), 1)
    two = settings(friday=friday(worker={**WORKER, "replicas": 2}))
    assert memory_limits(parts.declare("t", two, IMAGES), 1) - without == 2 * 256 * MEBIBYTE


def test_in_a_swarm_it_is_one_task_that_is_stopped_first() -> None:
    services = declare(settings(friday=friday(worker=WORKER), **SWARM)).of(SERVICE)
    worker, web = services["worker"], services["friday"]
    assert (worker["mode"], worker["updateConfig"]["order"]) == ({"replicated": {"replicas": 1}}, "stop-first")
    folders = [
        [mount.get("source") for mount in plain(each["taskSpec"])["containerSpec"]["mounts"]] for each in (worker, web)
    ]
    assert folders[0] == folders[1]
    assert "friday-t-friday-uploads" in folders[0]


def test_without_roles_nothing_else_changes() -> None:
    def containers(**changes: Any) -> Any:
        given = settings(friday={**OWN, **changes})
        return record(lambda: FridayStack("t", given, IMAGES)).of(CONTAINER)

    with_one = containers(roles={"worker": WORKER})
    assert {key: value for key, value in with_one.items() if key != "worker-1"} == containers()
