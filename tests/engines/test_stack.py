"""A stack's life on an engine that is not this machine's: pushed, deployed, changed under load, tampered with, rolled
back at each level, taken down.

The tests stand in that order, and each one begins with what the one before it left. Drift and rollbacks of other levels
than 2 are slow tests: the normal run tries them on this machine's engine.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.http_client import PERCENTAGE_HEADER
from benchmarks.load import errors
from testing import remote_project
from testing.nested_host import NestedHost
from testing.project import Project
from testing.repository import commit
from testing.rig import rig
from tests.remote.asked import asked_meanwhile

pytestmark = [pytest.mark.engine, pytest.mark.beside]


def ids(stack: Project, *parts: str) -> set[str]:
    return {str(each.id) for part in parts or ("",) for each in stack.containers(part)}


def bring_to(stack: Project, percentage: int) -> None:
    stack.configure({"rolloutPercentage": percentage})
    stack.fridayctl("up", stack.stack)


def percentage(stack: Project) -> int:
    found: int = json.loads(stack.fridayctl("status", stack.stack, "--json").out)["deployed_percentage"]
    return found


def rollback(stack: Project, level: int) -> None:
    stack.fridayctl("rollback", stack.stack, "--yes", "--level", str(level))


def pushed(stack: Project) -> dict[str, Any]:
    (one,) = json.loads(stack.fridayctl("images", "push", stack.stack, "--json").out)
    assert isinstance(one, dict)
    return one


def is_there(stack: Project, host: NestedHost) -> set[str]:
    listed = json.loads(stack.fridayctl("images", "list", stack.stack, "--json").out)
    return {state for image in listed for state in image["hosts"].values()}


def test_images_pushed_to_it(stack: Project, host: NestedHost) -> None:
    assert len(pushed(stack)["images"]) > 5
    assert is_there(stack, host) == {"present"}
    assert (pushed(stack)["images"], pushed(stack)["sent_bytes"]) == ([], 0)


def test_up_and_up_again(stack: Project) -> None:
    ran = stack.fridayctl("up", stack.stack)
    assert "checked   user 0: litellm" in ran.out
    assert "checked   user 99: direct" in ran.out
    before = ids(stack)
    assert "nothing to change" in stack.fridayctl("up", stack.stack).out
    assert ids(stack) == before


def test_changed_percentage(stack: Project) -> None:
    stack.configure({"rolloutPercentage": 50})
    kept = ids(stack, "edge", "litellm", "redis", "simulator", "prometheus")
    done = asked_meanwhile(stack.url, lambda: stack.fridayctl("up", stack.stack))
    assert errors(done.records) == {}
    assert {record.headers[PERCENTAGE_HEADER] for record in done.records} == {"10", "50"}
    assert done.records[-1].headers[PERCENTAGE_HEADER] == "50"
    assert kept <= ids(stack)
    assert (stack.chat(49).path, stack.chat(50).path) == ("litellm", "direct")


def test_verify(stack: Project) -> None:
    checks = json.loads(stack.fridayctl("verify", stack.stack, "--json").out)["checks"]
    assert checks
    assert [check for check in checks if check["ok"] is not True] == []


@pytest.mark.slow
def test_drift_and_fix(stack: Project) -> None:
    before = ids(stack)
    assert "no drift" in stack.fridayctl("drift", stack.stack).out
    (redis,) = stack.containers("redis")
    redis.update(mem_limit="300m", memswap_limit="300m")
    (simulator,) = stack.containers("simulator")
    simulator.stop(timeout=1)
    found = json.loads(stack.fridayctl("drift", stack.stack, "--json", code=1).out)["drift"]
    assert {(each["kind"], each["name"].split("-")[0]) for each in found} == {
        ("changed", "redis"),
        ("stopped", "simulator"),
    }
    stack.fridayctl("drift", stack.stack, "--fix")
    assert "no drift" in stack.fridayctl("drift", stack.stack).out
    assert ids(stack, "edge", "friday", "litellm", "prometheus") <= before


@pytest.mark.slow
def test_rollback_level_1(stack: Project) -> None:
    rollback(stack, 1)
    assert (percentage(stack), stack.chat(7).path) == (0, "direct")
    assert "nothing to change" in stack.fridayctl("up", stack.stack).out


def test_rollback_level_2(stack: Project) -> None:
    bring_to(stack, 50)
    bring_to(stack, 100)
    rollback(stack, 2)
    assert percentage(stack) == 50
    assert (stack.chat(49).path, stack.chat(50).path) == ("litellm", "direct")


@pytest.mark.slow
def test_rollback_level_4(stack: Project) -> None:
    code = stack.root / "components" / "friday.py"
    code.write_text(code.read_text().replace("DRAIN_SECONDS = 2", "DRAIN_SECONDS = 3"))
    commit(stack, "bad")
    bring_to(stack, 100)
    assert drain_seconds(stack) == {"3"}
    rollback(stack, 4)
    assert drain_seconds(stack) == {"2"}
    assert percentage(stack) == 50


def drain_seconds(stack: Project) -> set[str]:
    environments = [
        dict(each.split("=", 1) for each in one.attrs["Config"]["Env"]) for one in stack.containers("friday")
    ]
    return {environment["DRAIN_SECONDS"] for environment in environments}


@pytest.mark.slow
def test_rollback_level_3(stack: Project) -> None:
    edge = ids(stack, "edge")
    rollback(stack, 3)
    assert ids(stack, "litellm") == set()
    assert ids(stack, "edge") == edge
    assert stack.chat(7).path == "direct"


def test_images_pushed_from_it(
    host: NestedHost, stack: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the oldest engine, from this one as the builder: what arrives is what this machine built."""
    with rig(1) as made:
        other = remote_project.create(tmp_path, made)
        remote_project.build_the_edge_alone(other)
        edge = other.images()["edge"]
        with monkeypatch.context() as builder:  # the rig is removed with this machine's engine
            builder.setenv("DOCKER_HOST", f"unix://{host.socket}")
            assert pushed(other)["images"] == [edge]
            assert pushed(other)["images"] == []
        assert layers(made.hosts[0], edge) == layers(host, edge)


def layers(host: NestedHost, image: str) -> list[str]:
    """Return the digests of an image's layers, which are the same in every store; its id is not."""
    found: list[str] = host.engine.images.get(image).attrs["RootFS"]["Layers"]
    return found


def test_down(stack: Project, host: NestedHost) -> None:
    assert ids(stack)
    stack.fridayctl("down", stack.stack, "--yes")
    assert host.inventory() == {"containers": set(), "networks": {"bridge", "host", "none"}, "volumes": set()}
