"""A stack on a Swarm of three real hosts, over ssh: deployed, changed, broken, cut off, and robbed of its hosts.

The tests stand in the order of a Swarm's life: the last one takes the stack away. Users come by the first host.
"""

import json
from contextlib import ExitStack

import pytest

from benchmarks.http_client import PATH_HEADER, PERCENTAGE_HEADER
from benchmarks.load import errors
from testing.confinement import STATUS, Confined
from testing.meanwhile import in_the_middle, refused_in_the_middle, until
from testing.own_image import ENDS_AT_ONCE, SERVES, own_image
from testing.project import Project
from testing.rig import Rig
from testing.swarm_stack import SwarmStack, swarm_stack
from tests.remote.asked import asked_at_each, asked_meanwhile

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def stage(made: Rig, tmp_path_factory: pytest.TempPathFactory) -> SwarmStack:
    return swarm_stack(tmp_path_factory.mktemp("swarm"), made)


@pytest.fixture
def prod(stage: SwarmStack) -> Project:
    return stage.project


def versions(stage: SwarmStack) -> dict[str, int]:
    """Return how often each service has been changed, by its part."""
    return {part: each["Version"]["Index"] for part, each in stage.services().items()}


def tasks(stage: SwarmStack) -> dict[str, set[str]]:
    return {part: set(stage.running(part)) for part in stage.services()}


def test_replicas_are_spread_over_the_hosts_and_all_commands_see_them(stage: SwarmStack, prod: Project) -> None:
    names = sorted(host.name for host in stage.made.hosts)
    assert sorted(stage.running("friday").values()) == names
    assert sorted(stage.running("edge").values()) == names
    assert len(set(stage.running("litellm").values())) == 2
    status = json.loads(prod.fridayctl("status", prod.stack, "--json").out)
    assert status["healthy"] is True
    assert len(status["instances"]) == sum(len(stage.running(part)) for part in stage.services())
    said = prod.fridayctl("logs", prod.stack, "friday", "--tail", "1").out
    assert [f"friday.{number}." in said for number in (1, 2, 3)] == [True] * 3


def test_up_again_changes_nothing_and_verify_and_drift_find_nothing(stage: SwarmStack, prod: Project) -> None:
    before = tasks(stage), versions(stage)
    assert "nothing to change" in prod.fridayctl("up", prod.stack).out
    assert (tasks(stage), versions(stage)) == before
    checks = json.loads(prod.fridayctl("verify", prod.stack, "--json").out)["checks"]
    assert {check["host"] for check in checks} == {host.url for host in stage.made.hosts}
    assert [check for check in checks if check["ok"] is not True] == []
    assert "no drift" in prod.fridayctl("drift", prod.stack).out


def test_no_task_has_a_capability_or_runs_as_root(stage: SwarmStack, prod: Project) -> None:
    """What has the ports could gain some (components/swarm_service.py says why), and a service may gain privileges."""
    label = f"friday-litellm.stack={prod.stack}"
    found, parts = {}, set()
    for host in stage.made.hosts:
        for task in host.engine.containers.list(filters={"label": label}):
            part = task.labels["friday-litellm.part"]
            expected = Confined(bounding=part != "edge-ports", no_new_privileges=False)
            if problems := expected.problems(host.run("docker", "exec", str(task.name), "sh", "-c", STATUS)):
                found[f"{part} on {host.name}"] = problems
            parts.add(part)
    assert found == {}
    assert parts == stage.services().keys()


def test_a_changed_percentage_and_changed_secrets_lose_no_request(stage: SwarmStack, prod: Project) -> None:
    edges = stage.running("edge")
    prod.configure({"rolloutPercentage": 60})
    prod.change_secrets("gatewayKey", "opsKey", "redisPassword")
    done = asked_meanwhile(prod.url, stage.bring_up)
    assert errors(done.records) == {}
    assert {record.headers[PATH_HEADER] for record in done.records} == {"litellm", "direct"}
    assert stage.running("edge") == edges
    assert {record.headers[PERCENTAGE_HEADER] for record in done.records} == {"50", "60"}
    assert done.records[-1].headers[PERCENTAGE_HEADER] == "60"
    assert (prod.chat(59).path, prod.chat(60).path) == ("litellm", "direct")


def test_another_edge_refuses_nobody_on_any_host(stage: SwarmStack, prod: Project) -> None:
    """By its files and by its image. What has the ports stays, and keeps its image."""
    edges, ports = stage.running("edge"), stage.running("edge-ports")
    edge, built = prod.settings["edge"], prod.images()["edge"]
    for host in stage.made.hosts:
        host.run("docker", "tag", built, "edge-of-the-team:1")
    urls = [f"http://{host.address}:{stage.made.port}" for host in stage.made.hosts]
    with prod.configured(edge={**edge, "image": "edge-of-the-team:1", "maxBodyMb": 11}):
        assert [errors(found) for found in asked_at_each(urls, stage.bring_up)] == [{}] * 3
        assert edges.keys().isdisjoint(stage.running("edge"))
        assert sorted(edges.values()) == sorted(stage.running("edge").values())
        # At once, while what was followed may still finish a request.
        prod.fridayctl("verify", prod.stack)
        assert "nothing to change" in prod.fridayctl("up", prod.stack).out
    assert [errors(found) for found in asked_at_each(urls, stage.bring_up)] == [{}] * 3
    assert stage.running("edge-ports") == ports


def test_a_second_deploy_is_told_who_is_at_it(stage: SwarmStack, prod: Project) -> None:
    refused_in_the_middle(prod, 50, lambda: versions(stage)["friday"])


def test_ssh_cut_in_an_update_is_said_and_the_next_up_mends(stage: SwarmStack, prod: Project) -> None:
    with ExitStack() as cut:
        said = in_the_middle(
            prod,
            40,
            lambda: versions(stage)["friday"],
            lambda: cut.enter_context(stage.first.ssh_cut(silent=False)),
            code=1,
        )
        assert prod.chat(0).status == 200
    assert f"connection lost: {stage.first.url}: cannot be reached" in said
    assert said.count("fix: ") == 1
    assert "Traceback" not in said
    prod.configure({"rolloutPercentage": 50})  # back to what the state may still think there is
    prod.fridayctl("up", prod.stack)
    assert (prod.chat(49).path, prod.chat(50).path) == ("litellm", "direct")
    assert "nothing to change" in prod.fridayctl("up", prod.stack).out


def test_drift_finds_changed_removed_and_unknown_services_and_mends_them(stage: SwarmStack, prod: Project) -> None:
    name = f"friday-{prod.stack}"
    stage.docker("service", "update", "--quiet", "--env-add", "LITELLM_ROLLOUT_PERCENTAGE=99", f"{name}-friday")
    stage.docker("service", "rm", f"{name}-redis-exporter")
    image = prod.images()["redis"]
    label = f"friday-litellm.stack={prod.stack}"
    stage.docker("service", "create", "--quiet", "--detach", "--name", "odd", "--label", label, image)
    found = prod.fridayctl("drift", prod.stack, code=1).out
    assert "changed   friday: taskSpec.containerSpec.env" in found
    assert "removed   redis-exporter" in found
    assert "unknown   odd" in found
    assert prod.chat(60).path == "litellm"
    prod.fridayctl("drift", prod.stack, "--fix")
    assert prod.chat(60).path == "direct"
    assert len(stage.running("redis-exporter")) == 1
    assert "no drift" in prod.fridayctl("drift", prod.stack).out


def test_a_drained_host_loses_no_request(stage: SwarmStack, prod: Project) -> None:
    spare = stage.spare()
    drained = "node", "update", "--availability", "drain", spare.name

    def drain() -> None:
        stage.docker(*drained)
        until(lambda: stage.is_whole_without(spare), "all parts on two hosts")

    done = asked_meanwhile(prod.url, drain)
    stage.docker("node", "update", "--availability", "active", spare.name)
    assert errors(done.records) == {}
    until(stage.is_whole, "an edge on every host")


def test_a_killed_host_costs_less_than_a_hundredth_of_a_minute(stage: SwarmStack, prod: Project) -> None:
    """Also where it ran the gateway or Redis; the stand-in for the models is on another, as OpenRouter is."""
    stage.bring_up()
    spare = stage.spare()

    def kill() -> None:
        spare.kill()
        until(lambda: stage.is_whole_without(spare), "all parts on two hosts")

    done = asked_meanwhile(prod.url, kill)
    assert errors(done.records).total() <= len(done.records) / 100, errors(done.records)
    assert done.records[-1].error is None
    spare.boot()
    until(stage.is_whole, "three hosts")


def test_a_rebooted_host_takes_part_again(stage: SwarmStack, prod: Project) -> None:
    spare = stage.spare()
    spare.reboot()
    until(stage.is_whole, "three hosts")
    assert "nothing to change" in prod.fridayctl("up", prod.stack).out
    prod.fridayctl("verify", prod.stack)


def test_a_changed_image_loses_no_request_and_a_broken_one_changes_nothing(stage: SwarmStack, prod: Project) -> None:
    with own_image(prod, stage.made.hosts, "first", SERVES):
        # The edge asks it in another way than the reference Friday, and another edge follows for that.
        stage.bring_up()
        with own_image(prod, stage.made.hosts, "good", SERVES):
            assert errors(asked_meanwhile(prod.url, stage.bring_up).records) == {}
            before = stage.running("friday")
            with own_image(prod, stage.made.hosts, "broken", ENDS_AT_ONCE):
                for _ in range(2):  # again, as people do
                    ran = prod.fridayctl("up", prod.stack, code=1)
                    assert "log   | the database schema is too old" in ran.err
                    assert "Traceback" not in ran.text
                    assert stage.running("friday") == before
                    assert prod.chat(0).path == "litellm"
            prod.fridayctl("up", prod.stack)
            prod.fridayctl("verify", prod.stack)
            assert "nothing to change" in prod.fridayctl("up", prod.stack).out


def test_down_leaves_nothing_in_the_swarm(stage: SwarmStack, prod: Project) -> None:
    prod.fridayctl("down", prod.stack, "--yes")
    for kind in ("service", "config", "secret"):
        assert stage.docker(kind, "ls", "--quiet") == ""
    for host in stage.made.hosts:
        left = host.inventory()
        assert (left["containers"], left["volumes"]) == (set(), set())
        assert [name for name in left["networks"] if name.startswith("friday-")] == []
    assert "not deployed" in prod.fridayctl("status", prod.stack, code=1).out
