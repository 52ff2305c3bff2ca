"""A service is recognised by the same digits, whether it is read from the declaration or from the Swarm."""

from typing import Any

import pytest

from components.parts import declare
from components.swarm_service import content_name, declared_digest, declared_form, seen_digest, seen_form
from components.workload import Workload
from tests.unit.given import settings

IMAGES = {
    name: f"friday-litellm/{name}:1"
    for name in ("litellm", "friday", "edge", "redis", "simulator", "prometheus", "alertmanager", "redis-exporter")
}


def workloads(**changes: Any) -> dict[str, Workload]:
    found = declare("t", settings(engine="swarm", **changes), IMAGES)
    return {each.part: each for part in found for each in part.with_front()}


def inspected(workload: Workload) -> dict[str, Any]:
    """Return what `docker service inspect` shows of a workload as declared, with the Swarm's own way of writing."""
    files = {path: content_name("t", workload.part, path, file.content) for path, file in workload.files.items()}
    secret = {path for path, file in workload.files.items() if file.secret}
    env = {**workload.env, **workload.secret_env}
    container: dict[str, Any] = {
        "Image": f"{workload.image}@sha256:{'0' * 64}",
        "Command": list(workload.command[:1]) or None,
        "Args": list(workload.command[1:]) or None,
        "Env": [f"{name}={value}" for name, value in reversed(env.items())],
        "Secrets": [{"SecretName": name} for path, name in files.items() if path in secret],
        "Configs": [{"ConfigName": name} for path, name in files.items() if path not in secret],
    }
    mode = {"Global": {}} if workload.on_every_host else {"Replicated": {"Replicas": workload.replicas}}
    limits = {"Limits": {"MemoryBytes": workload.memory_mb * 1024 * 1024}}
    ports = [{"PublishedPort": each.host, "TargetPort": each.container} for each in reversed(workload.ports)]
    template = {"ContainerSpec": container, "Resources": limits}
    return {"TaskTemplate": template, "Mode": mode, "EndpointSpec": {"Mode": "dnsrr", "Ports": ports}}


@pytest.mark.parametrize("part", ["edge", "edge-ports", "friday", "litellm", "redis"])
def test_a_service_as_declared_is_recognised(part: str) -> None:
    workload = workloads()[part]
    assert seen_digest(inspected(workload)) == declared_digest("t", workload)


@pytest.mark.parametrize(
    "changes",
    [
        {"rolloutPercentage": 77},
        {"friday": {"replicas": 5}},
        {"friday": {"memoryMb": 333}},
        {"jwtSecret": "another-secret-of-enough-letters"},
    ],
)
def test_another_form_is_told_apart(changes: dict[str, Any]) -> None:
    before, after = workloads()["friday"], workloads(**changes)["friday"]
    assert seen_digest(inspected(before)) != declared_digest("t", after)


def test_an_image_named_by_digest_alone_keeps_it() -> None:
    named = [workloads(friday={"image": f"r.example/f@sha256:{digit * 64}"})["friday"] for digit in "12"]
    assert len({declared_digest("t", each) for each in named}) == 2


def test_a_form_is_another_with_other_ports_and_the_same_with_another_image() -> None:
    one = workloads()["edge-ports"]
    assert seen_form(inspected(one)) == declared_form(one)
    assert declared_form(workloads(edge={"image": "registry.example/edge:2"})["edge-ports"]) == declared_form(one)
    for other in ({"port": 3001}, {"gatewayPort": 4002}):
        assert declared_form(workloads(edge=other)["edge-ports"]) != declared_form(one)
