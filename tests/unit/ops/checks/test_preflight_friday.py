"""Preflight looks at the networks that Friday joins besides the stack's, and at the user it runs as."""

import dataclasses
from typing import Any

import pytest

from ops.checks.preflight.host_networks import HostNetwork
from ops.checks.preflight.judge import ALL, BEFORE_UPDATE, judge
from ops.checks.report import Report, State
from ops.errors import OperationError
from tests.unit.given import LOCAL
from tests.unit.ops.preflight import FIRST, HEALTHY, SECOND, facts, manager, member, only

BRIDGE = HostNetwork("bridge", "local")
OVERLAY = HostNetwork("overlay", "swarm")


def friday(**changes: Any) -> dict[str, Any]:
    return {**LOCAL["friday"], **changes}


def on_one_host(**networks: HostNetwork) -> Any:
    return facts({FIRST: dataclasses.replace(HEALTHY, networks=networks)}, friday=friday(networks=["database"]))


def in_a_swarm(**networks: HostNetwork) -> Any:
    hosts = {FIRST: manager(networks=networks), SECOND: member("b")}
    return facts(hosts, friday=friday(networks=["database"]))


@pytest.mark.parametrize(
    "given",
    [
        on_one_host(database=BRIDGE),
        on_one_host(database=dataclasses.replace(OVERLAY, attachable=True)),
        in_a_swarm(database=OVERLAY),
    ],
    ids=["bridge", "attachable", "overlay"],
)
def test_a_network_that_can_be_joined_passes(given: Any) -> None:
    found = [check for check in judge(given, BEFORE_UPDATE) if check.name == "networks"]
    assert [(check.state, check.found) for check in found] == [(State.OK, "database is there")]


@pytest.mark.parametrize(
    ("given", "words", "fix"),
    [
        (on_one_host(), "is no network of the host", "docker network create database"),
        (in_a_swarm(), "is no network of the host", "docker network create --driver overlay database"),
        (on_one_host(database=OVERLAY), "not attachable", "--attachable database"),
        (in_a_swarm(database=BRIDGE), "is of one host (bridge)", "--driver overlay database"),
        (on_one_host(database=dataclasses.replace(BRIDGE, stack="u")), "is the stack u's own", "leave it out"),
    ],
    ids=["absent", "absent in a swarm", "not attachable", "of one host", "another stack's"],
)
def test_one_that_cannot_is_named_with_host_setting_and_fix(given: Any, words: str, fix: str) -> None:
    check = only(given)
    assert check.found.startswith("Pulumi.t.yaml: friday-litellm:friday.networks: database ")
    assert FIRST in check.found
    assert words in check.found
    assert fix in check.fix


@pytest.mark.parametrize(("attachable", "state"), [(True, State.OK), (False, State.FAILED)])
def test_a_migration_is_a_container_and_joins_no_network_of_services(attachable: bool, state: State) -> None:
    hosts = {FIRST: manager(networks={"database": dataclasses.replace(OVERLAY, attachable=attachable)})}
    migrate = {"image": "registry.example/friday:1", "migrate": {"command": ["x"]}}
    given = facts({**hosts, SECOND: member("b")}, friday=friday(networks=["database"], **migrate))
    (found,) = (check for check in judge(given, BEFORE_UPDATE) if check.name == "networks")
    assert found.state is state
    assert attachable or "no container of friday.migrate may join it" in found.found


def test_a_host_that_is_not_reached_is_not_asked_for_its_networks() -> None:
    given = facts({FIRST: OperationError("no route", "look")}, friday=friday(networks=["database"]))
    assert only(given).name == "reachable"


@pytest.mark.parametrize(("user", "warned"), [("root", 1), ("0", 1), ("0:0", 1), ("node", 0), ("1000:0", 0)])
def test_root_is_no_failure_and_never_silent(user: str, warned: int) -> None:
    given = facts({FIRST: HEALTHY}, friday=friday(user=user))
    warnings = [check for check in Report("t", judge(given, ALL)).warnings if check.name == "user"]
    assert len(warnings) == warned
    assert all("friday.user" in check.found for check in warnings)


@pytest.mark.parametrize(
    ("user", "kind", "engine", "warned"),
    [
        ("node", "tmpfs", "container", True),
        (None, "tmpfs", "container", False),
        ("1000:1000", "tmpfs", "container", False),
        ("node", "volume", "container", False),
        ("node", "tmpfs", "swarm", False),  # its tasks are never started twice
    ],
)
def test_a_folder_in_memory_wants_its_user_by_number(user: str | None, kind: str, engine: str, warned: bool) -> None:
    own = friday(image="friday-ai:1", user=user, writable=[{"path": "/logs", "kind": kind}])
    one = facts({FIRST: HEALTHY}, friday=own)
    given = one if engine == "container" else facts({FIRST: manager(), SECOND: member("b")}, friday=own)
    found = [check for check in judge(given, BEFORE_UPDATE) if check.name == "user"]
    assert [(check.state, "may not be able to write to /logs" in check.found) for check in found] == (
        [(State.WARNING, True)] if warned else []
    )


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({}, State.OK, "2 go through LiteLLM, whatever the percentage"),
        ({"compareTesters": True}, State.OK, "the path of each call of 2 is drawn, whatever the percentage"),
        ({"litellmEnabled": False}, State.WARNING, "nobody goes through LiteLLM while litellmEnabled is false"),
        ({"friday": friday(image="friday-ai:1")}, State.WARNING, "whether your image sends those of LITELLM_TESTERS"),
    ],
)
def test_testers_are_shown_and_what_would_leave_them_on_the_direct_path(
    changes: dict[str, Any], state: State, said: str
) -> None:
    given = facts({FIRST: HEALTHY}, testers=[7, 70], **changes)
    (check,) = (check for check in judge(given, BEFORE_UPDATE) if check.name == "testers")
    assert check.state is state
    assert said in check.found
    assert bool(check.fix) is (state is State.WARNING)


def test_a_comparison_without_testers_is_named() -> None:
    given = facts({FIRST: HEALTHY}, compareTesters=True)
    (check,) = (check for check in judge(given, BEFORE_UPDATE) if check.name == "testers")
    assert (check.state, "nobody is a tester" in check.found) == (State.WARNING, True)


def test_nothing_is_said_of_testers_where_there_are_none() -> None:
    assert not [check for check in judge(facts({FIRST: HEALTHY}), ALL) if check.name == "testers"]
