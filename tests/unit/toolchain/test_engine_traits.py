"""What an engine's `/info` means for a stack."""

from typing import Any

import pytest

from tests.unit.recorded_engines import ENGINE_20, ENGINE_29, NFTABLES, ROOTLESS
from toolchain.engine_traits import Traits, read

# As Docker's documentation describes a rootless engine on cgroup v2 with systemd; it was not to be had for a recording.
DELEGATED = {**ROOTLESS, "CgroupVersion": "2", "CgroupDriver": "systemd", "MemoryLimit": True, "CPUShares": True}
PACKAGED = {"Containerd": {"Address": "/run/containerd/containerd.sock"}}


@pytest.mark.parametrize(
    ("info", "shown", "folder"),
    [
        (ENGINE_20, "cgroup v1, classic image store", "/var/lib/docker"),
        (ENGINE_29, "cgroup v1, iptables back-end, containerd image store", "/srv/data"),
        (NFTABLES, "cgroup v1, nftables back-end, containerd image store", "/srv/data"),
        (ROOTLESS, "cgroup v1, rootless, iptables back-end, containerd image store", "/home/u/.local/share/docker"),
        (DELEGATED, "cgroup v2, rootless, iptables back-end, containerd image store", "/home/u/.local/share/docker"),
        ({}, "classic image store", ""),
    ],
)
def test_real_answers_are_read(info: dict[str, Any], shown: str, folder: str) -> None:
    found = read(info)
    assert (found.shown, found.folder, found.id) == (shown, folder, info.get("ID", ""))


@pytest.mark.parametrize(
    ("info", "machines"),
    [
        (ENGINE_20, False),
        ({**ENGINE_20, **PACKAGED}, False),  # the classic store is the engine's own
        (ENGINE_29, False),  # a containerd that the engine started
        (ROOTLESS, False),
        ({**ENGINE_29, **PACKAGED}, True),
        ({**ENGINE_29, "Containerd": {"Address": "/var/run/containerd/containerd.sock"}}, True),
        ({key: value for key, value in ENGINE_29.items() if key != "Containerd"}, True),  # engines before 27
    ],
)
def test_images_in_the_machines_containerd_are_told_from_those_in_the_engines(
    info: dict[str, Any], machines: bool
) -> None:
    assert read(info).machines_containerd is machines


@pytest.mark.parametrize(
    ("info", "swarm", "problem", "fix"),
    [
        (ENGINE_20, True, "", ""),
        (ENGINE_29, True, "", ""),
        (NFTABLES, False, "", ""),
        (NFTABLES, True, "the Docker engine uses nftables, and has no Swarm with it", "--firewall-backend=iptables"),
        (
            ROOTLESS,
            False,
            "the Docker engine is rootless and cannot limit memory and weigh processor time on cgroup v1",
            "delegate memory and cpu",
        ),
        (DELEGATED, False, "", ""),
        ({**DELEGATED, "CPUShares": False}, False, "cannot weigh processor time on cgroup v2", "delegate"),
        (DELEGATED, True, "the Docker engine is rootless, where a Swarm's networks are not supported", "root runs"),
        ({**ENGINE_20, "MemoryLimit": False}, False, "the Docker engine cannot limit memory", "cgroup_enable=memory"),
    ],
)
def test_what_stops_a_stack_has_one_message_and_its_fix(
    info: dict[str, Any], swarm: bool, problem: str, fix: str
) -> None:
    found = read(info).problem(swarm=swarm)
    assert bool(found) is bool(problem)
    if found:
        assert problem in found[0]
        assert fix in found[1]


@pytest.mark.parametrize(("cgroup", "warns"), [("1", True), ("2", False), ("", False)])
def test_cgroup_v1_is_a_warning(cgroup: str, warns: bool) -> None:
    warning = Traits(cgroup=cgroup).cgroup_warning
    assert bool(warning) is warns
    assert not warning or "until May 2029" in warning[0]


def test_a_containerd_store_holds_an_image_packed_and_unpacked() -> None:
    assert Traits().room(1000) == 1000
    assert Traits(containerd_store=True).room(1000) == 2200
