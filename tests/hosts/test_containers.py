"""Testinfra against the deployed containers: as declared, healthy, locked down, and closed where they should be."""

import json
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

from components.workload import FILES_DIR
from tests.integration.helpers import Project

pytestmark = pytest.mark.engine

PARTS = {"edge": 1, "friday": 2, "litellm": 2, "redis": 1, "simulator": 1}
PYTHON_PARTS = ("friday", "litellm", "simulator")


@pytest.fixture(scope="session")
def local() -> Host:
    return testinfra.get_host("local://")


def inside(project: Project, part: str) -> list[Host]:
    return [testinfra.get_host(f"docker://{container.name}") for container in project.containers(part)]


@pytest.mark.parametrize("part", PARTS)
def test_the_declared_number_runs_healthy_in_the_declared_image(project: Project, local: Host, part: str) -> None:
    names = [container.name for container in project.containers(part)]
    assert len(names) == PARTS[part]
    image = project.images()[part]
    wanted = local.check_output("docker image inspect --format '{{.Id}}' %s", image)
    for name in names:
        found = local.docker(name)
        assert found.is_running
        assert found.inspect()["State"]["Health"]["Status"] == "healthy"
        assert found.inspect()["Image"] == wanted


@pytest.mark.parametrize("part", PARTS)
def test_no_container_works_as_root_or_writes_to_its_image(project: Project, part: str) -> None:
    for host in inside(project, part):
        assert host.check_output("id -u") != "0"
        assert host.run("touch /usr/probe").rc != 0
        assert host.run("touch /tmp/probe && rm /tmp/probe").rc == 0


@pytest.mark.parametrize("part", PARTS)
def test_privileges_and_limits(project: Project, local: Host, part: str) -> None:
    for container in project.containers(part):
        config: dict[str, Any] = local.docker(container.name).inspect()["HostConfig"]
        assert config["CapDrop"] == ["ALL"]
        assert config["SecurityOpt"] == ["no-new-privileges:true"]
        assert config["ReadonlyRootfs"] is True
        assert config["Memory"] > 0
        assert config["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}
        assert config["RestartPolicy"]["Name"] == "unless-stopped"


@pytest.mark.parametrize("part", PARTS)
def test_no_secret_is_seen_by_docker_inspect_or_in_the_process_list(
    project: Project, local: Host, secrets: dict[str, str], part: str
) -> None:
    for container in project.containers(part):
        shown = json.dumps(local.docker(container.name).inspect())
        processes = local.check_output("docker top %s -o pid,args", container.name)
        for name, secret in secrets.items():
            assert secret not in shown, name
            assert secret not in processes, name


@pytest.fixture(scope="session")
def secrets(project: Project) -> dict[str, str]:
    found: dict[str, str] = json.loads((project.root / ".state" / "secrets.json").read_text())
    assert len(found) >= 6
    return found


def test_only_the_declared_ports_are_published(project: Project, local: Host) -> None:
    settings = project.settings
    published = {
        (part, int(binding["HostPort"]), binding["HostIp"])
        for part in PARTS
        for container in project.containers(part)
        for bindings in local.docker(container.name).inspect()["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }
    assert published == {
        ("edge", settings["edge"]["port"], "127.0.0.1"),
        ("edge", settings["edge"]["gatewayPort"], "127.0.0.1"),
        ("simulator", settings["simulator"]["port"], "127.0.0.1"),
    }


def test_friday_cannot_reach_the_gateway_or_redis_past_the_edge(project: Project) -> None:
    for host in inside(project, "friday"):
        for name in ("litellm", "redis"):
            assert host.run("getent hosts %s", name).rc != 0
        assert host.run("getent hosts edge").rc == 0


def test_friday_reads_the_environment_contract(project: Project) -> None:
    for host in inside(project, "friday"):
        environment = host.environment()
        assert environment["ENABLE_LITELLM"] == "true"
        assert environment["LITELLM_ROLLOUT_PERCENTAGE"] == str(project.settings["rolloutPercentage"])
        assert environment["LITELLM_BASE_URL"] == "http://edge:4000"
        for name in (
            "OWNER_OPEN_ID",
            "DATABASE_URL",
            "VITE_APP_ID",
            "JWT_SECRET_FILE",
            "OPENROUTER_API_KEY_FILE",
        ):
            assert environment[name]


@pytest.mark.parametrize("part", PYTHON_PARTS)
def test_secrets_are_files_of_the_container(project: Project, part: str) -> None:
    for host in inside(project, part):
        assert host.file(f"{FILES_DIR}/secrets").is_directory


def test_the_gateways_config_serves_free_models_only(project: Project) -> None:
    for host in inside(project, "litellm"):
        text = host.file(f"{FILES_DIR}/config.yaml").content_string
        models = [line.split("model:")[1].strip() for line in text.splitlines() if line.strip().startswith("model:")]
        assert len(models) >= 5
        assert all(model.startswith("openrouter/") and model.endswith(":free") for model in models)
