"""Verdicts over an engine: what it is, whose it is, and whether its disk holds the images."""

import dataclasses
from typing import Any

import pytest

from ops.checks.preflight.facts import Builder, Held, HostFacts
from ops.checks.preflight.judge import ALL, BEFORE_UPDATE, GIBIBYTE, HEADROOM_BYTES, judge
from ops.checks.report import Report, State
from ops.errors import EXIT_USAGE, OperationError
from ops.hosts.machine import Space
from tests.unit.ops.preflight import FIRST, HEALTHY, NEED, SECOND, facts, failed, one, only
from tests.unit.recorded_engines import ENGINE_20, ENGINE_29, NFTABLES, ROOTLESS
from toolchain.docker_endpoint import Endpoint
from toolchain.docker_engine import Engine
from toolchain.engine_traits import Traits, read

CHOSEN = Endpoint("unix:///other.sock", "DOCKER_HOST=unix:///other.sock", "unset DOCKER_HOST")
GONE = OperationError("Docker at unix:///s does not answer: x", "./fridayctl doctor", EXIT_USAGE)


@pytest.mark.parametrize(
    ("engine", "problem"),
    [
        (Engine("20.10.0", "1.41", "1.12"), ""),
        (Engine("29.1.3", "1.52", "1.44"), ""),
        (Engine("library-import", "1.56", "1.40"), ""),
        (Engine("20.9.9", "1.40", "1.12"), "is 20.9.9 (API 1.40), 20.10 or newer is needed"),
        (Engine("19.03.15", "1.40"), "is 19.03.15 (API 1.40), 20.10 or newer is needed"),
        (
            Engine("35.0.0", "1.60", "1.52"),
            "is 35.0.0 and accepts only API 1.52 or newer; the Docker plugin speaks 1.51",
        ),
    ],
)
def test_the_engine_has_to_speak_an_api_that_the_plugin_speaks(engine: Engine, problem: str) -> None:
    found = failed(one(engine=engine))
    assert [each.found for each in found] == ([f"{FIRST}: the Docker engine {problem}"] if problem else [])


@pytest.mark.parametrize(
    ("info", "swarm", "said"),
    [
        (ROOTLESS, False, "rootless and cannot limit memory"),
        (NFTABLES, True, "uses nftables, and has no Swarm with it"),
    ],
)
def test_an_engine_that_cannot_run_a_stack_fails_once(info: Any, swarm: bool, said: str) -> None:
    unable = dataclasses.replace(HEALTHY, traits=read(info))
    given = facts({FIRST: unable}, engine="swarm" if swarm else "container")
    check = only(given)
    assert (check.name, check.host) == ("engine", FIRST)
    assert said in check.found
    assert Report("t", judge(given, BEFORE_UPDATE)).failed == [check]


def test_what_an_engine_is_like_is_shown_and_cgroup_v1_warns_whoever_asks_for_everything() -> None:
    given = one(traits=read(ENGINE_29))
    shown = {check.name: check for check in judge(given, ALL)}
    assert shown["engine"].found == "cgroup v1, iptables back-end, containerd image store"
    warning = f"{FIRST}: its host uses cgroup v1, which Docker supports until May 2029"
    assert (shown["cgroup"].state, shown["cgroup"].found) == (State.WARNING, warning)
    assert "cgroup" not in {check.name for check in judge(given, BEFORE_UPDATE)}
    assert "cgroup" not in {check.name for check in judge(one(), ALL)}


@pytest.mark.parametrize(
    ("traits", "published", "state"),
    [
        (read(ROOTLESS), frozenset(), State.WARNING),
        (read(ROOTLESS), frozenset({"edge.port"}), State.OK),  # so it may
        (read(ENGINE_20), frozenset(), State.OK),
    ],
)
def test_a_rootless_engine_publishes_no_low_port_by_itself(
    traits: Traits, published: frozenset[str], state: State
) -> None:
    host = dataclasses.replace(HEALTHY, traits=traits, published=published)
    checks = {check.name: check for check in judge(facts({SECOND: host}, edge={"port": 80}), BEFORE_UPDATE)}
    found = checks["port edge.port"]
    assert found.state is state
    assert checks["port edge.gatewayPort"].state is State.OK
    if state is State.WARNING:
        assert found.found.startswith(f"{SECOND}: port 80 of edge.port: a rootless engine publishes none below 1024")
        assert "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80" in found.fix


@pytest.mark.parametrize(
    ("address", "host", "builder", "state", "said"),
    [
        ("unix:///s", HEALTHY, Builder(CHOSEN, Traits("id-1"), {}), State.OK, "other.sock), as dockerHost"),
        ("unix:///s", HEALTHY, Builder(CHOSEN, Traits("id-2"), {}), State.FAILED, "should lead to one engine"),
        ("unix:///s", GONE, Builder(CHOSEN, Traits("id-2"), {}), State.FAILED, "should lead to one engine"),
        ("unix:///s", HEALTHY, Builder(Endpoint(), Traits("id-2"), {}), State.OK, "another engine than dockerHost"),
        ("unix:///s", GONE, Builder(Endpoint(), Traits("id-2"), {}), None, ""),
        ("unix:///s", HEALTHY, None, None, ""),  # nothing is built here
        ("unix:///s", HEALTHY, GONE, None, ""),  # a failure of the images
        (FIRST, HEALTHY, Builder(CHOSEN, Traits("id-2"), {}), None, ""),  # a host of its own
    ],
)
def test_docker_host_and_a_stacks_own_engine_are_one(
    address: str,
    host: HostFacts | OperationError,
    builder: Builder | OperationError | None,
    state: State | None,
    said: str,
) -> None:
    given = dataclasses.replace(facts({address: host}), builder=builder)
    found = [check for check in judge(given, BEFORE_UPDATE) if check.name == "builder"]
    assert [check.state for check in found] == ([state] if state else [])
    assert all(said in check.found for check in found)
    if state is State.FAILED:
        assert found[0].found == (
            "DOCKER_HOST=unix:///other.sock and Pulumi.t.yaml: friday-litellm:dockerHost should lead to one engine: "
            "the images are built at unix:///other.sock, and the stack runs at unix:///s"
        )
        assert found[0].fix == "unset DOCKER_HOST, or pulumi config set dockerHost unix:///other.sock -s t"


@pytest.mark.parametrize(
    ("missing", "free", "ok"),
    [
        ((), HEADROOM_BYTES, True),
        ((), HEADROOM_BYTES - 1, False),
        (((NEED, 3 * GIBIBYTE),), HEADROOM_BYTES + 3 * GIBIBYTE, True),
        (((NEED, 3 * GIBIBYTE),), HEADROOM_BYTES + 3 * GIBIBYTE - 1, False),
        (((NEED, None), (NEED, None)), HEADROOM_BYTES + 2 * GIBIBYTE - 1, False),
    ],
)
def test_the_disk_has_to_hold_the_images_that_are_not_there(missing: Any, free: int, ok: bool) -> None:
    space = Space(memory=16 * GIBIBYTE, disk=free)
    found = failed(one(images=Held(missing=missing), space=space))
    assert [check.name for check in found] == ([] if ok else ["disk"])
    assert ok or f"ssh -t {FIRST} docker system df" in found[0].fix


@pytest.mark.parametrize(
    ("root", "there", "short"),
    [
        (HEADROOM_BYTES, 3 * GIBIBYTE, ""),
        (HEADROOM_BYTES - 1, 3 * GIBIBYTE, "1.0 GiB for headroom, 1.0 GiB free in /var/lib/docker"),
        (
            100 * GIBIBYTE,
            3 * GIBIBYTE - 1,
            "3.0 GiB for 1 images, packed and unpacked in the containerd store, 3.0 GiB free in /var/lib/containerd",
        ),
    ],
)
def test_images_in_a_containerd_need_room_where_it_keeps_them(root: int, there: int, short: str) -> None:
    space = Space(16 * GIBIBYTE, root, ("/var/lib/containerd", there))
    traits = dataclasses.replace(HEALTHY.traits, containerd_store=True, machines_containerd=True)
    given = one(images=Held(missing=((NEED, 3 * GIBIBYTE),)), space=space, traits=traits)
    assert [check.found for check in failed(given)] == ([f"{FIRST}: too little disk: {short}"] if short else [])


def test_an_image_of_unknown_size_takes_more_in_a_containerd_store() -> None:
    space = Space(16 * GIBIBYTE, HEADROOM_BYTES + 2 * GIBIBYTE)
    given = one(images=Held(missing=((NEED, None),)), space=space)
    assert failed(given) == []
    in_containerd = dataclasses.replace(HEALTHY.traits, containerd_store=True)
    (check,) = failed(one(images=Held(missing=((NEED, None),)), space=space, traits=in_containerd))
    assert check.found.startswith(f"{FIRST}: too little disk: 3.2 GiB for 1 images, packed and unpacked")


@pytest.mark.parametrize(
    ("address", "command"),
    [("unix:///var/run/docker.sock", "docker system df"), ("unix:///s", "docker -H unix:///s system df")],
)
def test_an_engine_of_this_machine_is_looked_at_by_its_own_socket(address: str, command: str) -> None:
    full = dataclasses.replace(HEALTHY, space=Space(memory=16 * GIBIBYTE, disk=0))
    assert only(facts({address: full})).fix.startswith(f"{command} shows")


def test_an_update_is_refused_where_the_images_that_it_brings_have_no_room() -> None:
    full = one(images=Held(missing=((NEED, GIBIBYTE),)), space=Space(memory=0, disk=GIBIBYTE))
    assert [check.name for check in Report("t", judge(full, BEFORE_UPDATE)).failed] == ["disk"]
    assert [check.name for check in failed(full)] == ["disk", "memory"]


def test_where_only_the_engine_is_asked_memory_is_all_there_is_and_disk_is_left_out() -> None:
    out_of_reach = "over tcp:// only the daemon can be asked"
    checks = {check.name: check for check in judge(one(space=out_of_reach), ALL)}
    assert checks["memory"].found.endswith("16.0 GiB in all")
    assert (checks["disk"].state, checks["disk"].found) == (State.SKIPPED, out_of_reach)
    assert only(one(space=out_of_reach, memory=GIBIBYTE)).name == "memory"
