"""Which service is Friday, and what is known of it from all its files; what cannot be used is named."""

from pathlib import Path

import pytest

from ops.errors import OperationError
from tests.unit.ops.compose.composed import APP, adopt, of


def test_the_projects_name_is_the_folders_where_nobody_gives_one(tmp_path: Path) -> None:
    folder = tmp_path / "_My Shop.v2"
    folder.mkdir()
    assert of(folder, "restart: always").project == "myshopv2"
    assert of(folder, "restart: always", env="COMPOSE_PROJECT_NAME=other").project == "other"


def test_an_env_file_comes_before_environment_and_the_shell_before_the_dot_env(tmp_path: Path) -> None:
    lines = """
    env_file:
      - .env.app
      - {path: .env.local, required: false}
      - {path: .env.raw, format: raw}
    environment:
      B: own
      C: ${FROM_FILE}
      D: ${FROM_SHELL}
      E:
    """
    text = f"services:\n  friday:\n    image: r.example/f:1{lines}"
    found = adopt(
        tmp_path,
        text,
        environ={"FROM_SHELL": "shell"},
        env="FROM_FILE=file\nFROM_SHELL=file\nE=passed\n",
        env_app="A=a\nB=b\nF=${FROM_FILE}\nH=${C}${B}\n",
        env_raw="G='$x'\n",
    )
    environment = dict(A="a", B="own", C="file", D="shell", E="passed", F="file", G="'$x'", H="fileown")
    assert found.settings["friday"]["environment"] == environment


def test_a_service_that_extends_another(tmp_path: Path) -> None:
    (tmp_path / "base.yml").write_text(
        "services: {app: {image: r.example/base:1, environment: {A: '1', B: '2', C: '${V:-x}'}, ports: ['1:1'], "
        "command: base, "
        "healthcheck: {test: 'curl http://localhost:3000/base', start_period: 10s}, depends_on: [db]}}"
    )
    text = """
    services:
      friday:
        extends: {file: base.yml, service: app}
        environment: ["B=3", "D=${V-y}$$"]
        ports: ["3000:3000"]
        command: own
        healthcheck: {start_period: 20s}
    """
    found = adopt(tmp_path, text).settings
    assert found["friday"]["image"] == "r.example/base:1"
    assert found["friday"]["environment"] == {"A": "1", "B": "3", "C": "x", "D": "y$"}
    assert found["friday"]["command"] == ["own"]
    assert found["friday"]["healthPath"] == "/base"
    assert found["friday"]["startSeconds"] == 110
    assert found["edge"]["port"] == 3000
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "e").write_text("E=${V-e}")
    (shared / "base.yml").write_text("services: {app: {image: 'r/b:1', env_file: [e, {path: f, required: false}]}}")
    other = adopt(tmp_path, "services: {friday: {extends: {file: shared/base.yml, service: app}}}")
    assert other.settings["friday"]["environment"] == {"E": "e"}
    same = "services: {a: {image: 'r.example/a:1', expose: [1]}, friday: {extends: a, environment: {A: x}}}"
    assert adopt(tmp_path, same, service="friday").settings["friday"]["image"] == "r.example/a:1"


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        (APP, "friday"),
        ("services: {web: {build: ., ports: [3000]}, db: {image: postgres, ports: [5432]}}", "web"),
        (
            "services: {web: {image: 'r/x:1', expose: [3000]}, cache: {image: 'bitnami/redis:7', ports: [1]}}",
            "web",
        ),
        (
            "services: {api: {build: ., ports: [3000], environment: [JWT_SECRET=aaaaaaaaaaaaaaaaaaaaaa]}, "
            "web: {build: ., ports: [5173]}}",
            "api",
        ),
        ("services: {friday-ai: {build: ., ports: [3000]}, orchestrator: {build: ., ports: [3011]}}", "friday-ai"),
    ],
)
def test_the_service_that_is_friday(tmp_path: Path, text: str, picked: str) -> None:
    assert adopt(tmp_path, text).service == picked


@pytest.mark.parametrize(
    ("text", "service", "said"),
    [
        ("services: {a: {build: ., ports: [1]}, b: {build: ., ports: [2]}}", "", "2 services may be Friday: a, b"),
        ("services: {db: {image: postgres, ports: [1]}}", "", "no service looks like Friday"),
        (APP, "web", "there is no service web"),
        ("services: {friday: nothing}", "", "compose.yml:1: services.friday should be a map"),
        ("services: {friday: {ports: [1]}}", "", "compose.yml:1: services.friday has neither image nor build"),
        (
            "services:\n  friday:\n    image: r/f:${TAG}\n    ports: [1]",
            "",
            "compose.yml:3: services.friday: no value is given for TAG",
        ),
        (
            "services:\n  friday:\n    image: r/f:1\n    ports: ['${P:?give it}:1']",
            "",
            "compose.yml:4: ports wants a value for P",
        ),
        (
            "services:\n  friday:\n    image: r/f:1\n    user: 'a${'\n    ports: [1]",
            "",
            "compose.yml:4: user has a ${ without",
        ),
        (
            "services:\n  friday:\n    image: r/f:1\n    env_file: .env.gone\n    ports: [1]",
            "",
            "cannot be read (no such file",
        ),
        ("services: {friday: {extends: friday}}", "friday", "friday extends itself"),
        ("services: {friday: {extends: {service: gone}}}", "friday", "services.gone should be a map"),
        (
            "services: {friday: {image: 'r/f:1', networks: [n]}}\nnetworks: {n: {name: '${N}'}}",
            "",
            "no value is given for N",
        ),
        ("services: {friday: {image: 'r/f:1', command: 'a \"b'}}", "friday", "command has a quote without its end"),
        ("services: {friday: {image: 'r/f:1', environment: [[A]]}}", "", "services.friday.environment has a form"),
        ("services: {friday: {image: 'r/f:1', ports: 3000}}", "friday", "services.friday.ports has a form"),
        ("services: {friday: {image: 'r/f:1'}}\nnetworks: [n]", "", "compose.yml:2: networks has a form"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, service: str, said: str) -> None:
    with pytest.raises(OperationError) as caught:
        adopt(tmp_path, text, service=service)
    assert said in caught.value.message
    assert (caught.value.exit_code, bool(caught.value.fix)) == (2, True)


def test_variables_of_other_services_do_not_matter(tmp_path: Path) -> None:
    assert of(tmp_path, "ports: [3000]", more="  db:\n    image: postgres:${NOBODY}\n").service == "friday"


def test_what_compose_reads_besides_is_named(tmp_path: Path) -> None:
    (tmp_path / "compose.override.yml").write_text("services: {}")
    found = adopt(tmp_path, f"{APP}include: [other.yml]\n".replace("    services", "services").replace("\n    ", "\n"))
    assert [each.what for each in found.not_placed][:2] == ["include", "compose.override.yml"]
