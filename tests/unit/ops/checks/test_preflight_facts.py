"""What preflight collects from engines that answer over a socket, and what becomes of it."""

import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from components.settings.stack import StackSettings
from images.tags import local_images
from ops.checks.preflight import facts
from ops.checks.preflight.facts import Builder, Collector, HostFacts, RestoreFacts
from ops.checks.preflight.host_networks import HostNetwork
from ops.errors import OperationError
from ops.hosts import images
from ops.hosts.machine import Space
from ops.hosts.swarm_nodes import Node
from ops.rollout.history import Entry
from tests.unit.given import settings
from tests.unit.ops import preflight_hosts
from tests.unit.ops.engine import INFO, calls, engine, gone, ssh_that_says, ssh_to
from tests.unit.ops.evidence import entry
from tests.unit.ops.preflight_hosts import deployment, every_image
from tests.unit.recorded_engines import ENGINE_20, ENGINE_29
from toolchain.docker_engine import Engine

local, built_here, history = preflight_hosts.local, preflight_hosts.built_here, preflight_hosts.history
FAR = "ssh://deploy@h.example"


def collected(given: StackSettings, *, thorough: bool = False) -> dict[str, HostFacts | OperationError]:
    return dict(Collector(deployment(given), thorough=thorough).collect().hosts)


def of(given: StackSettings, *, thorough: bool = False) -> HostFacts:
    found = collected(given, thorough=thorough)[given.docker_host]
    assert isinstance(found, HostFacts), found
    return found


@pytest.mark.usefixtures("built_here")
def test_an_engine_is_asked_for_all_that_is_judged(local: StackSettings, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    told = {**INFO, "SystemTime": (began - timedelta(seconds=100)).isoformat()}
    with engine(tmp_path / "docker.sock", {"/info": told, **every_image()}):
        found = of(local)
    took = (datetime.now(UTC) - began).total_seconds()
    assert (found.engine, found.architecture, found.memory) == (Engine("20.10.24", "1.41", "1.12"), "amd64", 8 << 30)
    assert -100 - took <= found.seconds_apart <= -100
    assert (found.images.present, found.images.missing, found.images.problems) == (len(local_images()), (), ())
    assert set(found.holders.values()) == {""}
    assert found.published == frozenset()
    assert (found.space, found.own_memory, found.swarm.active) == (None, 0, False)


@pytest.mark.usefixtures("built_here")
def test_networks_are_asked_for_where_friday_joins_one(local: StackSettings, tmp_path: Path) -> None:
    listed = [
        {"Name": "database", "Driver": "bridge", "Scope": "local", "Attachable": False, "Labels": None},
        {
            "Name": "friday-u-app",
            "Driver": "overlay",
            "Scope": "swarm",
            "Attachable": True,
            "Labels": {"friday-litellm.stack": "u"},
        },
    ]
    joining = local.model_copy(update={"friday": local.friday.model_copy(update={"networks": ("database",)})})
    with engine(tmp_path / "docker.sock", {**every_image(), "/networks": listed}):
        assert of(local).networks == {}
        assert of(joining).networks == {
            "database": HostNetwork("bridge", "local"),
            "friday-u-app": HostNetwork("overlay", "swarm", attachable=True, stack="u"),
        }


@pytest.mark.usefixtures("built_here")
@pytest.mark.parametrize(("limits", "own"), [(0, 0), (1 << 50, 4000)])
def test_what_takes_longer_is_asked_only_when_it_is_wanted(
    limits: int, own: int, local: StackSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "memory_limits", lambda *_: limits)
    answers = {
        **every_image(),
        "/containers/json": [{"Id": "c1", "Names": ["/x"], "Labels": {}, "Ports": []}],
        "/containers/c1/stats": {"memory_stats": {"usage": 5000, "stats": {"inactive_file": 1000}}},
    }
    with engine(tmp_path / "docker.sock", answers):
        found = of(local, thorough=True)
    assert found.own_memory == own
    assert isinstance(found.space, Space)
    assert 0 < found.space.memory < 1 << 50
    assert 0 < found.space.disk < 1 << 60


@pytest.mark.usefixtures("built_here")
def test_ports_are_held_by_others_or_by_the_stack_itself(local: StackSettings, tmp_path: Path) -> None:
    published = [
        {"Names": [f"/{name}"], "Labels": labels, "Ports": [{"PublicPort": port}]}
        for name, labels, port in (
            ("web", {}, local.edge.port),
            ("friday-t-edge-1", {"friday-litellm.stack": "t"}, local.edge.gateway_port),
        )
    ]
    with (
        socket.create_server(("127.0.0.1", local.simulator.port)),
        engine(tmp_path / "docker.sock", {"/containers/json": published, **every_image()}),
    ):
        host = of(local)
    found, published_by_the_stack = host.holders, host.published
    assert published_by_the_stack == {"edge.gatewayPort"}
    assert found["edge.port"] == "the container web"
    assert found["edge.gatewayPort"] == ""
    assert str(found["simulator.port"]).startswith("a process of this machine")


@pytest.mark.usefixtures("built_here")
def test_a_managers_nodes_are_read(local: StackSettings, tmp_path: Path) -> None:
    told = {"LocalNodeState": "active", "ControlAvailable": True, "NodeID": "a"}
    nodes = [
        {"ID": "a", "Description": {"Hostname": "one"}, "Status": {"State": "ready"}},
        {"ID": "b", "Description": {"Hostname": "two"}, "Status": {"State": "down"}},
    ]
    with engine(tmp_path / "docker.sock", {"/info": {**INFO, "Swarm": told}, "/nodes": nodes, **every_image()}):
        swarm = of(local).swarm
    assert (swarm.active, swarm.manager, swarm.node) == (True, True, "a")
    assert swarm.nodes == {"a": Node("one", True), "b": Node("two", False)}


@pytest.mark.usefixtures("built_here")
@pytest.mark.parametrize(
    ("there", "here", "bytes_each"),
    [(ENGINE_20, ENGINE_20, 1000), (ENGINE_29, ENGINE_20, 2200), (ENGINE_29, ENGINE_29, 1000)],
)
def test_what_a_missing_image_takes_depends_on_both_image_stores(
    local: StackSettings, tmp_path: Path, there: dict[str, Any], here: dict[str, Any], bytes_each: int
) -> None:
    """A builder with a containerd store counts packed and unpacked already."""
    far = local.model_copy(update={"docker_host": f"unix://{tmp_path / 'far.sock'}"})
    told = {**INFO, **there, "DockerRootDir": "/"}
    with (
        engine(tmp_path / "docker.sock", {"/info": {**INFO, **here}, **every_image()}),
        engine(tmp_path / "far.sock", {"/info": told}),
    ):
        facts_of_all = Collector(deployment(far), thorough=False).collect()
    found = facts_of_all.hosts[far.docker_host]
    assert isinstance(found, HostFacts)
    assert {size for _, size in found.images.missing} == {bytes_each}
    assert isinstance(found.space, Space)  # images are to come
    assert found.own_memory == 0
    assert isinstance(facts_of_all.builder, Builder)
    assert facts_of_all.builder.endpoint.chosen_by == f"DOCKER_HOST=unix://{tmp_path / 'docker.sock'}"
    assert facts_of_all.builder.traits.id == here["ID"]


def test_a_builder_that_does_not_answer_is_a_problem_of_the_images(
    local: StackSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    with engine(tmp_path / "docker.sock"):
        (problem,) = of(local).images.problems
    assert problem.message.startswith("Docker at unix:///nonexistent.sock does not answer")


def test_without_images_of_this_checkout_nobody_is_asked_for_them(
    local: StackSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "builder", lambda _: pytest.fail("asked"))
    monkeypatch.setattr(facts, "declare", lambda *_: [])
    with engine(tmp_path / "docker.sock"):
        assert Collector(deployment(local), thorough=False).collect().builder is None


@pytest.mark.usefixtures("built_here")
def test_missing_images_are_counted_and_the_ones_of_this_checkout_have_to_be_pushed(
    local: StackSettings, tmp_path: Path
) -> None:
    with engine(tmp_path / "docker.sock"):
        held = of(local).images
    assert (held.present, len(held.missing)) == (0, len(local_images()))
    assert "./fridayctl images push t" in held.problems[0].fix


def test_an_engine_that_refuses_an_answer_is_a_host_that_is_not_reached(local: StackSettings, tmp_path: Path) -> None:
    with engine(tmp_path / "docker.sock", {"/info": (500, {"message": "it is broken"})}):
        found = collected(local)[local.docker_host]
    assert isinstance(found, OperationError)
    assert "its Docker daemon refuses an answer" in found.message
    assert "it is broken" in found.message


@pytest.fixture
def ssh_log(built_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The calls of an `ssh`, in the folder `bin`, that leads from everywhere to the test's engine."""
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    return ssh_to(tools, tmp_path / "docker.sock")


@pytest.mark.usefixtures("ssh_log")
def test_every_host_is_asked_and_one_that_is_not_there_hides_no_other(tmp_path: Path) -> None:
    given = settings(engine="swarm", dockerHost=FAR, swarmHosts=["unix:///nonexistent.sock"])
    with engine(tmp_path / "docker.sock", every_image()):
        found = collected(given)
    assert isinstance(found[FAR], HostFacts)
    assert isinstance(found["unix:///nonexistent.sock"], OperationError)


def test_one_connection_to_a_host_serves_preflight_and_what_comes_after_it(tmp_path: Path, ssh_log: Path) -> None:
    """Also the question whether the simulator, which plays OpenRouter, runs there: each more is a handshake."""
    lost: list[str] = []
    with engine(tmp_path / "docker.sock", {"/_ping": "OK", **every_image()}):
        played = deployment(settings(dockerHost=FAR))
        learned = Collector(played, thorough=False).collect().upstream
        assert "not up yet" in learned.absent
        assert list(played.hosts.answering(lost.append)) == [FAR]
        dialled = [call for call in calls(ssh_log) if call["line"][-1] == "dial-stdio"]
        assert len(dialled) == 1
        os.kill(dialled[0]["pid"], signal.SIGKILL)
        assert gone(dialled[0]["pid"])
        ssh_that_says(tmp_path / "bin", 255, "Connection to h.example closed by remote host.\n")
        assert played.hosts.answering(lost.append) == {}
    assert lost == [f"{FAR}: connection lost: {FAR}: cannot be reached"]


@pytest.mark.usefixtures("built_here")
def test_the_history_and_the_images_on_the_hosts_tell_what_can_be_restored(
    local: StackSettings, tmp_path: Path, history: list[Entry]
) -> None:
    plain = {"friday-litellm:upstream": "simulator"}
    own = {**plain, "friday-litellm:friday": '{"image": "registry.example/friday:1"}'}
    history += [entry(1, 50, config=plain), entry(2, 10, config=own)]
    with engine(tmp_path / "docker.sock", every_image()):
        found = Collector(deployment(local), thorough=True).collect().restore
    assert isinstance(found, RestoreFacts)
    assert (found.current, found.current_problem, found.target) == (history[0], None, history[1])
    assert found.target_problem is not None
    assert "registry.example/friday:1" in found.target_problem.message
