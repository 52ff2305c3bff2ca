"""A stack with an application that does nothing for it, deployed by the stack file that the docs give a team."""

import uuid
from collections.abc import Iterator
from typing import Any

import docker
import pytest
import yaml

from testing import stock_image
from testing.project import ROOT, Project


def of_the_docs(project: Project) -> dict[str, Any]:
    """Return Friday's settings in the stack file that a team begins with, with the stand-in for its image."""
    config = yaml.safe_load((ROOT / "Pulumi.staging.yaml").read_text())["config"]
    found: dict[str, Any] = config["friday-litellm:friday"]
    changed = {
        "DATABASE_URL": "postgres://nobody@nowhere/x",
        "STOCK_START_CPU_SECONDS": "3",
        "CORS_ALLOWED_ORIGINS": f"{stock_image.ORIGIN},{project.url}",  # the second is its page's in a browser
    }
    return {**found, "image": stock_image.ensure(), "environment": {**found["environment"], **changed}}


@pytest.fixture(scope="session")
def network() -> Iterator[str]:
    """A network of the host's own, as a team's database has one."""
    made = docker.from_env().networks.create(f"database-{uuid.uuid4().hex[:6]}", check_duplicate=True)
    yield str(made.name)
    made.remove()


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory, network: str) -> Iterator[Project]:
    """A stack of the stand-in, for all tests of this folder; the last one takes it down."""
    project = Project.create(tmp_path_factory.mktemp("stock"))
    # Its old replicas wait for their end in vain: they do not go when they are asked to.
    friday = {**of_the_docs(project), "networks": [network], "stopGraceSeconds": 5}
    friday["writable"] = [*friday["writable"], {"path": "/uploads", "kind": "volume"}]
    edge = {**project.settings["edge"], "stickyCookie": "FRIDAYREPLICA"}
    project.configure({"friday": friday, "edge": edge, "litellm": {"replicas": 1}})
    with project.deployed():
        yield project
