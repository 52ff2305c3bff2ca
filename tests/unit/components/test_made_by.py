"""Who made a stack is noted on its networks, and changes nothing."""

from typing import Any

import pulumi_docker as docker
import pytest
from pulumi import ResourceOptions

from components.stack import MADE_BY_LABEL
from tests.unit.declared import declare
from tests.unit.given import settings


def test_networks_name_who_made_them_and_stay_when_somebody_else_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    network = docker.Network

    def note(resource: str, *, opts: ResourceOptions, **given: Any) -> docker.Network:
        made[resource] = (opts.ignore_changes, given["labels"][-1])
        return network(resource, opts=opts, **given)

    monkeypatch.setattr(docker, "Network", note)
    declare(settings(), made_by="anna@laptop")
    assert list(made.values()) == [(["labels"], {"label": MADE_BY_LABEL, "value": "anna@laptop"})] * 2
