"""A probe that stays in a real container: what the engine says of it, and that it holds nothing that ends."""

from collections.abc import Iterator
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from components import probes
from components.probes import HealthProbe, ProbeClient
from images.tags import local_images
from testing.meanwhile import until

pytestmark = pytest.mark.engine
_SECOND = 1_000_000_000


@pytest.fixture
def redis() -> Iterator[Container]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "_LOOK_SECONDS", 1)
        probe = HealthProbe(port=6379, client=ProbeClient.REDIS, timeout_seconds=5)
        container = docker.from_env().containers.run(
            local_images()["redis"],
            ["redis-server", "--save", "", "--bind", "127.0.0.1"],
            healthcheck={"test": probe.docker_test(), "interval": _SECOND, "timeout": 600 * _SECOND, "retries": 2},
            detach=True,
            init=True,
            read_only=True,
            tmpfs={"/tmp": "size=1m,mode=1777"},  # noqa: S108 - the container's own
            labels=["friday-litellm.test"],
        )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def health(container: Container) -> dict[str, Any]:
    container.reload()
    found: dict[str, Any] = container.attrs["State"]["Health"]
    return found


def stays(container: Container) -> bool:
    """Return whether three probes have ended and a fourth runs on."""
    asking = [process for process in container.top()["Processes"] if "friday-probe" in " ".join(process)]
    return len(health(container)["Log"]) == 3 and bool(asking)


def test_the_engine_knows_at_once_that_it_is_healthy_and_then_starts_no_more_probes(redis: Container) -> None:
    until(lambda: health(redis)["Status"] == "healthy", lambda: f"healthy: {health(redis)}")
    until(lambda: stays(redis), lambda: f"the fourth stays: {health(redis)}, {redis.top()}")
    redis.kill("SIGTERM")
    assert redis.wait(timeout=60)["StatusCode"] == 0, "what asks does not hold a container that ends"


def test_what_answers_no_more_is_unhealthy_and_what_answers_again_is_healthy(redis: Container) -> None:
    until(lambda: stays(redis), lambda: f"the fourth stays: {health(redis)}, {redis.top()}")
    redis.exec_run(["redis-cli", "config", "set", "port", "6380"])
    until(lambda: health(redis)["Status"] == "unhealthy", lambda: f"unhealthy: {health(redis)}")
    redis.exec_run(["redis-cli", "-p", "6380", "config", "set", "port", "6379"])
    until(lambda: health(redis)["Status"] == "healthy", lambda: f"healthy again: {health(redis)}")
