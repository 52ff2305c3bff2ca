"""Wrong input ends `up` with exit code 2 and one message, before anything changes."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]


@pytest.fixture(scope="module")
def undeployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.create(tmp_path_factory.mktemp("undeployed"))
    yield project
    assert project.containers() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rolloutPercentage": 101}, "rolloutPercentage: should be a whole number from 0 to 100 (got 101)"),
        ({"rolloutPercentage": "ten"}, "got 'ten'"),
        ({"unknown": 1}, "friday-litellm:unknown: is not a setting"),
        ({"edge": {"port": 70000}}, "edge.port: should be a port from 1 to 65535"),
        ({"litellm": {"image": ":"}}, "litellm.image: should be an image with a tag or a digest"),
    ],
)
def test_a_wrong_setting(undeployed: Project, changes: dict[str, Any], expected: str) -> None:
    with undeployed.configured(**changes):
        ran = undeployed.fridayctl("up", undeployed.stack, code=2)
    assert expected in ran.err
    assert f"Pulumi.{undeployed.stack}.yaml:" in ran.err
    assert "fix: " in ran.err
    assert "Traceback" not in ran.text


def test_plain_pulumi_says_the_same_and_changes_nothing(undeployed: Project) -> None:
    undeployed.fridayctl("setup")
    undeployed.fridayctl("status", undeployed.stack, code=1)  # makes the stack known to Pulumi
    with undeployed.configured(rolloutPercentage=101):
        ran = undeployed.pulumi("up", "--yes", "-s", undeployed.stack, code=1)
    assert "rolloutPercentage: should be a whole number from 0 to 100 (got '101')" in ran.text
    assert "Traceback" not in ran.text


def test_a_port_in_use(undeployed: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with undeployed.configured(edge={**undeployed.settings["edge"], "port": port}):
            ran = undeployed.fridayctl("up", undeployed.stack, code=2)
    assert f"friday-litellm:edge.port: port {port} should be free" in ran.err


def test_an_unknown_stack(undeployed: Project) -> None:
    ran = undeployed.fridayctl("up", "nosuch", code=2)
    assert "there is no Pulumi.nosuch.yaml" in ran.err
    assert "local" in ran.err


def test_a_file_that_does_not_parse(undeployed: Project) -> None:
    path: Path = undeployed.root / "Pulumi.broken.yaml"
    path.write_text("config: [")
    assert "Pulumi.broken.yaml:1: file: should be YAML" in undeployed.fridayctl("up", "broken", code=2).err
