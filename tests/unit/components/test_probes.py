"""Probes: the engine's own spelling of durations, and a program for each client."""

from typing import Any, cast

import pulumi_docker as docker
import pytest

from components.container_engine import ContainerEngine
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


@pytest.mark.parametrize("client", ProbeClient)
def test_the_engine_waits_for_a_probe_that_stays_and_gives_up_one_that_does_not(client: ProbeClient) -> None:
    probe = HealthProbe(port=1, client=client, timeout_seconds=7)
    stays = client in (ProbeClient.BASH, ProbeClient.PYTHON, ProbeClient.REDIS)
    assert probe.longest_seconds() == (7 + 300 + 5 + 7 if stays else 7)


@pytest.mark.parametrize(
    ("client", "port", "plain", "rare"),
    [
        (ProbeClient.BASH, 1, "2s", "2s"),
        (ProbeClient.NODE, 1, "2s", "15s"),
        (ProbeClient.WGET, 1, "2s", "15s"),
        (ProbeClient.BASH, 0, "2s", "15s"),
    ],
)
def test_what_does_not_stay_is_started_rarely_where_no_start_waits_for_it(
    client: ProbeClient, port: int, plain: str, rare: str
) -> None:
    probe = HealthProbe(port=port, client=client, interval_seconds=2)
    checks = [
        ContainerEngine("t", cast("docker.Provider", None), {}, start_interval=start_interval)._healthcheck(probe)
        for start_interval in (False, True)
    ]
    assert [check.get("interval") for check in checks] == [plain, rare]
    assert [check.get("start_interval") for check in checks] == [None, "1s"]


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
