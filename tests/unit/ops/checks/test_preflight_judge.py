"""Verdicts over facts: for each thing that may be wrong one check that fails, with where and how to fix it."""

import dataclasses

import pytest

from ops.checks.preflight.facts import MEBIBYTE, Held, HostFacts, Swarm
from ops.checks.preflight.judge import ALL, BEFORE_UPDATE, GIBIBYTE, judge
from ops.checks.report import Check, Report, State
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.machine import Space
from ops.hosts.swarm_nodes import Node
from ops.stacks.stack_file import NOT_GENERATED
from tests.unit.ops.preflight import (
    FIRST,
    FREE,
    HEALTHY,
    NEED,
    NODES,
    SECOND,
    THIRD,
    facts,
    failed,
    manager,
    member,
    one,
    only,
)


def test_a_healthy_host_passes_and_its_checks_say_what_was_found() -> None:
    checks = judge(one(), ALL)
    found = {check.name: check.found for check in checks if check.state is State.OK}
    assert failed(one()) == []
    assert [check.name for check in checks if check.state is State.SKIPPED] == [
        "swarm",
        "catalogue",  # these three have tests of their own
        "key",
        "rollback target",
    ]
    assert found["engine version"] == "20.10.24+dfsg1 (API 1.41), for amd64"
    assert found["engine"] == "cgroup v2, classic image store"
    assert found["disk"] == "1.0 GiB for 0 images and headroom, 100.0 GiB free in /var/lib/docker"
    assert found["images"] == "5 there, for amd64"
    assert found["port edge.port"] == "3000 is free, or the stack's own"
    assert found.keys() >= {"reachable", "port simulator.port", "secrets", "memory", "disk", "clock"}


def test_a_healthy_swarm_passes() -> None:
    assert failed(facts({FIRST: manager(), SECOND: member("b"), THIRD: member("c", manager=True)})) == []


def test_a_host_that_is_not_reached_fails_once_and_leaves_its_other_checks_out() -> None:
    error = OperationError(f"{SECOND}: cannot be reached", "look at it", EXIT_USAGE, "  ssh | refused")
    given = facts({FIRST: manager(), SECOND: error})
    fix = "look at it; or, until it is back, take it out of friday-litellm:swarmHosts in Pulumi.t.yaml"
    assert only(given) == Check("reachable", SECOND, State.FAILED, error.message, fix, "  ssh | refused")
    skipped = [check for check in judge(given, ALL) if check.host and check.state is State.SKIPPED]
    assert {(check.host, check.found) for check in skipped} == {(SECOND, "the host is not reached")}
    assert len(skipped) == 5


def test_a_manager_that_is_not_reached_may_hand_over_and_a_stacks_only_host_may_not() -> None:
    error = OperationError(f"{FIRST}: cannot be reached", "look at it", EXIT_USAGE)
    assert only(facts({FIRST: error, SECOND: member("b")})).fix == (
        "look at it; or in Pulumi.t.yaml name another manager of friday-litellm:swarmHosts as dockerHost"
    )
    assert only(facts({FIRST: error})).fix == "look at it"


@pytest.mark.parametrize(
    ("first", "second", "host", "found", "fix"),
    [
        (HEALTHY, member("b"), FIRST, "the Swarm is not initialised", f"ssh -t {FIRST} docker swarm init"),
        (member("a"), member("b"), FIRST, "is not a manager of its Swarm", "docker node promote a"),
        (manager(), HEALTHY, SECOND, "is in no Swarm", f"ssh -t {FIRST} docker swarm join-token worker"),
        (
            manager(),
            member("z"),
            SECOND,
            f"is in another Swarm than {FIRST}",
            f"ssh -t {SECOND} docker swarm leave, ssh -t {SECOND} sudo systemctl restart docker, then ssh -t {FIRST} ",
        ),
    ],
)
def test_the_swarm_has_to_be_there_with_a_manager_and_every_host(
    first: HostFacts, second: HostFacts, host: str, found: str, fix: str
) -> None:
    check = only(facts({FIRST: first, SECOND: second}))
    assert (check.name, check.host, check.found) == ("swarm", host, f"{host}: {found}")
    assert fix in check.fix


def test_a_node_that_the_manager_does_not_hear_of_fails() -> None:
    nodes = {**NODES, "b": Node("host-b", ready=False, since="2026-11-30 22:51 UTC")}
    swarm = Swarm(active=True, manager=True, node="a", nodes=nodes)
    check = only(facts({FIRST: dataclasses.replace(HEALTHY, swarm=swarm), SECOND: member("b")}))
    assert check.found == f"{SECOND}: the manager does not hear of it since 2026-11-30 22:51 UTC (node host-b)"
    assert "2377" in check.fix


def test_a_node_that_is_not_named_or_is_drained_warns_and_fails_nothing() -> None:
    nodes = {**NODES, "b": Node("host-b", True, "drain")}
    swarm = Swarm(active=True, manager=True, node="a", nodes=nodes)
    given = facts({FIRST: dataclasses.replace(HEALTHY, swarm=swarm), SECOND: member("b")})
    warned = Report("t", judge(given, BEFORE_UPDATE)).warnings
    assert [(check.name, check.found.split(" is ")[0]) for check in warned] == [
        ("swarm", "node host-c"),
        ("swarm", "node host-b"),
    ]
    assert f"docker node update --availability drain host-c on {FIRST}" in warned[0].fix
    assert "./fridayctl images push t" in warned[0].fix
    assert failed(given) == []


def test_no_node_is_called_a_stranger_while_a_host_is_not_reached() -> None:
    error = OperationError(f"{SECOND}: cannot be reached", "look at it", EXIT_USAGE)
    assert Report("t", judge(facts({FIRST: manager(), SECOND: error}), BEFORE_UPDATE)).warnings == []


def test_the_container_engine_may_run_on_a_swarms_host() -> None:
    assert failed(facts({FIRST: manager()}, engine="container")) == []


def test_each_problem_with_an_image_is_a_check_of_its_host() -> None:
    problems = tuple(OperationError(f"{FIRST}: image {name}", f"fix {name}", EXIT_USAGE, "  d") for name in "ab")
    found = failed(one(images=Held(problems=problems)))
    assert [(check.name, check.found, check.fix, check.details) for check in found] == [
        ("images", f"{FIRST}: image a", "fix a", "  d"),
        ("images", f"{FIRST}: image b", "fix b", "  d"),
    ]


def test_images_that_a_host_will_pull_are_no_failure() -> None:
    checks = judge(one(images=Held(present=3, missing=((NEED, None), (NEED, None)))), ALL)
    assert [check.found for check in checks if check.name == "images"] == ["3 there, 2 to be pulled, for amd64"]


@pytest.mark.parametrize(("address", "where"), [(FIRST, f" on {FIRST}"), ("unix:///s", "")])
def test_a_taken_port_is_named_with_its_setting_holder_and_host(address: str, where: str) -> None:
    held = dataclasses.replace(HEALTHY, holders={**FREE, "edge.port": "the container web"})
    check = only(facts({address: held}))
    assert check.name == "port edge.port"
    assert check.found == (
        f"Pulumi.t.yaml: friday-litellm:edge.port: port 3000 should be free{where} (held by the container web)"
    )
    assert check.fix.startswith("pulumi config set --path 'edge.port' OTHER_PORT -s t")


def test_a_host_that_cannot_tell_of_its_ports_fails_nothing() -> None:
    blind = dataclasses.replace(HEALTHY, holders={**FREE, "edge.port": None})
    (check,) = (each for each in judge(facts({FIRST: blind}), ALL) if each.name == "port edge.port")
    assert check.state is State.SKIPPED
    assert check.found.startswith("the host has no ss command to look with; ")
    assert check.found.endswith("apt-get install iproute2")


def test_secrets_that_set_up_has_yet_to_make_are_named() -> None:
    check = only(facts({FIRST: HEALTHY}, gatewayKey=f"{NOT_GENERATED}gatewayKey"))
    assert check.found == "Pulumi.t.yaml: gatewayKey: not generated on this machine yet"
    assert check.fix == "./fridayctl setup"


def test_secrets_that_the_next_update_generates_are_no_failure() -> None:
    given = facts({FIRST: HEALTHY}, upstream="openrouter", edgeKey=f"{NOT_GENERATED}edgeKey")
    assert "edgeKey: generated by the next ./fridayctl up t" in [each.found for each in judge(given, ALL)]
    assert not [each for each in failed(given) if each.name == "secrets"]


@pytest.mark.parametrize("name", ["DATABASE_URL", "OWNER_OPEN_ID", "VITE_APP_ID"])
def test_what_friday_does_not_start_without_has_to_be_set(name: str) -> None:
    rest = {key: "x" for key in ("DATABASE_URL", "OWNER_OPEN_ID", "VITE_APP_ID") if key != name}
    check = only(facts({FIRST: HEALTHY}, friday={"environment": rest}))
    assert name in check.found
    assert f"--path 'fridaySecrets.{name}' -s t" in check.fix
    assert failed(facts({FIRST: HEALTHY}, friday={"environment": rest}, fridaySecrets={name: "secret"})) == []


def limits_mb() -> int:
    return sum(each.memory_mb * each.replicas for each in one().workloads)


@pytest.mark.parametrize(("own", "short", "ok"), [(0, 0, True), (0, 1, False), (512, 512, True), (512, 513, False)])
def test_free_memory_and_what_the_stack_uses_itself_have_to_hold_the_limits(own: int, short: int, ok: bool) -> None:
    space = Space(memory=(limits_mb() - short) * MEBIBYTE, disk=100 * GIBIBYTE)
    found = failed(one(space=space, own_memory=own * MEBIBYTE))
    assert [check.name for check in found] == ([] if ok else ["memory"])


def test_a_swarm_shares_the_replicas_out() -> None:
    one_host = sum(each.memory_mb * -(-each.replicas // 2) for each in one().workloads)
    assert one_host < limits_mb()
    space = Space(memory=one_host * MEBIBYTE, disk=100 * GIBIBYTE)
    full = dataclasses.replace(member("b"), space=dataclasses.replace(space, memory=space.memory - 1))
    workloads = facts({FIRST: manager(), SECOND: member("b")}).workloads
    assert sum(each.memory_mb * each.replicas for each in workloads) * MEBIBYTE > space.memory
    assert failed(facts({FIRST: manager(space=space), SECOND: member("b")})) == []
    assert [check.host for check in failed(facts({FIRST: manager(space=space), SECOND: full}))] == [SECOND]


@pytest.mark.parametrize(
    ("apart", "said"), [(2.0, ""), (-2.0, ""), (2.1, "2.1 s ahead of"), (-86400.0, "86400.0 s behind")]
)
def test_the_clock_has_to_be_in_step(apart: float, said: str) -> None:
    found = failed(one(seconds_apart=apart))
    assert [check.found for check in found] == ([f"{FIRST}: its clock is {said} this machine's"] if said else [])


def test_only_root_needs_no_sudo() -> None:
    second = dataclasses.replace(member("b"), seconds_apart=9.0)
    found = failed(facts({FIRST: manager(seconds_apart=9.0), SECOND: second}))
    assert [check.fix.partition(",")[0] for check in found] == [
        f"ssh -t {FIRST} timedatectl set-ntp true",
        f"ssh -t {SECOND} sudo timedatectl set-ntp true",
    ]


def test_an_update_that_goes_back_is_not_refused_for_space_or_time() -> None:
    space = Space(memory=0, disk=0)
    unwise = one(space=space, seconds_apart=9.0)
    assert {check.name for check in failed(unwise)} == {"memory", "disk", "clock"}
    assert Report("t", judge(unwise, BEFORE_UPDATE)).ok


def test_an_update_is_refused_with_every_reason_and_each_fix() -> None:
    checks = [
        Check("a", FIRST, State.FAILED, "first is wrong", "fix first", "  seen"),
        Check("b", FIRST, State.OK, "fine"),
        Check("c", FIRST, State.FAILED, "second is wrong", "fix second"),
    ]
    with pytest.raises(OperationError) as caught:
        Report("t", checks).require()
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.render() == ("first is wrong\n  seen\n  fix: fix first\nsecond is wrong\n  fix: fix second")
    Report("t", checks[1:2]).require()
