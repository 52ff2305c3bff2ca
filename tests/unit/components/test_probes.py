"""Probes: the engine's own spelling of durations, and a program for each client."""

from typing import Any

import pytest

from components.parts import declare
from components.probes import HealthProbe, ProbeClient, duration
from tests.unit.declared import IMAGES
from tests.unit.given import settings

OTHERS = "registry.example/other:1"


@pytest.mark.parametrize(("seconds", "text"), [(1, "1s"), (59, "59s"), (60, "1m0s"), (90, "1m30s"), (600, "10m0s")])
def test_durations_are_spelt_as_the_engine_writes_them_back(seconds: int, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("client", ProbeClient)
def test_every_client_asks_the_declared_port(client: ProbeClient) -> None:
    command = HealthProbe(port=4711, path="/well", client=client).docker_test()
    assert command[0] == "CMD"
    assert "4711" in " ".join(command)
    assert ("/well" in " ".join(command)) is (client is not ProbeClient.REDIS)


def test_a_deployment_waits_through_the_start_period_all_retries_and_one_slow_probe() -> None:
    probe = HealthProbe(port=1, interval_seconds=2, timeout_seconds=7, start_period_seconds=20, retries=3)
    assert probe.wait_seconds() == 33


@pytest.mark.parametrize(
    ("changes", "clients"),
    [
        ({}, {"friday": "bash", "litellm": "bash", "simulator": "bash"}),
        (
            {"friday": {"image": OTHERS}, "litellm": {"image": OTHERS}, "simulator": {"image": OTHERS}},
            {"friday": "node", "litellm": "python3", "simulator": "python3"},
        ),
        ({"friday": {"image": OTHERS, "probeClient": "wget"}}, {"friday": "wget"}),
        ({"friday": {"probeClient": "python"}}, {"friday": "python3"}),
    ],
    ids=["built here", "of others", "named", "named for the one built here"],
)
def test_the_cheap_client_asks_where_it_is_known_to_be(changes: dict[str, Any], clients: dict[str, str]) -> None:
    workloads = {each.part: each for each in declare("t", settings(**changes), IMAGES)}
    assert {part: workloads[part].probe.docker_test()[1] for part in clients} == clients
