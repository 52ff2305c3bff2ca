"""A stack file that `adopt` has made is one that preflight accepts, with secrets that Pulumi decrypts."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.ports import free_ports
from testing.project import Project

pytestmark = [pytest.mark.engine, pytest.mark.beside]

# What a value may hold that a shell, YAML, JSON or Pulumi's paths would take for something else.
PASSWORD = "hunter2 $x \"quoted\" 'y' \\ ø: #"
PEM = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project.create(tmp_path_factory.mktemp("adopted"))
    made.fridayctl("setup")
    yield made
    made.remove()


def test_it_is_accepted_and_its_secrets_are_what_they_were(project: Project, tmp_path: Path) -> None:
    users, gateway, simulator, prometheus, alerts = free_ports(5)
    team = {
        "image": project.images()["friday"],
        "ports": [f"127.0.0.1:{users}:3000"],
        "environment": {
            "JWT_SECRET": "0123456789abcdef",
            "DATABASE_URL": "postgres://friday:hunter2@db/friday",
            "OWNER_OPEN_ID": "owner",
            "VITE_APP_ID": "friday",
            "DB_PASSWORD": PASSWORD.replace("$", "$$"),
            "SIGNING_KEY": PEM,
            "PIN": "012345678",
            "ANSWER": "yes",
        },
    }
    compose = tmp_path / "compose.yml"
    compose.write_text(json.dumps({"services": {"friday": team}}))  # every JSON is YAML
    before = project.file
    project.stack = f"{project.stack}a"
    before.unlink()
    ran = project.fridayctl("adopt", str(compose), "--stack", project.stack)
    assert not any(secret in ran.text + project.file.read_text() for secret in ("hunter2", "abc", "012345678"))
    shown = json.loads(project.pulumi("config", "-s", project.stack, "--show-secrets", "--json").out)
    assert json.loads(shown["friday-litellm:fridaySecrets"]["value"]) == {
        "DATABASE_URL": "postgres://friday:hunter2@db/friday",
        "DB_PASSWORD": PASSWORD,
        "SIGNING_KEY": PEM,
        "PIN": "012345678",
    }
    settings = project.settings
    project.configure(
        {
            "upstream": "simulator",
            "edge": {**settings["edge"], "gatewayPort": gateway},
            "simulator": {"port": simulator},
            "monitoring": {"port": prometheus, "alerts": {"port": alerts}},
        }
    )
    assert settings["edge"] == {"port": users, "bindAddress": "127.0.0.1"}
    assert settings["friday"]["environment"] == {"OWNER_OPEN_ID": "owner", "VITE_APP_ID": "friday", "ANSWER": "yes"}
    project.fridayctl("preflight", project.stack)
