"""Whether another state has made what a host runs of a stack: by ids and labels, asked of an engine."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from components.stack import MADE_BY_LABEL
from ops.errors import EXIT_USAGE
from ops.hosts import other_state
from ops.hosts.connection import connect
from ops.hosts.other_state import Made, Recorded
from tests.unit.given import settings
from tests.unit.ops.engine import INFO, engine

OWN = Recorded({"net", "f1", "f2", "e1"}, {"friday": {"f1", "f2"}, "edge": {"e1"}})
NOTHING = Recorded(set(), {})
MANAGER = {"/info": INFO | {"Swarm": {"ControlAvailable": True}}}


def replica(id_: str, part: str) -> dict[str, Any]:
    return {"Id": id_, "Created": 1796076000, "Labels": {"friday-litellm.part": part}}


def service(id_: str, part: str) -> dict[str, Any]:
    spec = {"Labels": {"friday-litellm.part": part}}
    return {"ID": id_, "CreatedAt": "2026-11-30T22:00:00.123456789Z", "Spec": spec}


def look(
    folder: Path,
    recorded: Recorded,
    *found: dict[str, Any],
    label: str = "",
    swarm: bool = False,
    more: Mapping[str, Any] | None = None,
) -> Made | None:
    """Ask an engine that has a network of the stack's and what is `found`; `more` are its answers by path."""
    networks = [{"Id": "net", "Labels": {MADE_BY_LABEL: label} if label else None}]
    answers: Mapping[str, Any] = {"/services" if swarm else "/containers/json": list(found), "/networks": networks}
    chosen = settings(dockerHost=f"unix://{folder / 'docker.sock'}")
    with (
        engine(folder / "docker.sock", {**answers, **(more or {})}),
        closing(connect(chosen.docker_host, chosen.ssh, chosen.tls)) as client,
    ):
        return other_state.find("t", client, recorded, swarm=swarm)


@pytest.mark.parametrize(
    "found",
    [
        [],
        [replica("f1", "friday"), replica("f2", "friday"), replica("e1", "edge")],
        # A killed update has made what is not recorded yet, beside what is.
        [replica("f1", "friday"), replica("new", "friday"), replica("e1", "edge")],
        # All of its own were removed by hand, and one of a part that it has none of is there.
        [replica("e1", "edge"), replica("odd", "grafana")],
    ],
)
def test_what_the_state_knows_in_part_is_its_own(found: list[dict[str, Any]], tmp_path: Path) -> None:
    assert look(tmp_path, OWN, *found) is None


def test_a_first_update_that_was_killed_knows_its_networks(tmp_path: Path) -> None:
    assert look(tmp_path, Recorded({"net"}, {}), replica("f1", "friday")) is None


def test_what_a_state_knows_nothing_of_is_anothers_who_is_named(tmp_path: Path) -> None:
    found = [replica("f1", "friday"), replica("e1", "edge")]
    made = look(tmp_path, NOTHING, *found, label="anna@laptop, state in s3://states")
    assert made is not None
    assert made.words == "all of it, since 2026-11-30 22:00 UTC, made by anna@laptop, state in s3://states"
    refused = other_state.refusal("t", "unix:///d", made, "file:///mine")
    assert refused.message.startswith("t runs on unix:///d by another state than this one (file:///mine): all of it")
    assert "PULUMI_BACKEND_URL" in refused.fix
    assert "./fridayctl down t && ./fridayctl up t" in refused.fix
    assert refused.exit_code == EXIT_USAGE


def test_who_made_a_stack_before_that_was_noted_is_not_known(tmp_path: Path) -> None:
    made = look(tmp_path, NOTHING, replica("f1", "friday"))
    assert made is not None
    assert made.by == "somebody with an older checkout"


def test_an_old_copy_of_a_state_knows_the_networks_and_none_of_a_parts_replicas(tmp_path: Path) -> None:
    made = look(tmp_path, OWN, replica("g1", "friday"), replica("g2", "friday"), replica("e1", "edge"), label="anna")
    assert made is not None
    assert (made.what, made.by) == ("friday", "somebody with another copy of this state")


def test_in_a_swarm_a_states_own_services_are_its_own(tmp_path: Path) -> None:
    assert look(tmp_path, OWN, service("f1", "friday"), swarm=True, more=MANAGER) is None


def test_in_a_swarm_the_services_of_another_state_are_anothers(tmp_path: Path) -> None:
    made = look(tmp_path, NOTHING, service("f1", "friday"), swarm=True, more=MANAGER)
    assert made is not None
    assert f"{made.since:%H:%M}" == "22:00"


def test_a_worker_of_a_swarm_knows_nothing(tmp_path: Path) -> None:
    assert look(tmp_path, NOTHING, service("f1", "friday"), swarm=True) is None
