"""`./fridayctl verify` and `drift` on a deployed stack: nothing to find when all is well, each tampering found.

What they look at is written once, in ops/checks/verify; here only what its words cannot show is asked directly.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import testinfra

from components.workload import FILES_DIR
from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]

# On each part, what verify asks; the rest is asked of single parts or of the host.
OF_EACH_PART = (
    "runs in the declared number",
    "healthy",
    "made of ",
    "command and user as declared",
    "environment as declared",
    "locked down",
    "publishes ",
    "only on the networks",
    "shows no secret to docker inspect",
    "no process works as root",
    "no secret in a process's arguments",
)


def verified(project: Project, code: int = 0) -> list[dict[str, Any]]:
    checks: list[dict[str, Any]] = json.loads(project.fridayctl("verify", project.stack, "--json", code=code).out)[
        "checks"
    ]
    return checks


def failures(project: Project) -> dict[tuple[str, str], str]:
    """Return what verify finds wrong: its words, by part and by the first word of the check."""
    failed = [check for check in verified(project, code=1) if check["ok"] is False]
    return {(check["part"], check["check"].split()[0]): "\n".join(check["problems"]) for check in failed}


@contextmanager
def brought_back(project: Project) -> Iterator[None]:
    """Let a test change the stack behind Pulumi's back; afterwards it is as it was."""
    try:
        yield
    finally:
        project.fridayctl("drift", project.stack, "--fix")


def test_a_stack_that_is_well_passes_every_check(project: Project) -> None:
    checks = verified(project)
    assert [check for check in checks if check["ok"] is not True] == []
    parts = {container.labels["friday-litellm.part"] for container in project.containers()}
    assert len(parts) >= 5
    for part in parts:
        asked = [check["check"] for check in checks if check["part"] == part]
        left_out = [name for name in OF_EACH_PART if not any(each.startswith(name) for each in asked)]
        # What has the ports keeps its image.
        assert left_out == (["made of "] if part == "edge-ports" else [])
    assert project.fridayctl("verify", project.stack, "--quiet").text == ""
    assert project.fridayctl("drift", project.stack).out == f"{project.stack}: no drift\n"


def test_every_tampering_is_found_and_brought_back(project: Project) -> None:
    """Behind Pulumi's back: a limit lifted, a part stopped, a replica on a foreign network, another one paused."""
    before = {container.id for container in project.containers("edge")}
    with brought_back(project):
        (redis,) = project.containers("redis")
        redis.update(mem_limit="300m", memswap_limit="300m")
        (simulator,) = project.containers("simulator")
        simulator.stop(timeout=1)
        friday = project.containers("friday")[0]
        project.engine.networks.get(f"friday-{project.stack}-gateway").connect(friday)
        (prometheus,) = project.containers("prometheus")
        prometheus.pause()
        odd, label = f"friday-{project.stack}-odd", {"friday-litellm.stack": project.stack}
        project.engine.containers.create(project.images()["redis"], "true", name=odd, labels=label)

        found = failures(project)
        assert found.keys() == {
            ("host", "nothing"),
            ("redis", "locked"),
            ("simulator", "healthy"),
            ("prometheus", "healthy"),
            ("friday", "only"),
            ("friday", "finds"),
        }
        assert found["host", "nothing"] == "odd is not declared"
        assert "redis-1: Memory is 300, declared is 64" in found["redis", "locked"]
        assert "simulator-1: exited" in found["simulator", "healthy"]
        assert "prometheus-1: paused" in found["prometheus", "healthy"]
        assert found["friday", "only"].endswith(f"is on friday-{project.stack}-gateway, which is not declared")
        assert ": finds litellm" in found["friday", "finds"]

        ran = project.fridayctl("drift", project.stack, "--json", code=1)
        drifts = {(each["kind"], each["name"].split("-")[0]) for each in json.loads(ran.out)["drift"]}
        assert drifts == {
            ("changed", "redis"),
            ("stopped", "simulator"),
            ("changed", "friday"),
            ("paused", "prometheus"),
            ("unknown", "friday"),
        }
        # A stopped container is looked at, not removed.
        simulator.reload()
        assert simulator.status == "exited"

        ran = project.fridayctl("drift", project.stack, "--fix")
        assert f"removed {odd}" in ran.out
        assert "differences brought back" in ran.out
    assert "no drift" in project.fridayctl("drift", project.stack).out
    assert [check for check in verified(project) if check["ok"] is not True] == []
    assert {container.id for container in project.containers("edge")} == before


def test_a_setting_that_is_not_deployed_is_told(project: Project) -> None:
    deployed = int(project.settings["rolloutPercentage"])
    declared = (deployed + 1) % 100
    with project.configured(rolloutPercentage=declared):
        found = failures(project)
    assert set(found) == {("friday", "runs"), ("friday", "environment")}
    words = f"LITELLM_ROLLOUT_PERCENTAGE is '{deployed}', declared is '{declared}'"
    assert words in found["friday", "environment"]


def test_nothing_writes_to_an_image(project: Project) -> None:
    for container in project.containers():
        host = testinfra.get_host(f"docker://{container.name}")
        assert host.run("touch /usr/probe").rc != 0
        assert host.run("touch /tmp/probe && rm /tmp/probe").rc == 0


def test_the_gateways_config_serves_free_models_only(project: Project) -> None:
    for container in project.containers("litellm"):
        text = testinfra.get_host(f"docker://{container.name}").file(f"{FILES_DIR}/config.yaml").content_string
        models = [line.split("model:")[1].strip() for line in text.splitlines() if line.strip().startswith("model:")]
        assert len(models) >= 5
        assert all(model.startswith("openrouter/") and model.endswith(":free") for model in models)
