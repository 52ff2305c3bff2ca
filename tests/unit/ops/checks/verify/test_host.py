"""A host's clock and disk, and the Swarm's services, from what their commands print."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import pytest

from ops.checks.report import State
from ops.checks.verify import host as verify_host
from tests.unit.ops.checks.verify.inspected import workloads


class Host:
    """A place that prints what it is told to, by the command's first two words."""

    def __init__(self, answers: dict[str, str], df: tuple[int, str] = (0, ""), runs_commands: bool = True) -> None:
        self._answers = answers
        self._df = df
        self.runs_commands = runs_commands
        self.address = "ssh://host"

    def run(self, *words: str) -> tuple[int, str]:
        assert words[0] == "df"
        return self._df

    def docker(self, *words: str) -> str:
        return self._answers[" ".join(words[:2]) if words[0] == "service" else words[0]]

    def docker_json(self, *words: str) -> Any:
        return json.loads(self.docker(*words))


def info() -> dict[str, str]:
    # Docker writes nanoseconds, which Python's own reader does not take.
    told = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"
    return {"info": json.dumps({"SystemTime": told, "DockerRootDir": "/var/lib/docker"})}


def df(free_kb: int) -> str:
    return f"Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 250 24 {free_kb} 26% /"


def problems(host: Host) -> list[str]:
    return [problem for check in verify_host.machine(host) for problem in check.problems]  # type: ignore[arg-type]


def test_a_host_in_step_with_room_passes() -> None:
    assert problems(Host(info(), (0, df(10_000_000)))) == []


@pytest.mark.parametrize(
    ("told", "apart"),
    [
        ("2026-01-01T00:00:09.900000000Z", ""),  # while the answer was on its way
        ("2026-01-01T00:00:12+00:00", ""),
        ("2026-01-01T00:00:04Z", "it is 5.0 s"),
        ("2026-01-01T02:00:15.000000001+02:00", "it is 5.0 s"),
    ],
)
def test_a_clock_out_of_step_is_told_in_seconds(told: str, apart: str) -> None:
    """The question left at second 9 and its answer was here at second 10."""
    midnight = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    found = verify_host._clock(told, midnight + 9, midnight + 10).problems
    assert [problem[: len(apart)] for problem in found] == ([apart] if apart else [])


def test_a_full_disk_is_told_in_gigabytes() -> None:
    (problem,) = problems(Host(info(), (0, df(1_000_000))))
    assert problem.startswith("/var/lib/docker has 1.0 GB")


@pytest.mark.parametrize("runs_commands", [True, False], ids=["refused", "tcp"])
def test_a_disk_that_cannot_be_asked_fails_nothing(runs_commands: bool) -> None:
    host = Host(info(), (1, "df: Permission denied"), runs_commands)
    clock, disk = verify_host.machine(host)  # type: ignore[arg-type]
    assert (clock.state, disk.state) == (State.OK, State.SKIPPED)


DECLARED = list(workloads(engine="swarm").values())


def services(
    replicas: Mapping[str, str] | None = None, inspected: object = None, strangers: int = 0
) -> list[tuple[str, ...]]:
    """Compare a Swarm of three hosts; `replicas` are services that run otherwise than declared, or not at all."""
    counts = {each.alias or each.part: f"{each.replicas}/{each.replicas}" for each in DECLARED}
    counts |= {"edge": "3/3", **(replicas or {})}
    listed = "\n".join(f"friday-t-{name} {count}" for name, count in counts.items() if count)
    host = Host({"service ls": listed, "service inspect": json.dumps(inspected or {})})
    found = verify_host.services(host, "t", DECLARED, strangers)  # type: ignore[arg-type]
    return [check.problems for check in found if check.problems]


def test_a_swarm_as_declared_passes() -> None:
    assert services() == []
    assert services(inspected={"UpdateStatus": {"State": "completed"}}) == []


@pytest.mark.parametrize(
    ("replicas", "problem"),
    [
        ({"friday": ""}, "service friday-t-friday is missing"),
        ({"friday": "1/2"}, "friday-t-friday: 1 of 2 run"),
        ({"friday": "3/3"}, "friday-t-friday: is set to 3 replicas, declared is 2"),
        ({"edge": "2/3"}, "friday-t-edge: 2 of 3 run"),
        ({"odd": "1/1"}, "friday-t-odd is not declared"),
    ],
)
def test_a_service_that_differs_is_named(replicas: dict[str, str], problem: str) -> None:
    assert services(replicas) == [(problem,)]


def test_a_node_that_is_not_named_needs_no_edge_and_a_replica_that_lacks_is_missed() -> None:
    assert services({"edge": "2/3"}, strangers=1) == []
    assert services({"edge": "1/3"}, strangers=1) == [("friday-t-edge: 1 of 3 run",)]
    assert services({"friday": "1/2"}, strangers=1) == [("friday-t-friday: 1 of 2 run",)]


def test_an_update_that_was_rolled_back_is_told_with_the_swarms_reason() -> None:
    spec = {"TaskTemplate": {"ContainerSpec": {"Image": "earlier"}}, "Mode": {"Replicated": {"Replicas": 1}}}
    status = {"State": "rollback_completed", "Message": "task failed"}
    found = services(inspected={"UpdateStatus": status, "Spec": spec})
    assert len(found) == len(DECLARED)
    assert found[0][0].endswith("its last update is rollback completed: task failed")
