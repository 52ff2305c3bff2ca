"""What people write in compose files, and where it goes: a setting, or a reason why it has no place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.compose.healthcheck import seconds
from ops.errors import OperationError
from tests.unit.ops.compose.composed import APP, adopt, not_placed, of

ORIGIN = {"Origin": "https://a.example"}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - where compose publishes
DATABASE = """
  db:
    image: postgres:15
"""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("command: node dist/index.js --port 3000", {"command": ["node", "dist/index.js", "--port", "3000"]}),
        ("command: ['node', 'a b.js']", {"command": ["node", "a b.js"]}),
        ('command: sh -c "node a.js"', {"command": ["sh", "-c", "node a.js"]}),
        ("entrypoint: tini --\ncommand: [node, a.js]", {"command": ["tini", "--", "node", "a.js"]}),
        ("entrypoint: []\ncommand: [node, a.js]", {"command": ["node", "a.js"]}),
        ("user: 1000:1000", {"user": "1000:1000"}),
        ("user: root", {"user": "root"}),
        ("user: 0", {"user": "0"}),
        ("mem_limit: 512m", {"memoryMb": 512}),
        ("mem_limit: 1.5g", {"memoryMb": 1536}),
        ("deploy: {resources: {limits: {memory: 2G}}, replicas: 3}", {"memoryMb": 2048, "replicas": 3}),
        ("deploy: {resources: {limits: {memory: '1073741824'}}}", {"memoryMb": 1024}),
        ("scale: 4", {"replicas": 4}),
        ("tmpfs: /run", {"writable": [{"path": "/run", "kind": "tmpfs"}]}),
        ("tmpfs: ['/logs:size=32m,mode=1777', /tmp]", {"writable": [{"path": "/logs", "kind": "tmpfs", "sizeMb": 32}]}),
        ("volumes: ['logs:/logs/']", {"writable": [{"path": "/logs", "kind": "volume"}]}),
        (
            "volumes: [{type: volume, source: a, target: /a}, {type: tmpfs, target: /b, tmpfs: {size: 1048576}}]",
            {"writable": [{"path": "/a", "kind": "volume"}, {"path": "/b", "kind": "tmpfs", "sizeMb": 1}]},
        ),
        ("stop_signal: SIGINT", {"stopSignal": "SIGINT"}),
        ("stop_signal: quit", {"stopSignal": "SIGQUIT"}),
        ("stop_grace_period: 1m30s", {"stopGraceSeconds": 90}),
        (
            "environment: {A: 1, B: true, C: text, D: 1.5, E: ''}",
            {"environment": dict(A="1", B="true", C="text", D="1.5", E="")},
        ),
        ("environment: [A=1, B=x=y]", {"environment": {"A": "1", "B": "x=y"}}),
        ("environment: {OPENROUTER_MODEL: 'z-ai/glm-4.5-air:free'}", {"directModel": "z-ai/glm-4.5-air:free"}),
        ("healthcheck: {start_period: 40s, test: curl http://localhost:3000/}", {"startSeconds": 130}),
        ("healthcheck: {start_period: 1m, interval: 5s, retries: 6, test: x}", {"startSeconds": 90}),
    ],
)
def test_a_setting(tmp_path: Path, lines: str, expected: dict[str, Any]) -> None:
    found = of(tmp_path, lines).settings["friday"]
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("test", "path", "headers"),
    [
        ("[CMD, curl, -f, 'http://localhost:3000/health']", "/health", {}),
        ("curl -fsS http://127.0.0.1:3000 || exit 1", "/", {}),
        ("[CMD-SHELL, 'wget -qO- http://localhost:3000/api/health || exit 1']", "/api/health", {}),
        (
            "[CMD, wget, --spider, '--header=Origin: https://a.example', 'http://friday:3000/']",
            "/",
            ORIGIN,
        ),
        ("[CMD-SHELL, \"curl -H 'Origin: https://a.example' http://0.0.0.0:3000/up\"]", "/up", ORIGIN),
        (
            "[CMD, curl, --header, 'Origin: https://a.example', -HX-Check:1, 'http://[::1]/']",
            "/",
            {**ORIGIN, "X-Check": "1"},
        ),
        (
            "[CMD, node, -e, \"require('http').get('http://localhost:3000/ok', (r) => process.exit(0))\"]",
            "/ok",
            {},
        ),
        (
            "[CMD, node, -e, \"h.get({port: 3000, path: '/up', headers: {Origin: 'https://a.example'}})\"]",
            "/up",
            ORIGIN,
        ),
        ("[CMD, node, -e, \"fetch('http://localhost:3000/ping').then(r => process.exit(r.ok ? 0 : 1))\"]", "/ping", {}),
        ("[CMD-SHELL, 'curl http://localhost:$${PORT:-3000}/a && curl http://localhost:$$PORT/b']", "/a", {}),
        ("[CMD, bun, -e, 'fetch(`http://localhost:3000/b`)']", "/b", {}),
    ],
)
def test_a_health_check_by_http(tmp_path: Path, test: str, path: str, headers: dict[str, str]) -> None:
    found = of(tmp_path, f"healthcheck:\n  test: {test}").settings["friday"]
    assert found["healthPath"] == path
    assert found.get("probeHeaders", {}) == headers


@pytest.mark.parametrize(
    ("healthcheck", "why"),
    [
        ("{test: [CMD, pg_isready]}", "it does not ask by HTTP"),
        ("{test: 'curl https://localhost/'}", "it asks by HTTPS"),
        ("{test: 'curl http://db:3000/'}", "it asks another host"),
        ("{test: 'curl http://localhost:3000/?deep=1'}", "its path has a query"),
        ("{test: [CMD, node, -e, \"get('http://localhost:' + port + '/up')\"]}", "its address is put together"),
        ("{test: [CMD, node, -e, 'get(`http://localhost:3000/$${path}`)']}", "its address is put together"),
        ("{test: [NONE]}", "it is switched off"),
        ("{disable: true}", "it is switched off"),
        ("{interval: 5s}", "the service has none that asks by HTTP"),
        ('{test: "curl \'http://localhost:3000"}', ""),
    ],
)
def test_a_health_check_that_cannot_be_asked(tmp_path: Path, healthcheck: str, why: str) -> None:
    found = of(tmp_path, f"healthcheck: {healthcheck}")
    assert found.settings["friday"]["healthPath"] == "/"
    assert not_placed(found).get("healthcheck", "").startswith(why)


@pytest.mark.parametrize(
    ("ports", "edge"),
    [
        ("['3000:3000']", {"port": 3000, "bindAddress": EVERYWHERE}),
        ("['127.0.0.1:8080:3000']", {"port": 8080, "bindAddress": "127.0.0.1"}),
        ("[{target: 3000, published: 80, host_ip: 10.0.0.5}]", {"port": 80, "bindAddress": "10.0.0.5"}),
        ("[{target: 3000, published: '8081'}]", {"port": 8081, "bindAddress": EVERYWHERE}),
        ("['3002:3002', '3000:3000/tcp']", {"port": 3000, "bindAddress": EVERYWHERE}),
        ("['3000']", {"bindAddress": EVERYWHERE}),
        ("[3000]", {"bindAddress": EVERYWHERE}),
        ("['4000:3000']", {"port": 4000, "bindAddress": EVERYWHERE, "gatewayPort": 4001}),
    ],
)
def test_the_port_of_users(tmp_path: Path, ports: str, edge: dict[str, Any]) -> None:
    assert of(tmp_path, f"ports: {ports}").settings["edge"] == edge


def test_prometheus_makes_room_for_the_port_of_users(tmp_path: Path) -> None:
    assert of(tmp_path, "ports: ['9090:3000']").settings["monitoring"] == {"port": 9091}


def test_no_port_and_ports_that_the_edge_cannot_serve(tmp_path: Path) -> None:
    found = of(tmp_path, "ports: ['3000-3005:3000-3005', '53:53/udp', '[::1]:80:3000', '9229:9229']")
    assert found.settings["edge"] == {"port": 9229, "bindAddress": EVERYWHERE}
    assert {name for name in not_placed(found) if name.startswith("ports")} == {
        "ports 3000-3005:3000-3005",
        "ports 53:53/udp",
        "ports [::1]:80:3000",
        "ports 9229:9229",  # the app may not obey PORT
    }
    assert "no port is published" in not_placed(of(tmp_path, "expose: [3000]"))["ports"]
    second = of(tmp_path, "ports: [{target: 3000, published: 3000}, {target: 3002, published: 3002}]")
    assert "one port of Friday" in not_placed(second)["ports 3002:3002"]
    assert "ports 8000-8010:3000" in not_placed(of(tmp_path, "ports: [{target: 3000, published: 8000-8010}]"))


@pytest.mark.parametrize(
    ("lines", "more", "networks"),
    [
        ("restart: always", DATABASE, ["shop_default"]),
        ("networks: [back]", "  db: {image: postgres, networks: [back]}\nnetworks: {back: {}}", ["shop_back"]),
        ("networks: [back]", "  db: {image: postgres, networks: [back]}\nnetworks: {back: {name: data}}", ["data"]),
        ("networks: {back: {}}", "networks: {back: {external: true}}", ["back"]),
        ("networks: {back: {}}", "networks: {back: {external: true, name: data}}", ["data"]),
        ("networks: {back: {}}", "networks: {back: {external: {name: data}}}", ["data"]),
        (
            "networks: [front, back]",
            "  db: {image: x, networks: [back]}\nnetworks: {front: , back: }",
            ["shop_back"],
        ),
        ("restart: always", "", None),
        ("restart: always", "  db: {image: postgres, network_mode: host}", None),
    ],
)
def test_networks_that_are_shared(tmp_path: Path, lines: str, more: str, networks: list[str] | None) -> None:
    found = of(tmp_path, lines, more=f"{more}\nname: shop")
    assert found.settings["friday"].get("networks") == networks


def test_the_projects_name_is_the_folders_where_nobody_gives_one(tmp_path: Path) -> None:
    folder = tmp_path / "_My Shop.v2"
    folder.mkdir()
    assert of(folder, "restart: always").project == "myshopv2"
    assert of(folder, "restart: always", env="COMPOSE_PROJECT_NAME=other").project == "other"


def test_an_image_that_is_built_gets_the_name_that_compose_gives_it(tmp_path: Path) -> None:
    found = adopt(tmp_path, "name: shop\nservices: {friday: {build: ., ports: ['3000:3000']}}")
    assert found.settings["friday"]["image"] == "shop-friday:latest"
    assert "compose names what it builds so: shop-friday:latest" in not_placed(found)["build"]
    named = adopt(tmp_path, "services: {friday: {build: {context: .}, image: 'r.example:5000/f', ports: [3000]}}")
    assert named.settings["friday"]["image"] == "r.example:5000/f:latest"
    digest = f"r.example/f@sha256:{'0' * 64}"
    assert (
        adopt(tmp_path, f"services: {{friday: {{image: '{digest}', ports: [3000]}}}}").settings["friday"]["image"]
        == digest
    )


@pytest.mark.parametrize(
    ("lines", "what", "why"),
    [
        ("command: node a.js", "the image's ENTRYPOINT", "stands in for it too"),
        ("volumes: ['./server:/app/server']", "volumes ./server:/app/server", "files of one host"),
        ("volumes: [{type: bind, source: /srv, target: /srv}]", "volumes /srv:/srv", "files of one host"),
        ("volumes: ['~/data:/data']", "volumes ~/data:/data", "files of one host"),
        ("volumes: ['data:/data:ro']", "volumes data:/data", "nobody could write"),
        ("volumes: [/app/node_modules]", "volumes /app/node_modules", "without a name"),
        ("volumes: ['data:/data']", "volumes data", "begins with what the image has"),
        ("network_mode: host", "network_mode", "networks of its own"),
        ("networks: {default: {aliases: [web], ipv4_address: 10.5.0.5}}", "networks default.aliases", "come and go"),
        ("labels: ['traefik.enable=true']", "labels", "a proxy finds its containers by them"),
        ("labels: {caddy: friday.example}", "labels", "a proxy finds its containers by them"),
        ("environment: [VIRTUAL_HOST=friday.example]", "environment VIRTUAL_HOST", "a proxy finds"),
        ("environment: [lower=1]", "environment lower", "capital letters"),
        ("environment: [NOBODY]", "environment NOBODY", "it has no value"),
        ("environment: {OPENROUTER_MODEL: openai/gpt-5}", "environment OPENROUTER_MODEL", "free models only"),
        ("environment: {JWT_SECRET: short}", "environment JWT_SECRET", "16 to 512"),
        ('environment: {BELL: "\\a"}', "environment BELL", "no YAML file holds"),
        ('environment: {BELL_KEY: "\\0"}', "environment BELL_KEY", "NUL"),
        (f"environment: {{LONG: '{'x ' * 5000}'}}", "environment LONG", "more than 8192"),
        ("secrets: [db_password]", "secrets", "not as files below /run/secrets"),
        ("configs: [app]", "configs", "no files are mounted"),
        ("extra_hosts: ['a:1.2.3.4']", "extra_hosts", "adds no names"),
        ("privileged: true", "privileged", "no capabilities"),
        ("gpus: all", "gpus", "no setting for it"),
        ("cpus: 1.5", "cpus (processor time)", "limits none"),
        ("deploy: {resources: {limits: {cpus: '1'}}}", "deploy (processor time)", "limits none"),
        (
            "healthcheck: {test: [CMD, curl, -HHost:a, localhost, 'http://localhost']}",
            "the health check's Host",
            "their own",
        ),
        ("mem_limit: lots", "mem_limit", "no size"),
    ],
)
def test_what_has_no_place_is_named_with_the_reason(tmp_path: Path, lines: str, what: str, why: str) -> None:
    found = of(tmp_path, f"ports: [3000]\n{lines}")
    assert why in not_placed(found)[what]
    here = next(each for each in found.not_placed if each.what == what)
    assert here.where == "compose.yml:5"
    assert here.fix


def test_what_needs_no_place_is_not_named(tmp_path: Path) -> None:
    lines = """
    user: node
    ports: ["3000:3000"]
    container_name: f
    restart: unless-stopped
    init: true
    depends_on: {db: {condition: service_healthy}}
    logging: {driver: json-file}
    profiles: [prod]
    x-note: kept
    labels: [com.example.team=friday]
    healthcheck: {test: curl http://localhost:3000/}
    """
    assert of(tmp_path, lines, more=DATABASE).not_placed == ()


def test_others_that_call_friday_by_its_name_are_named(tmp_path: Path) -> None:
    more = """
      mail:
        image: mail
        environment: [WEBHOOK=http://friday:3000/in]
      web:
        image: nginx
        command: ["proxy", "http://friday"]
      other:
        image: other
        environment: {A: 'http://friday-ai:3000'}
    """
    found = of(tmp_path, "ports: [3000]", more="\n".join(line[4:] for line in more.splitlines()))
    assert {each.what: each.where for each in found.not_placed if each.what.startswith("service")} == {
        "service mail": "compose.yml:6",
        "service web": "compose.yml:9",
    }
    assert found.others == ("mail", "web", "other")


def test_what_the_stack_sets_itself(tmp_path: Path) -> None:
    more = "ENABLE_LITELLM: 'true', LITELLM_ROLLOUT_PERCENTAGE: 10, LITELLM_MASTER_KEY: sk-x"
    found = of(tmp_path, f"environment: {{PORT: 8080, {more}, A: b}}")
    assert found.managed == ("ENABLE_LITELLM", "LITELLM_MASTER_KEY", "LITELLM_ROLLOUT_PERCENTAGE", "PORT")
    assert found.settings["friday"]["environment"] == {"A": "b"}
    assert found.settings["rolloutPercentage"] == 0


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
        (
            "services: {friday: {image: 'r/f:1', environment: [[A]]}}",
            "friday",
            "environment should be a map, or a list",
        ),
        ("services: {friday: {image: 'r/f:1', environment: {A: [1]}}}", "friday", "should be a text or a number"),
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


def test_hints_name_what_the_app_wants_for_the_percentage_and_for_probes(tmp_path: Path) -> None:
    bare = of(tmp_path, "environment: {NODE_ENV: production}").hints
    assert ["FORCE_MODEL_ROUTING" in bare[0], "Origin" in bare[1]] == [True, True]
    lines = """
    environment: {NODE_ENV: production, FORCE_MODEL_ROUTING: "true"}
    healthcheck: {test: [CMD, curl, -H, "Origin: https://a.example", "http://localhost:3000/"]}
    """
    assert of(tmp_path, lines).hints == ()


def test_the_stack_file_is_yaml_that_says_the_same(tmp_path: Path) -> None:
    found = of(tmp_path, "environment: {A: 'yes', B: '1', C: 'ø\"\\u2028'}\nports: [3000]")
    config = yaml.safe_load(found.document())["config"]
    assert config == {f"friday-litellm:{key}": value for key, value in found.settings.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40s", 40),
        ("1m30s", 90),
        ("1h", 3600),
        ("500ms", 0.5),
        ("10us", 1e-5),
        ("1.5s", 1.5),
        ("40", None),
        ("x", None),
    ],
)
def test_a_duration(text: str, expected: float | None) -> None:
    assert seconds(text) == pytest.approx(expected)
