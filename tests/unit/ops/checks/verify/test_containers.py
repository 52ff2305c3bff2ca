"""Each difference between a container and its declaration fails one check, in words that name it."""

from typing import Any

import pytest

from components.workload import Workload
from ops.checks.report import Check, State
from ops.checks.verify.containers import InspectedContainer, contract, files_kept, leftovers
from tests.unit.ops.checks.verify.inspected import IMAGE_ID, STACK, Change, compare, inspected, replicas, workloads

PARTS = ("edge", "edge-ports", "friday", "litellm", "redis", "simulator")


def put(path: str, value: Any) -> Change:
    """Return a change that sets the entry at a dotted path."""

    def change(container: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for key in way:
            container = container[key]
        container[last] = value

    return change


def failed(checks: list[Check]) -> list[Check]:
    return [check for check in checks if check.state is State.FAILED]


@pytest.mark.parametrize("part", PARTS)
def test_what_is_as_declared_passes_every_check(part: str) -> None:
    workload = workloads()[part]
    checks = compare(workload, replicas(workload), secrets={"gatewayKey": "a-secret-of-twenty-ch"})
    assert len(checks) == 9 + bool(workload.volumes) - workload.image_stays
    assert failed(checks) == []


OWN = {
    "image": "registry.example/friday:1",
    "networks": ["database"],
    "writable": [{"path": "/logs", "kind": "tmpfs"}, {"path": "/app/uploads", "kind": "volume"}],
}


def test_folders_and_networks_of_a_teams_own_are_compared() -> None:
    workload = workloads(friday=OWN)["friday"]
    containers = replicas(workload)
    assert failed(compare(workload, containers)) == []
    containers[0]["HostConfig"]["Tmpfs"] = None
    containers[0]["Mounts"] = []
    del containers[0]["NetworkSettings"]["Networks"]["database"]
    problems = [problem for check in failed(compare(workload, containers)) for problem in check.problems]
    assert [problem.partition(": ")[2] for problem in problems] == [
        "/app/uploads is no volume, declared is friday-t-friday-app-uploads",
        "/logs is not in memory",
        "is not on database",
    ]
    # As a Swarm's engine shows it.
    containers = replicas(workload)
    containers[0]["HostConfig"]["Tmpfs"] = None
    containers[0]["Mounts"].append({"Type": "tmpfs", "Destination": "/logs"})
    assert failed(compare(workload, containers)) == []


def test_of_a_part_without_containers_only_that_they_are_missing_is_said() -> None:
    workload = workloads()["friday"]
    (check,) = compare(workload, [])
    assert check.problems == tuple(f"friday-{STACK}-{name} is missing" for name in workload.instance_names())
    assert compare(workload, [], swarm=True) == []


@pytest.mark.parametrize("part", ["friday", "edge"])
def test_an_image_of_others_passes_too(part: str) -> None:
    """It has no command of ours, keeps a writable root and gets its secrets by its environment."""
    workload = workloads(friday={"image": "registry.example/friday:1"})[part]
    secrets = {"jwtSecret": "test-jwtSecret-0123456789"}
    assert failed(compare(workload, replicas(workload), secrets=secrets)) == []


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        (put("Name", "/friday-t-friday-9-00000000"), "declared number", "friday-9-00000000 is not what the stack file"),
        (put("State", {"Status": "exited", "ExitCode": 1}), "healthy", "exited, no probe"),
        (put("State.Health.Status", "unhealthy"), "healthy", "running, unhealthy"),
        (put("Image", "sha256:other"), "made of", f"runs sha256:other, and that name is {IMAGE_ID}"),
        (
            put("Config.Cmd", ["-m", "http.server"]),
            "command",
            "runs python3 -m http.server, declared is python3 -m fri",
        ),
        (put("Config.User", ""), "user", "user root, declared is 10001:10001"),
        (put("HostConfig.Memory", 0), "locked down", "Memory is 0, declared is 256"),
        (put("HostConfig.ReadonlyRootfs", False), "locked down", "ReadonlyRootfs is False, declared is True"),
        (put("HostConfig.Privileged", True), "locked down", "Privileged is True"),
        (put("HostConfig.CapDrop", None), "locked down", "CapDrop is None, declared is ['ALL']"),
        (put("HostConfig.CapAdd", ["NET_ADMIN"]), "locked down", "CapAdd is ['NET_ADMIN']"),
        (put("HostConfig.SecurityOpt", None), "locked down", "SecurityOpt is None"),
        (put("HostConfig.LogConfig.Config", {}), "locked down", "LogConfig is"),
        (put("HostConfig.RestartPolicy.Name", "no"), "locked down", "RestartPolicy is no, declared is always"),
        (
            put("NetworkSettings.Ports", {"3000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]}),  # noqa: S104
            "publishes no port",
            "publishes 0.0.0.0:80 (to 3000), which is not declared",
        ),
        (put("NetworkSettings.Networks", {}), "networks app", "is not on friday-t-app"),
        (
            put("NetworkSettings.Networks", {"friday-t-app": {}, "friday-t-gateway": {}}),
            "networks app",
            "is on friday-t-gateway, which is not declared",
        ),
        (put("Config.Hostname", "the-gateway-key-0123456789"), "docker inspect", "shows gatewayKey"),
    ],
)
def test_a_difference_fails_one_check_and_is_named(change: Change, check: str, words: str) -> None:
    workload = workloads()["friday"]
    containers = replicas(workload)
    change(containers[1])
    found = failed(compare(workload, containers, secrets={"gatewayKey": "the-gateway-key-0123456789"}))
    assert len(found) == 1
    assert check in found[0].name
    assert any(words in problem for problem in found[0].problems)


def test_a_secret_is_never_part_of_the_words() -> None:
    workload = workloads()["friday"]
    containers = replicas(workload)
    put("Config.Hostname", "the-gateway-key-0123456789")(containers[0])
    checks = compare(workload, containers, secrets={"gatewayKey": "the-gateway-key-0123456789"})
    assert "the-gateway-key" not in "\n".join(f"{check.name} {check.details}" for check in checks)


def test_a_secret_variable_that_differs_is_named_and_not_shown() -> None:
    workload = workloads(friday={"image": "registry.example/friday:1"})["friday"]
    containers = replicas(workload)
    containers[0]["Config"]["Env"] = [e for e in containers[0]["Config"]["Env"] if not e.startswith("JWT_SECRET=")]
    (found,) = failed(compare(workload, containers))
    assert found.problems == (f"{workload.instance_names()[0]}: JWT_SECRET is not the secret that is set",)


def test_a_variable_that_differs_is_shown_with_both_values() -> None:
    workload = workloads()["friday"]
    containers = replicas(workload)
    env = containers[0]["Config"]["Env"]
    env[env.index("LITELLM_ROLLOUT_PERCENTAGE=0")] = "LITELLM_ROLLOUT_PERCENTAGE=100"
    (found,) = failed(compare(workload, containers))
    assert found.problems[0].endswith("LITELLM_ROLLOUT_PERCENTAGE is '100', declared is '0'")


def test_a_missing_replica_and_a_missing_image_are_named() -> None:
    workload = workloads()["litellm"]
    first, second = workload.instance_names()
    number, image = failed(compare(workload, [inspected(workload, first)], image_id=""))
    assert number.problems == (f"friday-t-{second} is missing",)
    fix = "./fridayctl setup && ./fridayctl images push t brings it"
    assert image.problems == (f"friday-litellm/litellm:0123456789ab is not on this host; {fix}",)


@pytest.mark.parametrize(("built_here", "fix"), [(True, "images push t brings it"), (False, "up t pulls it")])
def test_of_a_part_that_is_gone_its_image_is_looked_for_too(built_here: bool, fix: str) -> None:
    """Whoever removes stopped containers and unused images takes both, and the next update needs the image."""
    workload = workloads()["redis"]
    number, image = failed(compare(workload, [], image_id="", built_here=built_here))
    assert "is missing" in number.problems[0]
    assert image.problems[0].endswith(fix)
    assert [each.name for each in failed(compare(workload, []))] == [number.name]


def test_the_edge_must_publish_what_is_declared() -> None:
    workload = workloads()["edge-ports"]
    (container,) = replicas(workload)
    container["NetworkSettings"]["Ports"] = {"4001/tcp": [{"HostIp": "127.0.0.1", "HostPort": "4000"}]}
    (found,) = failed(compare(workload, [container]))
    assert found.problems == ("edge-ports-1: does not publish 127.0.0.1:3000 (to 3000)",)


def test_what_an_earlier_version_gave_the_ports_to_may_stay() -> None:
    workload = workloads()["edge-ports"]
    assert workload.earlier is not None
    (container,) = replicas(workload.earlier)
    assert failed(compare(workload, [container])) == []


def test_a_swarm_names_and_restarts_by_itself_and_publishes_on_every_address() -> None:
    workload = workloads(engine="swarm")["edge-ports"]
    container = inspected(workload, "edge-ports.xyz.abc")
    for binding in container["NetworkSettings"]["Ports"].values():
        for each in binding or ():
            each["HostIp"] = "0.0.0.0"  # noqa: S104
    container["NetworkSettings"]["Ports"]["3000/tcp"].append({"HostIp": "::", "HostPort": "3000"})
    container["HostConfig"] |= {"RestartPolicy": {"Name": ""}, "CapDrop": None, "SecurityOpt": None}
    assert failed(compare(workload, [container], swarm=True)) == []
    assert len(failed(compare(workload, [container]))) == 3


def test_in_a_swarm_all_but_what_has_the_ports_lost_its_capabilities() -> None:
    workload = workloads(engine="swarm")["litellm"]
    container = inspected(workload, "litellm.1.abc")
    assert failed(compare(workload, [container], swarm=True)) == []
    container["HostConfig"]["CapDrop"] = None
    (found,) = failed(compare(workload, [container], swarm=True))
    assert found.problems == ("litellm.1.abc: CapDrop is None, declared is ['ALL']",)


def labelled(name: str, **labels: str) -> InspectedContainer:
    config = {"Labels": {f"friday-litellm.{key}": value for key, value in {"stack": STACK, **labels}.items()}}
    return InspectedContainer(STACK, {"Name": f"/friday-t-{name}", "Config": config})


def test_only_replicas_and_the_containers_of_their_files_may_carry_the_label() -> None:
    declared = list(workloads().values())
    friday = next(each for each in declared if each.part == "friday")
    known = [
        labelled("friday-1", part="friday", replica="1"),
        labelled(f"friday-files-{friday.files_digest()}", files="friday"),
        labelled("migrate-0123456789ab", job="migrate"),
    ]
    strays = [labelled("odd"), labelled("friday-files-00000000", files="friday"), labelled("x", part="x", replica="1")]
    assert leftovers(STACK, known, declared).state is State.OK
    assert leftovers(STACK, [*known, *strays], declared).problems == (
        "odd is not declared",
        "friday-files-00000000 is not declared",
        "x is not declared",
    )


def test_a_replica_is_known_by_its_name_whatever_letters_pulumi_adds() -> None:
    workload = workloads()["friday"]
    first, second = replicas(workload)
    second["Name"] += "-0a1b2c3"
    assert failed(compare(workload, [first, second])) == []
    twin = {**first, "Name": f"{first['Name']}-fedcba9"}
    (number,) = failed(compare(workload, [first, second, twin]))
    assert number.problems == (
        f"{twin['Name'].lstrip('/')} is not what the stack file declares now; ./fridayctl up t replaces it",
    )


def test_a_container_of_files_that_somebody_pruned_is_named() -> None:
    friday = workloads()["friday"]
    name = f"friday-files-{friday.files_digest()}"
    assert files_kept(STACK, [labelled(name, files="friday")], friday).state is State.OK
    (problem,) = files_kept(STACK, [labelled("friday-files-00000000", files="friday")], friday).problems
    assert problem.startswith(f"friday-t-{name} is gone")
    assert "./fridayctl drift t --fix" in problem


def friday_with(**env: str | None) -> list[InspectedContainer]:
    workload: Workload = workloads()["friday"]
    container = inspected(workload, "friday-1")
    changed = {**dict(entry.split("=", 1) for entry in container["Config"]["Env"]), **env}
    container["Config"]["Env"] = [f"{name}={value}" for name, value in changed.items() if value is not None]
    return [InspectedContainer(STACK, container)]


def test_the_environment_contract_is_kept() -> None:
    assert contract(friday_with()).state is State.OK


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"ENABLE_LITELLM": "True"}, "ENABLE_LITELLM should be true or false (is 'True')"),
        ({"LITELLM_ROLLOUT_PERCENTAGE": "101"}, "LITELLM_ROLLOUT_PERCENTAGE should be 0 to 100 (is '101')"),
        ({"LITELLM_ROLLOUT_PERCENTAGE": "ten"}, "LITELLM_ROLLOUT_PERCENTAGE should be 0 to 100 (is 'ten')"),
        ({"LITELLM_BASE_URL": None}, "LITELLM_BASE_URL should be the edge (is None)"),
        ({"OPENROUTER_MODEL": "openai/gpt-5"}, "OPENROUTER_MODEL should be a free model (is 'openai/gpt-5')"),
        ({"PORT": "8080"}, "PORT should be 3000 (is '8080')"),
        ({"VITE_APP_ID": None}, "VITE_APP_ID or VITE_APP_ID_FILE should be set"),
        ({"JWT_SECRET_FILE": None}, "JWT_SECRET or JWT_SECRET_FILE should be set"),
    ],
)
def test_a_broken_term_of_the_contract_is_named(env: dict[str, str | None], words: str) -> None:
    assert contract(friday_with(**env)).problems == (f"friday-1: {words}",)
