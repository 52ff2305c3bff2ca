"""What stands in the way on real hosts over ssh, told before anything changes.

The tests stand in the order in which a team makes its hosts ready: each leaves them one step further.
"""

import json
from typing import Any

import pytest

from testing import remote_project
from testing.nested_host import NestedHost
from testing.project import Project
from testing.rig import Rig

pytestmark = [pytest.mark.engine, pytest.mark.beside]


@pytest.fixture(scope="module")
def first(host: NestedHost) -> NestedHost:
    return host


@pytest.fixture(scope="module")
def second(made: Rig) -> NestedHost:
    return made.hosts[1]


@pytest.fixture(scope="module")
def stack(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A stack for a Swarm of two hosts, which are in none and hold no image."""
    both = made.of(2)
    for each in both.hosts:
        each.remove_images()
    stack = remote_project.create(tmp_path_factory.mktemp("preflight"), both)
    stack.fridayctl("setup")
    return stack


def checks(stack: Project, code: int = 2) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what preflight finds, by (host, check)."""
    document = json.loads(stack.fridayctl("preflight", stack.stack, "--json", code=code).out)
    assert document["ok"] is (code == 0)
    return {(each["host"], each["name"]): each for each in document["checks"]}


def problem(stack: Project, host: NestedHost, name: str) -> str:
    found = checks(stack)[host.url, name]
    assert found["state"] == "failed"
    assert found["fix"]
    return str(found["found"]).removeprefix(f"{host.url}: ")


def test_a_fresh_host_is_reached_new_enough_in_step_and_large_enough(stack: Project, first: NestedHost) -> None:
    found = checks(stack)
    names = ("reachable", "engine version", "clock", "memory", "disk", "port edge.port")
    assert {name: found[first.url, name]["state"] for name in names} == dict.fromkeys(names, "ok")


def test_up_is_refused_with_every_reason_before_anything_changes(
    stack: Project, first: NestedHost, second: NestedHost
) -> None:
    before = [host.inventory() for host in (first, second)]
    said = stack.fridayctl("up", stack.stack, code=2).err
    assert f"{first.url}: the Swarm is not initialised" in said
    assert f"fix: {ssh(first)} docker swarm init" in said
    for host in (first, second):
        assert f"{host.url}: lacks images that this checkout builds: friday-litellm/" in said
    assert f"fix: ./fridayctl images push {stack.stack}" in said
    assert "Traceback" not in said
    assert [host.inventory() for host in (first, second)] == before


def ssh(host: NestedHost) -> str:
    """Return what a fix begins with that runs on a host."""
    named = host.ssh_settings
    return f"ssh -t -i {named['identityFile']} -o UserKnownHostsFile={named['knownHostsFile']} {host.url}"


def test_a_host_outside_of_the_swarm_is_said_with_how_it_joins(
    stack: Project, first: NestedHost, second: NestedHost
) -> None:
    first.run("docker", "swarm", "init", "--advertise-addr", first.ip)
    found = checks(stack)
    assert found[first.url, "swarm"]["found"] == "a manager"
    assert found[second.url, "swarm"]["found"] == f"{second.url}: is in no Swarm"
    assert f"{ssh(first)} docker swarm join-token worker" in found[second.url, "swarm"]["fix"]


def test_a_host_of_another_swarm_is_told_apart(stack: Project, second: NestedHost) -> None:
    second.run("docker", "swarm", "init", "--advertise-addr", second.ip)
    assert problem(stack, second, "swarm").startswith("is in another Swarm than ")
    second.run("docker", "swarm", "leave", "--force")


def test_a_worker_cannot_be_deployed_to(stack: Project, first: NestedHost, second: NestedHost) -> None:
    token = first.run("docker", "swarm", "join-token", "--quiet", "worker")
    second.run("docker", "swarm", "join", "--token", token, "--advertise-addr", second.ip, f"{first.ip}:2377")
    assert checks(stack)[second.url, "swarm"]["found"] == "a node"
    with stack.configured(dockerHost=second.url, swarmHosts=[first.url]):
        assert problem(stack, second, "swarm") == "is not a manager of its Swarm"


def test_a_port_is_taken_by_a_process_of_a_host(stack: Project, first: NestedHost, second: NestedHost) -> None:
    with stack.configured(edge={**stack.settings["edge"], "gatewayPort": 22}):
        for host in (first, second):
            said = problem(stack, host, "port edge.gatewayPort")
            assert f"port 22 should be free on {host.url} (held by a process of that host" in said


def test_a_host_that_is_not_there_hides_no_other(stack: Project, first: NestedHost, second: NestedHost) -> None:
    with second.ssh_cut(silent=False):
        found = checks(stack)
    assert found[second.url, "reachable"]["found"].startswith(f"{second.url}: cannot be reached")
    fix = f"take it out of friday-litellm:swarmHosts in Pulumi.{stack.stack}.yaml"
    assert fix in found[second.url, "reachable"]["fix"]
    assert found[second.url, "images"]["state"] == "skipped"
    assert found[first.url, "reachable"]["state"] == "ok"


def test_with_the_images_on_both_hosts_nothing_stands_in_the_way(
    stack: Project, first: NestedHost, second: NestedHost
) -> None:
    for host in (first, second):
        host.load(list(stack.images().values()))
    found = checks(stack, code=0)
    assert "failed" not in {each["state"] for each in found.values()}
